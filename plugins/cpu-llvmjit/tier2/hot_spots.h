// What samples tell of blocks: how much is executed in and around each of them.
#pragma once

#include "interp/block.h"
#include "tier2/speed.h"

#include <cstdint>
#include <unordered_map>

namespace backplane::jit::tier2 {

struct HotSpot {
    std::uint64_t instructions = 0;  // of the slices that ended in this block
    Speed speed;                     // of those that began in the same page
    bool is_settled = false;         // its loop is compiled, or will never be
};

class HotSpots {
public:
    HotSpot& operator[](const interp::Block& block) { return spots_[&block]; }
    void forget(const interp::Block& block) { spots_.erase(&block); }
    void clear() { spots_.clear(); }

private:
    std::unordered_map<const interp::Block*, HotSpot> spots_;
};

}  // namespace backplane::jit::tier2
