// The memory of the guest that a command moves data to or from, in pieces, and the host memory that
// an image reads or writes for it: the same memory wherever the host can reach it directly.
#pragma once

#include <backplane/abi/block.h>
#include <backplane/address_space.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace backplane::storage::nvme {

enum class Direction : bool { ToGuest, FromGuest };

class GuestBuffer {
public:
    void clear();
    void add(std::uint64_t address, std::uint64_t length);
    // Data that nobody wants.
    void add_bit_bucket(std::uint64_t length);
    std::uint64_t length() const { return length_; }

    // Host memory of the whole buffer, in order. Of what goes from the guest and is not reached
    // directly, a copy; `close` brings what goes to the guest there.
    std::span<const backplane_block_segment> open(const AddressSpace& memory, Direction direction);
    void close(const AddressSpace& memory);

    // At once, for small things.
    void copy_to_guest(const AddressSpace& memory, std::span<const std::byte> bytes) const;
    void copy_from_guest(const AddressSpace& memory, std::span<std::byte> bytes) const;

private:
    // An image hands its segments to the host's readv and writev, which take 1024.
    static constexpr std::size_t most_segments = 512;

    struct Region {
        std::uint64_t address;
        std::uint64_t length;
        bool is_bit_bucket;
    };
    // A part of a region, and its place in host memory; null: in `copy_`.
    struct Piece {
        std::uint64_t address;
        std::uint64_t length;
        std::uint8_t* memory;
        bool is_bit_bucket;
    };

    void find_pieces(const AddressSpace& memory);
    void point_at_pieces(const AddressSpace& memory);

    std::vector<Region> regions_;
    std::uint64_t length_ = 0;
    Direction direction_ = Direction::ToGuest;
    std::vector<Piece> pieces_;
    std::vector<backplane_block_segment> segments_;
    std::vector<std::byte> copy_;
};

}  // namespace backplane::storage::nvme
