#include "interp/block_counts.h"

namespace backplane::interp {

BlockCount& BlockCounts::of(const BlockCount& block) {
    const unsigned kind = block.privilege << 8 | block.code_size;
    BlockCount*& place = by_key_[{block.physical, block.linear, block.length, block.bytes, kind}];
    if (!place) place = &counts_.emplace_back(block);
    return *place;
}

}  // namespace backplane::interp
