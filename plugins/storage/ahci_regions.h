// The memory of one AHCI command: the physical regions that its table names, as one string of
// bytes. They are copied to and from, or lent to whoever can use them where they are.
#pragma once

#include "ahci_memory.h"
#include "ahci_registers.h"

#include <backplane/abi/block.h>

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace backplane::storage {

class AhciRegions {
public:
    enum class Direction : std::uint8_t { ToMemory, FromMemory };

    // The table in guest memory; the same again costs nothing. Nothing may be lent.
    void use(AhciMemory& memory, std::uint64_t table, std::uint32_t entries);
    // It may have been changed since.
    void forget() { table_ = ~std::uint64_t{0}; }

    // How many of the bytes found room, or were there, from byte `offset` of the regions on.
    std::size_t copy(std::uint64_t offset, std::span<std::uint8_t> bytes, Direction direction);

    // Up to `length` bytes from `offset` on, in whole blocks of 512; 0 when there are no more. What
    // is not plain memory is lent as a copy.
    std::uint64_t lend(std::uint64_t offset, std::uint64_t length, Direction direction);
    std::span<const backplane_block_segment> lent() const { return segments_; }
    bool is_lent() const { return !segments_.empty(); }
    // The first `moved` bytes of the loan were used.
    void take_back(std::uint64_t moved);

    // Whether a region that asks for an interrupt has been used up since this was asked last.
    bool take_interrupt() { return std::exchange(interrupt_, false); }

private:
    struct Piece {
        std::uint64_t address = 0, length = 0;
        bool interrupts = false;  // it is the end of a region that asks for an interrupt
    };

    bool seek(std::uint64_t offset);
    Piece piece_at(std::uint64_t offset, std::uint64_t most);
    void lend_copy(std::uint64_t offset, std::uint64_t length);
    bool interrupts(const Piece& piece) const;

    AhciMemory* memory_ = nullptr;
    std::uint64_t table_ = 0;
    std::uint32_t entries_ = 0;

    // The region that was used last.
    std::uint32_t index_ = 0;
    bool is_loaded_ = false;
    std::uint64_t begin_ = 0;  // its first byte, of all
    ahci::RegionEntry entry_{};

    // What is lent
    Direction direction_ = Direction::ToMemory;
    std::uint64_t lent_offset_ = 0;
    std::vector<backplane_block_segment> segments_;
    std::vector<Piece> pieces_;  // where in guest memory the segments are; none of a copy
    std::vector<std::uint8_t> copy_;

    bool interrupt_ = false;
};

}  // namespace backplane::storage
