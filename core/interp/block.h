// A predecoded run of instructions within one guest page, ready to execute.
#pragma once

#include "x86/op.h"
#include "x86/tlb.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace backplane::interp {

using x86::Op;

struct Core;
struct Block;

// Every handler, and everything it tail-calls. None of the registers a handler uses is saved by
// anybody. `last` is the general register that an op before has left in a host register, where the
// block builder knows which (variants.h).
typedef __attribute__((preserve_none)) void (*HandlerFunction)(Core* cpu, const Op* op,
                                                               const x86::FastPages* pages,
                                                               std::uint64_t last);

inline HandlerFunction handler_of(const Op& op) {
    return reinterpret_cast<HandlerFunction>(const_cast<void*>(op.handler));
}

// Stands behind the last op of a block: where control goes next within the same page, once that is
// known. It is an op itself, so that an instruction that does not branch simply falls into it.
struct alignas(32) BlockLinks {
    const void* handler = nullptr;
    Block* taken = nullptr;           // of the direct branch that ends the block
    Block* next = nullptr;            // the instruction behind the block
    std::uint32_t next_offset = 0;    // of that instruction, from the block's first byte
    std::uint32_t branch_offset = 0;  // of the last instruction, likewise
};
static_assert(sizeof(BlockLinks) == sizeof(Op));

// A link that leads to a block, kept so that it can be cut.
struct IncomingLink {
    Block** place;
    IncomingLink* next;
};

constexpr std::size_t block_max_instructions = 64;

struct alignas(64) Block {
    std::uint64_t physical = 0;  // of the first byte
    // physical page of the bytes behind the first page, when crosses_page
    std::uint64_t second_page = 0;
    Block* next_dropped = nullptr;
    // Further blocks with bytes in a page, and what leads to this one.
    struct InPage {
        Block* next = nullptr;
        Block** place = nullptr;
    };
    InPage in_first_page, in_second_page;
    IncomingLink* incoming = nullptr;
    // by op: instructions of this block that come before it. Where the block cannot be left before
    // an op, as flags are missing there, it is the number of the op in front
    std::uint8_t* retired_before = nullptr;
    std::uint16_t bytes = 0;
    std::uint16_t op_count = 0;  // without the links
    std::uint16_t instruction_count = 0;
    // Where CS ends, from the start of this page, when that is near: no instruction reaches beyond.
    // 0: far away.
    std::uint16_t segment_end = 0;
    std::uint8_t mode = 0;
    bool crosses_page = false;
    bool valid = true;
    bool hashed = false;  // found again by its address; code in devices is not
    // its last instruction is INT n, INT1, INT3, INTO or SYSCALL
    bool is_software_interrupt = false;
    bool has_counter = false;  // its first op is one of block_counts.h
    bool is_awaited = false;   // executed often enough; the compiler takes several at once
    // What entering costs of the budget; 0 once invalid. Beside the first op, so that one cache
    // line has both.
    alignas(32) std::int64_t length = 0;
    // Of a compiler: what it keeps of the block if it has compiled it, and where compiled code that
    // has found the block in the jump cache goes, in any case.
    void* compiled = nullptr;
    const void* entry = nullptr;

    bool is_compiled() const { return compiled != nullptr; }

    Op* ops() { return reinterpret_cast<Op*>(this + 1); }
    const Op* ops() const { return reinterpret_cast<const Op*>(this + 1); }
    BlockLinks& links() { return *reinterpret_cast<BlockLinks*>(ops() + op_count); }
    const BlockLinks& links() const {
        return *reinterpret_cast<const BlockLinks*>(ops() + op_count);
    }
    std::size_t index_of(const Op* op) const { return static_cast<std::size_t>(op - ops()); }
};
static_assert(sizeof(Block) == 128);

}  // namespace backplane::interp
