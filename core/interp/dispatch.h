// How handlers follow each other: the template that makes one of a semantic, and the ways out of a
// block.
#pragma once

#include "interp/interpreter_machine.h"
#include "x86/fault.h"

#define BACKPLANE_HANDLER __attribute__((preserve_none))
#define BACKPLANE_TAIL [[clang::musttail]] return

namespace backplane::interp {

// ---- Ways out; they return to the run loop, or find the next block themselves ----

// The block at state.block_ip does not fit the budget (or attention is wanted): entering it is
// undone.
[[gnu::cold]] BACKPLANE_HANDLER void leave_for_budget(Core* cpu, const Op* op,
                                                      const x86::FastPages* pages, std::uint64_t);
// The op ended with Fault, Again or Leave (state.rip is then the next instruction's).
[[gnu::cold]] BACKPLANE_HANDLER void leave_with_fault(Core* cpu, const Op* op,
                                                      const x86::FastPages* pages, std::uint64_t);
[[gnu::cold]] BACKPLANE_HANDLER void leave_again(Core* cpu, const Op* op,
                                                 const x86::FastPages* pages, std::uint64_t);
[[gnu::cold]] BACKPLANE_HANDLER void leave_after(Core* cpu, const Op* op,
                                                 const x86::FastPages* pages, std::uint64_t);
// Found instead of an op: the block changed, or something wants to happen, before this op is
// executed.
[[gnu::cold]] BACKPLANE_HANDLER void leave_before(Core* cpu, const Op* op,
                                                  const x86::FastPages* pages, std::uint64_t);
// A branch within a block, which only compiled code executes: from here on the interpreter has the
// block that begins with it.
[[gnu::cold]] BACKPLANE_HANDLER void
leave_to_interpreter(Core* cpu, const Op* op, const x86::FastPages* pages, std::uint64_t);
// Found as the first op of a block that is no longer valid.
[[gnu::cold]] BACKPLANE_HANDLER void enter_stale(Core* cpu, const Op* op,
                                                 const x86::FastPages* pages, std::uint64_t);

// state.rip is where a direct branch cannot go.
[[gnu::cold]] BACKPLANE_HANDLER void refuse_target(Core* cpu, const Op* op,
                                                   const x86::FastPages* pages, std::uint64_t);

// state.rip is where a direct branch goes that has no link yet: taken, or past it.
BACKPLANE_HANDLER void follow_taken(Core* cpu, const Op* op, const x86::FastPages* pages,
                                    std::uint64_t);
BACKPLANE_HANDLER void follow_next(Core* cpu, const Op* op, const x86::FastPages* pages,
                                   std::uint64_t);
// state.rip is any next instruction that is not in the jump cache.
BACKPLANE_HANDLER void follow_rip(Core* cpu, const Op* op, const x86::FastPages* pages,
                                  std::uint64_t);
// The op behind the last one of a block that does not end with a branch.
BACKPLANE_HANDLER void fall_through(Core* cpu, const Op* op, const x86::FastPages* pages,
                                    std::uint64_t);

// The first op of a block that is to be compiled once it is hot: counts down Op::immediate.
BACKPLANE_HANDLER void count_execution(Core* cpu, const Op* op, const x86::FastPages* pages,
                                       std::uint64_t last);

// The first op of a block while blocks are counted: its immediate is where its BlockCount is.
BACKPLANE_HANDLER void count_block(Core* cpu, const Op* op, const x86::FastPages* pages,
                                   std::uint64_t last);

// ---- Entering a block ----

// False: it does not fit; leave_for_budget comes next.
BACKPLANE_INLINE bool enter(Core* cpu, Block* block, std::uint64_t ip) {
    cpu->state.block_ip = ip;
    cpu->block = block;
    // Not an atomic subtraction: another thread's request may be lost, and is then seen at the end
    // of the slice.
    const std::int64_t budget = cpu->budget.load(std::memory_order_relaxed) - block->length;
    cpu->budget.store(budget, std::memory_order_relaxed);
    return budget >= 0;
}

BACKPLANE_INLINE Block* find_in_jump_cache(const Core* cpu, std::uint64_t ip) {
    const JumpCacheEntry& entry = cpu->jump_cache[jump_cache_index(ip)];
    return entry.tag == (ip ^ cpu->jump_key) ? entry.block : nullptr;
}

BACKPLANE_INLINE const BlockLinks& links_behind(const Op* op) {
    return *reinterpret_cast<const BlockLinks*>(op + 1);
}

// ---- The handlers ----

// An operand that says where a direct branch goes: such a branch can be linked to its target.
template <class Operand>
concept BranchTarget = requires { requires Operand::is_relative; };

template <class Machine, auto semantic, class... Operands>
BACKPLANE_HANDLER void execute(Core* cpu, const Op* op, const x86::FastPages* pages,
                               std::uint64_t last) {
    constexpr bool is_direct_branch = (BranchTarget<Operands> || ...);
    Machine machine{*cpu, *op, pages, last};
    const x86::Outcome outcome = semantic(machine, Operands{}...);
    const std::uint64_t left = machine.left();

    if (outcome == x86::Outcome::Next) [[likely]] {
        if constexpr (!is_direct_branch) BACKPLANE_TAIL handler_of(op[1])(cpu, op + 1, pages, left);
        const BlockLinks& links = links_behind(op);
        const std::uint64_t ip = cpu->state.block_ip + links.next_offset;
        Block* next = links.next;
        if (!next) [[unlikely]] {
            cpu->state.rip = ip;
            BACKPLANE_TAIL follow_next(cpu, op, pages, left);
        }
        if (!enter(cpu, next, ip)) [[unlikely]]
            BACKPLANE_TAIL leave_for_budget(cpu, op, pages, left);
        BACKPLANE_TAIL handler_of (*next->ops())(cpu, next->ops(), pages, left);
    }
    if (outcome == x86::Outcome::Jump) {
        const std::uint64_t ip = machine.target();
        Block* next = is_direct_branch ? links_behind(op).taken : find_in_jump_cache(cpu, ip);
        if (!next) [[unlikely]] {
            cpu->state.rip = ip;
            if constexpr (is_direct_branch) BACKPLANE_TAIL follow_taken(cpu, op, pages, left);
            BACKPLANE_TAIL follow_rip(cpu, op, pages, left);
        }
        if (!enter(cpu, next, ip)) [[unlikely]]
            BACKPLANE_TAIL leave_for_budget(cpu, op, pages, left);
        BACKPLANE_TAIL handler_of (*next->ops())(cpu, next->ops(), pages, left);
    }
    if (outcome == x86::Outcome::Leave) {
        cpu->state.rip = machine.jumped() ? machine.target() : machine.next_ip();
        BACKPLANE_TAIL leave_after(cpu, op, pages, left);
    }
    if (outcome == x86::Outcome::Again) BACKPLANE_TAIL leave_again(cpu, op, pages, left);
    BACKPLANE_TAIL leave_with_fault(cpu, op, pages, left);
}

}  // namespace backplane::interp
