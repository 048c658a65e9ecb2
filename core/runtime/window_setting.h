// Reads what the machine file says about a window: `memory@0xFED10000`, its parts as a map, or a
// list of such.
#pragma once

#include "runtime/device_settings.h"
#include "runtime/machine_description.h"

namespace backplane::runtime {

// Appends the mappings that port `index` of the device gets. A window that may not stay unmapped
// and is, is reported.
void read_window(const DeviceSettings& device, std::uint32_t index,
                 std::vector<WindowMapping>& mappings, Diagnostics& diagnostics);

}  // namespace backplane::runtime
