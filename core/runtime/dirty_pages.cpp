#include "runtime/dirty_pages.h"

#include <algorithm>

namespace backplane::runtime {

void DirtyPages::mark(const void* place, std::uint64_t length) {
    if (length == 0) return;
    const std::uint64_t first = page_of(place),
                        last = page_of(static_cast<const std::byte*>(place) + length - 1);
    std::fill(dirty_.begin() + static_cast<std::ptrdiff_t>(first),
              dirty_.begin() + static_cast<std::ptrdiff_t>(last) + 1, 1);
}

bool DirtyPages::take(std::uint64_t first, std::uint64_t pages, std::uint64_t* bitmap) {
    constexpr std::uint64_t word_bits = 64;
    std::fill_n(bitmap, (pages + word_bits - 1) / word_bits, 0);
    bool any = false;
    for (std::uint64_t index = 0; index < pages && first + index < dirty_.size(); ++index) {
        if (dirty_[first + index] == 0) continue;
        dirty_[first + index] = 0;
        bitmap[index / word_bits] |= std::uint64_t{1} << (index % word_bits);
        any = true;
    }
    return any;
}

void DirtyTracking::track(std::span<std::byte> memory) {
    forget(memory.data());
    blocks_.push_back(std::make_unique<DirtyPages>(memory));
}

void DirtyTracking::forget(const void* memory) {
    std::erase_if(blocks_, [&](const auto& block) { return block->contains(memory); });
}

DirtyPages* DirtyTracking::find(const void* place) const {
    const auto found = std::ranges::find_if(
        blocks_, [&](const auto& block) { return block->contains(place); });
    return found == blocks_.end() ? nullptr : found->get();
}

}  // namespace backplane::runtime
