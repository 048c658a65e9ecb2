// Finds out by which protocol a kernel that is not Linux's bzImage wants to be started, in the
// order in which QEMU's -kernel does.
#pragma once

#include "boot_plan.h"

namespace backplane::linux_boot {

// Whether Linux's own protocol is the one to try, because of its signature or for want of another.
bool is_linux_image(std::span<const std::byte> file);

// Multiboot 2 or 1, else PVH, of which the file has at least the look.
PlannedBoot plan_boot(std::span<const std::byte> file, const BootRequest& request);

}  // namespace backplane::linux_boot
