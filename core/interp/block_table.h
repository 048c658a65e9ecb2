// Blocks by where their code is and by mode. Whoever looks for one meets little else than the cache
// line of the table that has it: no other block, and of a plain one not even itself.
#pragma once

#include "interp/block.h"
#include "interp/large_pages.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace backplane::interp {

class BlockTable {
public:
    // The block that lies in one page, with the end of its segment far away. Null: there is none.
    Block* find(std::uint64_t physical, std::uint8_t mode) const {
        return find(tag_of(physical, mode), [](const Block&) { return true; });
    }
    // Of several others of this address and mode the one that `is_meant`.
    template <class Predicate>
    Block* find_special(std::uint64_t physical, std::uint8_t mode, Predicate is_meant) const {
        return find(tag_of(physical, mode) | special, is_meant);
    }

    void insert(Block& block);
    void remove(const Block& block);

private:
    struct Entry {
        std::uint64_t tag = 0;
        Block* block = nullptr;
    };
    static constexpr unsigned start_bits = 17;  // a large page of entries
    static constexpr std::uint64_t special = std::uint64_t{1} << 63;

    // Physical addresses have 52 bits.
    static std::uint64_t tag_of(std::uint64_t physical, std::uint8_t mode) {
        return physical << 8 | mode;
    }
    static std::uint64_t tag_of(const Block& block) {
        const bool is_special = block.crosses_page || block.segment_end != 0;
        return tag_of(block.physical, block.mode) | (is_special ? special : 0);
    }
    template <class Predicate>
    Block* find(std::uint64_t tag, Predicate is_meant) const {
        for (std::size_t i = home(tag); entries_[i].block; i = next(i))
            if (entries_[i].tag == tag && is_meant(*entries_[i].block)) return entries_[i].block;
        return nullptr;
    }
    std::size_t home(std::uint64_t tag) const {
        return tag * 0x9e37'79b9'7f4a'7c15 >> (64 - bits_);
    }
    std::size_t next(std::size_t i) const { return (i + 1) & (entries_.size() - 1); }
    void place(const Entry& entry);
    void grow();

    unsigned bits_ = start_bits;
    std::size_t count_ = 0;
    // Each as near behind its home as there was room: in between no entry is empty.
    std::vector<Entry, LargePages<Entry>> entries_{std::size_t{1} << start_bits};
};

}  // namespace backplane::interp
