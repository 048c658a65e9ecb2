// Blocks of guest code by the samples that fell into them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <tuple>
#include <vector>

namespace backplane::cli {

struct HotBlock {
    std::uint64_t pc = 0, end = 0;  // the first instruction that was met, and behind the last one
    std::uint64_t address_space = 0;
    std::uint8_t privilege = 0;
    std::uint64_t samples = 0;
};

// Ends of blocks that were decoded already. Forgets all when there are many.
class BlockEnds {
public:
    // Of the block that the instruction at `pc` is in; `pc` where that cannot be told.
    std::uint64_t of(std::uint64_t address_space, std::uint64_t pc, unsigned code_size,
                     std::span<const std::byte> code);

private:
    std::map<std::tuple<std::uint64_t, std::uint64_t, unsigned>, std::uint64_t> known_;
};

class HotBlocks {
public:
    void add(const HotBlock& block);
    void add(const HotBlocks& others);
    // The hottest first.
    [[nodiscard]] std::vector<HotBlock> hottest(std::size_t most) const;

private:
    // All instructions of a block lead to the same end.
    std::map<std::tuple<std::uint64_t, std::uint8_t, std::uint64_t>, HotBlock> blocks_;
};

}  // namespace backplane::cli
