// The one lock of a machine: whoever calls into a device holds it.
#pragma once

#include <mutex>

namespace backplane::runtime {

// Recursive because a device that is being called may itself access memory, and so other devices.
using MachineLock = std::recursive_mutex;
using MachineGuard = std::lock_guard<MachineLock>;

}  // namespace backplane::runtime
