// What a tier above the interpreter is to it: it is given hot blocks, and told when they are gone.
//
// A compiled block stays a block: its first op enters the code that was made of it. From anywhere
// in there control can come back to any op of the block, with every register in CpuState, and goes
// on from there as if the interpreter had executed all that was before. So whatever the code does
// not do itself, it leaves to the interpreter: accesses that are no plain hits, instructions that
// are not compiled, the end of the budget, exceptions.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace backplane::x86 {
struct Instruction;
}

namespace backplane::interp {

struct Block;
class BlockCache;
class Interpreter;

// A thread of the host's that was interrupted.
struct HostRegisters {
    std::uint64_t pc = 0;
    std::array<std::uint64_t, 16> general{};  // as instructions number them
};

// What such a thread executes, if it is compiled code.
struct CompiledPlace {
    unsigned tier = 1;
    const Block* block = nullptr;  // null: that cannot be told
    std::uint32_t offset = 0;      // of the instruction, from the block's first byte
    // The guest's RSP and RBP, where they are not in CpuState.
    std::optional<std::uint64_t> stack_pointer, frame_pointer;
};

// A block that was executed as often as the threshold says, and where it was.
struct HotBlock {
    Block* block;
    std::uint64_t ip, linear;
};

class Compiler {
public:
    virtual ~Compiler() = default;

    // Before anything else, once.
    virtual void attach(Interpreter& cpu) = 0;
    // [vcpu] Either the handler of the block's first op is another one afterwards, or this is not
    // asked again. Its instructions, up to one that cannot be decoded, where they are at hand; or
    // none.
    virtual void compile(const HotBlock& hot, std::span<const x86::Instruction> instructions) = 0;
    // [vcpu] The block is made: its entries lead to the interpreter for now.
    virtual void created(Block& block) = 0;
    // [vcpu] The block is not valid any more; nothing may enter it. It may be the one being
    // executed.
    virtual void dropped(Block& block) = 0;
    // [vcpu] All blocks are gone, and `dropped` was not told of each.
    virtual void release() = 0;
    // [vcpu] Keys of links begin anew: what was linked to other pages is to be found again.
    virtual void forget_links() = 0;
    // [vcpu, safe point] Drops blocks that are to be compiled anew, if
    // Core::Compiled::wants_remake.
    virtual void remake(BlockCache&) {}
    // A block that it would compile finds no room. It is offered again after `release`, or this:
    virtual bool is_full() const = 0;
    // [vcpu, between slices] Where the thread was within the last slice. Nothing: in no code of
    // this compiler's.
    virtual std::optional<CompiledPlace> place_of(const HostRegisters&) { return std::nullopt; }
    // [vcpu, in a signal that has interrupted it there] What compiled code has in registers of the
    // budget goes back to Core.
    virtual void return_budget(HostRegisters&) {}
    // [vcpu, safe point] Drops blocks, so that there is room. False: only `release` helps.
    virtual bool make_room(BlockCache&) { return false; }
};

}  // namespace backplane::interp
