// Kernels for the PVH boot protocol: ELF files that say in a note of Xen's where they want to be
// entered, in 32-bit mode. (Xen, docs/misc/pvh.pandoc and public/arch-x86/hvm/start_info.h)
#pragma once

#include "boot_plan.h"
#include "elf_image.h"

namespace backplane::linux_boot {

// Nothing when the file has no such note.
std::optional<std::uint64_t> pvh_entry(const ElfImage& image);

PlannedBoot plan_pvh(const ElfImage& image, std::uint64_t entry, const BootRequest& request);

}  // namespace backplane::linux_boot
