#include "video_memory.h"

#include <algorithm>

namespace backplane::display {

bool VideoMemory::allocate(const backplane_host& host, std::uint64_t size) {
    host_ = &host;
    auto* memory = static_cast<std::uint8_t*>(host.allocate_memory(host.context, size));
    if (memory == nullptr) return false;
    bytes_ = {memory, size};
    written_.assign(size / video_page, 1);
    taken_.resize(written_.size());
    bitmap_.resize((written_.size() + 63) / 64);
    return true;
}

void VideoMemory::clear(std::uint32_t length) {
    std::memset(bytes_.data(), 0, std::min(length, size()));
    note_written(0, std::min(length, size()));
}

void VideoMemory::note_written(std::uint32_t address, std::uint32_t length) {
    if (length == 0) return;
    for (std::uint32_t page = address / video_page; page <= (address + length - 1) / video_page;
         ++page)
        written_[page] = 1;
}

std::span<const std::uint8_t> VideoMemory::take_written() {
    if (!is_tracked_) host_->track_dirty(host_->context, bytes_.data(), 1);
    is_tracked_ = true;
    host_->take_dirty(host_->context, bytes_.data(), 0, written_.size(), bitmap_.data());
    for (std::size_t page = 0; page < written_.size(); ++page)
        taken_[page] = written_[page] | (bitmap_[page / 64] >> page % 64 & 1);
    std::ranges::fill(written_, 0);
    return taken_;
}

}  // namespace backplane::display
