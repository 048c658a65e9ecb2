// The state in which a kernel's processor starts: 64-bit code with memory mapped one to one, or
// 32-bit code without paging; in both flat segments and no interrupts.
#pragma once

#include "bench/kernel.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace backplane::bench {

// For layout::page_tables: one 2 MiB page at address 0.
[[nodiscard]] std::vector<std::byte> identity_map();
// For layout::descriptors.
[[nodiscard]] std::vector<std::byte> descriptors(CodeSize size);
[[nodiscard]] std::vector<std::pair<std::string, std::uint64_t>>
registers_at_start(CodeSize size, std::uint64_t rip);

}  // namespace backplane::bench
