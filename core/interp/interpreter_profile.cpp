// What a profiler asks of the interpreter.
#include "interp/interpreter.h"

#include <algorithm>

namespace backplane::interp {

// No block that was made before counts, and none that was is compiled.
void Interpreter::count_blocks(BlockCounts* counts) {
    if (!builder_.count_into(counts)) return;
    counted_mode_ = counts && compiler_ ? block_mode::interpreted : std::uint8_t{0};
    release_blocks();
}

std::span<const std::byte> Interpreter::memory_at(std::uint64_t linear) {
    const auto physical = physical_address(linear);
    if (!physical) return {};
    const PhysicalRange& range = range_of(*physical);
    if (!range.memory || !range.readable) return {};
    const std::uint64_t in_page = x86::page_size - (linear & x86::page_offset_mask);
    const std::uint64_t in_range = range.length - (*physical - range.start);
    return {reinterpret_cast<const std::byte*>(range.host(*physical)),
            static_cast<std::size_t>(std::min(in_page, in_range))};
}

}  // namespace backplane::interp
