#include "cli/top_hot_blocks.h"

#include "profile/block_end.h"

#include <algorithm>

namespace backplane::cli {

namespace {

constexpr std::size_t most_known = 65'536;

}  // namespace

std::uint64_t BlockEnds::of(std::uint64_t address_space, std::uint64_t pc, unsigned code_size,
                            std::span<const std::byte> code) {
    if (known_.size() >= most_known) known_.clear();
    const auto [known, is_new] = known_.try_emplace({address_space, pc, code_size}, pc);
    if (is_new) known->second = profile::block_end(code, pc, code_size).value_or(pc);
    return known->second;
}

void HotBlocks::add(const HotBlock& block) {
    const auto [known, is_new] = blocks_.try_emplace(
        {block.address_space, block.privilege, block.end}, block);
    if (is_new) return;
    known->second.pc = std::min(known->second.pc, block.pc);
    known->second.samples += block.samples;
}

void HotBlocks::add(const HotBlocks& others) {
    for (const auto& [key, block] : others.blocks_)
        add(block);
}

std::vector<HotBlock> HotBlocks::hottest(std::size_t most) const {
    std::vector<HotBlock> all;
    for (const auto& [key, block] : blocks_)
        all.push_back(block);
    std::ranges::sort(all, [](const HotBlock& a, const HotBlock& b) {
        return std::tie(b.samples, a.pc, a.address_space) <
               std::tie(a.samples, b.pc, b.address_space);
    });
    if (all.size() > most) all.resize(most);
    return all;
}

}  // namespace backplane::cli
