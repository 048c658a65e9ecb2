// Plans how a Multiboot kernel is started: ELF or flat, with modules. (Multiboot Specification
// 0.6.96; Multiboot2 Specification 2.0)
#pragma once

#include "boot_plan.h"
#include "multiboot_header.h"

namespace backplane::linux_boot {

PlannedBoot plan_multiboot(std::span<const std::byte> file, const MultibootHeader& header,
                           const BootRequest& request);

}  // namespace backplane::linux_boot
