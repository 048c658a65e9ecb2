#include "tier2/region_builder.h"

#include "interp/block_builder.h"
#include "x86/instruction_set.h"
#include "x86/paging.h"

#include <algorithm>
#include <utility>

namespace backplane::jit::tier2 {

using interp::Block;
namespace block_mode = interp::block_mode;
using Kind = RegionInstruction::Kind;

namespace {

interp::View view_of(const Block& block) {
    return static_cast<interp::View>((block.mode & block_mode::view) >> block_mode::view_shift);
}

// Where control may go from a node, as offsets in the page.
void for_each_way(const RegionNode& node, auto&& go) {
    bool goes_on = true;
    for (const RegionInstruction& instruction : node.instructions) {
        goes_on = instruction.kind != Kind::Indirect && instruction.kind != Kind::NotCovered;
        if (instruction.kind == Kind::Relative) go(instruction.taken);
    }
    if (goes_on) go(static_cast<std::int64_t>(node.next));
}

bool is_covered(const RegionNode& node) {
    return std::ranges::none_of(node.instructions, [](const auto& instruction) {
        return instruction.kind == Kind::NotCovered;
    });
}

bool is_loop(ZydisMnemonic mnemonic) {
    return mnemonic == ZYDIS_MNEMONIC_LOOP || mnemonic == ZYDIS_MNEMONIC_LOOPE ||
           mnemonic == ZYDIS_MNEMONIC_LOOPNE;
}

// Leaves out what does not lead back to the entry.
void keep_loops(Region& region) {
    std::vector<bool> leads_back(region.nodes.size());
    leads_back[0] = true;
    for (bool changed = true; changed;) {
        changed = false;
        for (std::size_t i = 1; i < region.nodes.size(); ++i) {
            if (leads_back[i]) continue;
            for_each_way(region.nodes[i], [&](std::int64_t to) {
                const RegionNode* node = region.node_at(to);
                if (!node || leads_back[i]) return;
                leads_back[i] = leads_back[static_cast<std::size_t>(node - region.nodes.data())];
            });
            changed |= leads_back[i];
        }
    }
    std::vector<RegionNode> kept;
    for (std::size_t i = 0; i < region.nodes.size(); ++i)
        if (leads_back[i]) kept.push_back(std::move(region.nodes[i]));
    region.nodes = std::move(kept);
}

bool has_loop(const Region& region) {
    bool found = false;
    for (const RegionNode& node : region.nodes)
        for_each_way(node, [&](std::int64_t to) { found |= to == region.nodes[0].offset; });
    return found;
}

}  // namespace

RegionBuilder::RegionBuilder(const x86::CpuModel& model, const x86::Decoder& decoder)
    : model_{model}, decoder_{decoder} {}

bool RegionBuilder::can_contain(const Block& block) {
    constexpr std::uint8_t never = block_mode::single | block_mode::unfused |
                                   block_mode::interpreted;
    const auto size = static_cast<x86::CodeSize>(block.mode & block_mode::code_size);
    return !(block.mode & never) && size == x86::CodeSize::Bits64 && block.valid &&
           !block.crosses_page && block.hashed && block.segment_end == 0;
}

std::optional<Region> RegionBuilder::build(interp::Interpreter& cpu, Block& entry,
                                           const RegionLimits& limits, const IsHot& is_hot) const {
    const std::uint64_t page = entry.physical & ~x86::page_offset_mask;
    const std::byte* bytes = cpu.code_bytes(page);
    if (!can_contain(entry) || !bytes) return std::nullopt;
    const std::span<const std::byte> code{bytes, x86::page_size};

    Region region;
    region.view = view_of(entry);
    region.nodes.push_back(decode(entry, code));
    if (region.nodes[0].instructions.front().kind == Kind::NotCovered) return std::nullopt;
    if (limits.loops_only && !is_covered(region.nodes[0])) return std::nullopt;
    std::size_t instructions = region.nodes[0].instructions.size();
    const auto add = [&](std::int64_t to) {
        if (to < 0 || to >= static_cast<std::int64_t>(x86::page_size)) return;
        if (region.node_at(to) || region.nodes.size() == limits.nodes) return;
        for (Block* block : cpu.blocks_at(page + static_cast<std::uint64_t>(to))) {
            const bool starts_here = block->physical == page + static_cast<std::uint64_t>(to);
            if (!starts_here || block->mode != entry.mode || !can_contain(*block)) continue;
            if (!is_hot(*block) || instructions + block->instruction_count > limits.instructions)
                continue;
            RegionNode node = decode(*block, code);
            if (limits.loops_only && !is_covered(node)) return;
            instructions += node.instructions.size();
            region.nodes.push_back(std::move(node));
            return;
        }
    };
    for (std::size_t i = 0; i < region.nodes.size(); ++i) {
        std::vector<std::int64_t> ways;
        for_each_way(region.nodes[i], [&](std::int64_t to) { ways.push_back(to); });
        for (const std::int64_t to : ways)
            add(to);
    }
    if (!limits.loops_only) return region;
    keep_loops(region);
    if (!has_loop(region)) return std::nullopt;
    return region;
}

RegionNode RegionBuilder::decode(const Block& block, std::span<const std::byte> code) const {
    RegionNode node{.block = const_cast<Block*>(&block),
                    .ops = block.ops(),
                    .length = block.instruction_count,
                    .offset = static_cast<std::uint32_t>(block.physical & x86::page_offset_mask),
                    .next = 0,
                    .instructions = {}};
    std::size_t offset = node.offset;
    std::uint16_t op = 1;  // the counter is in front of all
    for (unsigned i = 0; i < block.instruction_count; ++i) {
        x86::Instruction instruction;
        const auto status = decoder_.decode(code.subspan(offset), x86::CodeSize::Bits64, offset,
                                            instruction);
        const bool known = status == x86::DecodeStatus::Complete &&
                           x86::has_instruction(model_, instruction);
        while (op < block.op_count && block.retired_before[op] < i)
            ++op;
        instruction.block_ip = 0;
        RegionInstruction& bound = node.instructions.emplace_back(known ? bind(instruction)
                                                                        : RegionInstruction{});
        bound.first_op = op;
        // Then it ends the block, or nothing is known of what is behind it.
        if (!known) break;
        offset += instruction.decoded.length;
        if (bound.kind == Kind::NotCovered) break;
    }
    node.next = static_cast<std::uint32_t>(offset);
    return node;
}

RegionInstruction RegionBuilder::bind(const x86::Instruction& instruction) const {
    RegionInstruction bound;
    bound.address.form = CoveredForms::bind_address(instruction, bound.address.op);
    bound.main.form = forms_.bind(instruction, bound.main.op);
    if (bound.main.form.empty()) return bound;
    if (!x86::ends_block(instruction)) {
        bound.kind = Kind::Plain;
    } else if (const auto target = x86::branch_target(instruction)) {
        if (instruction.mnemonic() == ZYDIS_MNEMONIC_CALL) {
            bound.kind = Kind::Indirect;
        } else {
            bound.kind = Kind::Relative;
            bound.taken = static_cast<std::int64_t>(*target);
            bound.changes_registers = is_loop(instruction.mnemonic());
        }
    } else {
        bound.kind = Kind::Indirect;
    }
    return bound;
}

}  // namespace backplane::jit::tier2
