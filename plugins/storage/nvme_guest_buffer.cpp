#include "nvme_guest_buffer.h"

#include <algorithm>

namespace backplane::storage::nvme {

namespace {

// Of what few commands need much of, not much is kept.
template <class Element>
void clear_or_free(std::vector<Element>& elements) {
    if (elements.capacity() > 1024) elements = {};
    elements.clear();
}

}  // namespace

void GuestBuffer::clear() {
    length_ = 0;
    clear_or_free(regions_);
    clear_or_free(pieces_);
    clear_or_free(segments_);
    clear_or_free(copy_);
}

void GuestBuffer::add(std::uint64_t address, std::uint64_t length) {
    if (length == 0) return;
    length_ += length;
    if (!regions_.empty()) {
        Region& last = regions_.back();
        if (!last.is_bit_bucket && last.address + last.length == address) {
            last.length += length;
            return;
        }
    }
    regions_.push_back({address, length, false});
}

void GuestBuffer::add_bit_bucket(std::uint64_t length) {
    if (length == 0) return;
    length_ += length;
    regions_.push_back({0, length, true});
}

std::span<const backplane_block_segment> GuestBuffer::open(const AddressSpace& memory,
                                                           Direction direction) {
    direction_ = direction;
    find_pieces(memory);
    if (pieces_.size() > most_segments)
        for (Piece& piece : pieces_)
            piece.memory = nullptr;
    point_at_pieces(memory);
    return segments_;
}

void GuestBuffer::find_pieces(const AddressSpace& memory) {
    pieces_.clear();
    backplane_range range{};
    for (const Region& region : regions_) {
        if (region.is_bit_bucket) {
            pieces_.push_back({0, region.length, nullptr, true});
            continue;
        }
        for (std::uint64_t done = 0; done < region.length;) {
            const std::uint64_t address = region.address + done;
            if (address - range.start >= range.length) range = memory.find(address);
            const std::uint64_t in_range = address - range.start;
            // The last range ends with the address space: 2^64 is 0.
            const std::uint64_t length = std::max<std::uint64_t>(
                std::min(region.length - done, range.length - in_range), 1);
            const bool is_direct = range.memory != nullptr && range.readable != 0 &&
                                   (direction_ == Direction::FromGuest || range.writable != 0);
            pieces_.push_back(
                {address, length, is_direct ? range.memory + in_range : nullptr, false});
            done += length;
        }
    }
}

// Neighbours in host memory become one segment.
void GuestBuffer::point_at_pieces(const AddressSpace& memory) {
    std::uint64_t copied = 0;
    for (const Piece& piece : pieces_)
        if (piece.memory == nullptr) copied += piece.length;
    copy_.resize(copied);
    segments_.clear();
    std::byte* copy = copy_.data();
    for (const Piece& piece : pieces_) {
        auto* place = reinterpret_cast<std::byte*>(piece.memory);
        if (place == nullptr) {
            place = copy;
            copy += piece.length;
            if (direction_ == Direction::FromGuest)
                memory.read(piece.address, {place, static_cast<std::size_t>(piece.length)});
        }
        if (!segments_.empty() &&
            static_cast<std::byte*>(segments_.back().data) + segments_.back().length == place)
            segments_.back().length += piece.length;
        else
            segments_.push_back({place, piece.length});
    }
}

// Memory that the image wrote into directly is told as written, so that CPUs that keep code of
// it, and whoever notes dirty pages, hear of it.
void GuestBuffer::close(const AddressSpace& memory) {
    if (direction_ == Direction::FromGuest) return;
    const std::byte* copy = copy_.data();
    for (const Piece& piece : pieces_) {
        const auto* place = reinterpret_cast<const std::byte*>(piece.memory);
        if (place == nullptr) {
            place = copy;
            copy += piece.length;
        }
        if (!piece.is_bit_bucket)
            memory.write(piece.address, {place, static_cast<std::size_t>(piece.length)});
    }
}

void GuestBuffer::copy_to_guest(const AddressSpace& memory,
                                std::span<const std::byte> bytes) const {
    for (const Region& region : regions_) {
        const auto part = bytes.first(
            std::min<std::size_t>(bytes.size(), static_cast<std::size_t>(region.length)));
        if (!region.is_bit_bucket) memory.write(region.address, part);
        bytes = bytes.subspan(part.size());
    }
}

void GuestBuffer::copy_from_guest(const AddressSpace& memory, std::span<std::byte> bytes) const {
    for (const Region& region : regions_) {
        const auto part = bytes.first(
            std::min<std::size_t>(bytes.size(), static_cast<std::size_t>(region.length)));
        memory.read(region.address, part);
        bytes = bytes.subspan(part.size());
    }
}

}  // namespace backplane::storage::nvme
