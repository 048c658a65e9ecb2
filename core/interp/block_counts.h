// How often each block was executed, counted by an op in front of it while somebody wants to know.
#pragma once

#include "interp/block.h"

#include <cstdint>
#include <deque>
#include <map>
#include <tuple>

namespace backplane::interp {

// One for all blocks that are the same, so that it outlives them.
struct BlockCount {
    std::uint64_t linear = 0, physical = 0;  // where it was when it was made
    std::uint32_t length = 0, bytes = 0;     // of all of it
    std::uint8_t privilege = 0, code_size = 0;
    std::uint64_t hits = 0;
    std::int64_t back = 0;  // instructions of these that were not executed

    std::uint64_t instructions() const { return hits * length - static_cast<std::uint64_t>(back); }
};

// [vcpu] all of it.
class BlockCounts {
public:
    BlockCount& of(const BlockCount& block);

    template <class Take>
    void take(Take take) {
        for (BlockCount& count : counts_) {
            if (count.hits == 0 && count.back == 0) continue;
            take(count);
            count.hits = 0;
            count.back = 0;
        }
    }

    // Of a block that has a counter: so many instructions of it, from some op on, are not executed.
    static void give_back(const Block& block, std::int64_t instructions) {
        reinterpret_cast<BlockCount*>(block.ops()->immediate)->back += instructions;
    }

private:
    using Key = std::tuple<std::uint64_t, std::uint64_t, std::uint32_t, std::uint32_t, unsigned>;

    std::deque<BlockCount> counts_;
    std::map<Key, BlockCount*> by_key_;
};

}  // namespace backplane::interp
