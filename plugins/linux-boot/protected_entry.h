// What kernels that are entered in 32-bit protected mode without paging have in common.
#pragma once

#include "boot_plan.h"
#include "elf_image.h"

namespace backplane::linux_boot {

inline constexpr std::size_t boot_descriptors_size = 0x20;

// `displacement` is how far the kernel goes from where it was linked.
std::expected<void, std::string> load_segments(BootPlan& plan, const ElfImage& image,
                                               std::uint64_t displacement,
                                               const BootRequest& request);
std::expected<void, std::string> check_room(Range range, const BootRequest& request);
std::string no_room_for(const std::string& what, const BootRequest& request);

// Flat segments; `given` are the registers that carry something.
std::vector<RegisterValue> protected_registers(std::uint64_t entry, std::uint64_t descriptors,
                                               const std::vector<RegisterValue>& given);

}  // namespace backplane::linux_boot
