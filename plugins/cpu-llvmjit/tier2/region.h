// Blocks of one page of 64-bit code that are compiled together: what the compiler is given, all of
// it by value, as it works in another thread.
#pragma once

#include "interp/block.h"
#include "interp/core.h"
#include "x86/op.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace backplane::jit::tier2 {

// What executes an instruction, or the part in front that forms its address. The op counts from the
// start of the page.
struct RegionOp {
    std::string_view form;  // empty: none
    x86::Op op;
};

struct RegionInstruction {
    enum class Kind : std::uint8_t {
        Plain,
        Relative,  // a branch whose target is known; it may be conditional
        Indirect,  // any other, which may be a return
        NotCovered,
    };
    Kind kind = Kind::NotCovered;
    bool changes_registers = false;  // a relative branch: other registers than RIP
    std::uint16_t first_op = 0;      // of the block's, where the interpreter executes it
    std::int64_t taken = 0;          // from the start of the page: the target of a relative branch
    RegionOp address, main;
};

struct RegionNode {
    interp::Block* block = nullptr;  // not looked into
    const x86::Op* ops = nullptr;    // nor these
    std::uint32_t length = 0;        // Block::length: also of what is not covered
    std::uint32_t offset = 0;        // in the page
    std::uint32_t next = 0;          // of the instruction behind it
    std::vector<RegionInstruction> instructions;
};

struct Region {
    interp::View view = interp::View::Supervisor;
    std::uint64_t linear = 0;       // where it was entered when it was chosen
    std::vector<RegionNode> nodes;  // the first is where it is entered

    const RegionNode* node_at(std::int64_t offset) const {
        for (const RegionNode& node : nodes)
            if (node.offset == offset) return &node;
        return nullptr;
    }
    std::size_t instruction_count() const {
        std::size_t count = 0;
        for (const RegionNode& node : nodes)
            count += node.instructions.size();
        return count;
    }
};

}  // namespace backplane::jit::tier2
