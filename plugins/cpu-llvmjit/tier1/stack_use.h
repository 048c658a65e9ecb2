// What a block has of the stack: places at known distances from where RSP is at its beginning, or
// after it was set to something else. They are mostly in one page, so that a group of them is
// checked as a whole by the first one, and the others need no check of their own.
//
// Where a group is in two pages, or its page is not in the first-level TLB, the interpreter
// executes the instruction.
#pragma once

#include "x86/instruction.h"

#include <array>
#include <cstdint>
#include <span>

namespace backplane::jit {

enum class Access : std::uint8_t { Read, Write };

// Times that what a block has of the stack was in two pages.
class StackSplits {
public:
    // Now once more, after so many instructions of the processor: whether it costs more than the
    // checks would.
    bool is_often(std::uint64_t instructions) {
        constexpr std::uint32_t some = 16, few_instructions = 10'000;
        if (++since_ < some) return false;
        const bool is_soon = instructions - began_ < some * few_instructions;
        since_ = 0;
        began_ = instructions;
        return is_soon;
    }

private:
    std::uint32_t since_ = 0;
    std::uint64_t began_ = 0;
};

class StackUse {
public:
    struct Group {
        std::uint8_t number;      // from 1 on
        Access access;            // of the first one; one that reads is all reads
        std::uint8_t last;        // instruction
        std::int32_t start, end;  // bytes
    };

    // Of 64-bit code.
    static StackUse of(std::span<const x86::Instruction> instructions);

    // By RSP and a displacement alone.
    static bool is_on_stack(const ZydisDecodedOperand& operand);

    // That accesses of the instruction may be in; null: none.
    const Group* group_at(unsigned instruction) const { return group(group_of_[instruction]); }
    const Group* group(unsigned number) const {
        return number == 0 ? nullptr : &groups_[number - 1];
    }
    // What RSP is in front of an instruction, as groups count it.
    std::int32_t pointer_at(unsigned instruction) const { return pointers_[instruction]; }

private:
    static constexpr std::size_t most = 64;  // instructions

    std::array<std::uint8_t, most + 1> group_of_{};
    std::array<std::int32_t, most + 1> pointers_{};
    std::array<Group, most> groups_;
};

}  // namespace backplane::jit
