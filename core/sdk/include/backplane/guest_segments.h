// Guest memory as pieces of host memory, for transfers without a copy: what the address space gives
// directly is used where it is, and only the rest goes through memory of its own.
#pragma once

#include <backplane/abi/block.h>
#include <backplane/address_space.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace backplane {

class GuestSegments {
public:
    enum class Direction : std::uint8_t { FromGuest, ToGuest };

    explicit GuestSegments(Direction direction = Direction::FromGuest) : direction_{direction} {}

    void clear(Direction direction) {
        direction_ = direction;
        pieces_.clear();
        segments_.clear();
        copies_.clear();
        copied_ = 0;
    }

    // Appends guest memory; of what comes from the guest it is the content now where it has to be
    // copied. False when more than `most_copied` bytes in all would have to be: a guest cannot make
    // the host keep as much as it likes.
    bool add(const AddressSpace& memory, std::uint64_t address, std::uint64_t length,
             std::uint64_t most_copied) {
        while (length != 0) {
            const backplane_range range = memory.find(address);
            const std::uint64_t into = address - range.start;
            const std::uint64_t part = std::min(range.length - into, length);
            const bool is_direct = range.memory != nullptr &&
                                   (is_to_guest() ? range.writable : range.readable) != 0;
            if (is_direct) {
                append(address, reinterpret_cast<std::byte*>(range.memory) + into, part);
            } else {
                if (part > most_copied - std::min(most_copied, copied_)) return false;
                copied_ += part;
                auto& copy = copies_.emplace_back(std::make_unique<std::byte[]>(part));
                if (!is_to_guest()) memory.read(address, {copy.get(), part});
                append(address, copy.get(), part);
            }
            address += part;
            length -= part;
        }
        return true;
    }

    // In order; valid until `clear`.
    std::span<const backplane_block_segment> segments() const { return segments_; }

    // The data is there. What was put into guest memory directly is told to all who have to know
    // that memory changed; the rest is written now.
    void finish(const AddressSpace& memory) const {
        if (!is_to_guest()) return;
        for (const Piece& each : pieces_)
            memory.write(each.address, {each.data, each.length});
    }

private:
    struct Piece {
        std::uint64_t address;
        std::byte* data;
        std::uint64_t length;
    };

    bool is_to_guest() const { return direction_ == Direction::ToGuest; }

    void append(std::uint64_t address, std::byte* data, std::uint64_t length) {
        if (!pieces_.empty()) {
            Piece& last = pieces_.back();
            if (last.address + last.length == address && last.data + last.length == data) {
                last.length += length;
                segments_.back().length += length;
                return;
            }
        }
        pieces_.push_back({address, data, length});
        segments_.push_back({data, length});
    }

    Direction direction_;
    std::vector<Piece> pieces_;
    std::vector<backplane_block_segment> segments_;
    std::vector<std::unique_ptr<std::byte[]>> copies_;
    std::uint64_t copied_ = 0;
};

}  // namespace backplane
