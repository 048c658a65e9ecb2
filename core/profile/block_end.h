// Where a basic block of guest code ends: all places within one lead to the same end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace backplane::profile {

// Behind the next instruction at or behind `address` after which control may be elsewhere. Nothing:
// there is none in `code`, which begins at `address`.
[[nodiscard]] std::optional<std::uint64_t> block_end(std::span<const std::byte> code,
                                                     std::uint64_t address, unsigned code_size);

}  // namespace backplane::profile
