// What Qqemu.sstep sets: how a single step treats interrupts.
#pragma once

#include <cstdint>

namespace backplane::runtime::gdb::step_bits {

constexpr std::uint64_t enable = 1, no_interrupts = 2;

}  // namespace backplane::runtime::gdb::step_bits
