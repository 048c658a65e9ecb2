// The memory of compiled code, and what is kept of each block there, in generations: one after the
// other is filled, and when the last is full the oldest is emptied as a whole and filled anew.
//
// So three quarters of the code survive when room is needed, and all that is executed often is
// compiled again before long. Which blocks those are is not known: compiled code
// does not count.
#pragma once

#include "tier1/assembler.h"
#include "tier1/code_arena.h"
#include "tier1/native_block.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory_resource>

namespace backplane::jit {

class CodeCache {
public:
    static constexpr std::size_t generations = 4;

    // What is executed often is apart from what is not, so that it needs less of the host's caches.
    struct Part {
        Place start = 0, used = 0, end = 0;  // `used` is where the next block begins

        std::size_t used_bytes() const { return used - start; }
        std::size_t free_bytes() const { return end - used; }
        bool contains(Place place) const { return place >= start && place < end; }
    };
    struct Generation {
        Part hot, cold, far_links;                   // of these, places in the arena's data
        std::pmr::monotonic_buffer_resource memory;  // of these:
        std::deque<NativeBlock> blocks;              // in the order of their places
    };

    // Keeps at most so many blocks, those included whose code the guest has changed since.
    CodeCache(CodeArena arena, std::size_t max_blocks);

    std::uint8_t* writable() const { return arena_.writable(); }
    const std::uint8_t* executable() const { return arena_.executable(); }
    std::size_t size() const { return arena_.size(); }

    // The first bytes are no block's. Before the first one is added.
    void share(Place bytes);
    Place shared() const { return shared_; }

    // Where blocks are added now, as far as there is room.
    const Generation& current() const { return generations_[current_]; }
    bool has_room() const;
    // A block that is about to be written there: then either one is told. Room for so many handlers
    // is made.
    NativeBlock& add() {
        Generation& now = generations_[current_];
        return now.blocks.emplace_back(now.memory);
    }
    void installed(NativeBlock& native, std::size_t handlers);
    void take_back() { generations_[current_].blocks.pop_back(); }

    // 0: the oldest, which is emptied next; the last is the current one.
    const Generation& by_age(std::size_t i) const {
        return generations_[(current_ + 1 + i) % generations];
    }
    // No block there may be valid any more.
    void reuse_oldest();
    void clear();

    std::size_t used() const;
    // Null: this is in no block. It may be one that is not valid.
    const NativeBlock* block_at(Place place) const;

    // The jump goes there now, and nowhere else.
    static void link(Edge& edge, NativeBlock& target);
    FarLink& far_link(Place place) const {
        return reinterpret_cast<FarLink&>(arena_.data()[place - arena_.size()]);
    }
    void forget_far_links();

private:
    CodeArena arena_;
    std::size_t blocks_per_generation_;
    Place shared_ = 0;
    std::array<Generation, generations> generations_;
    std::size_t current_ = 0;
};

}  // namespace backplane::jit
