#include "tier2/exits.h"

#include "tier1/tier1_compiler.h"

namespace backplane::jit {

using interp::Block, interp::Counter;

namespace {

Tier1Compiler& compiler_of(interp::Core* cpu) {
    return static_cast<Tier1Compiler&>(*static_cast<interp::Interpreter*>(cpu)->compiler());
}

// The block may have been compiled by tier 1 too, and then its code goes on behind an op.
void enter_for_tier1(interp::Core* cpu, const x86::FastPages* pages) {
    cpu->compiled.page_ip = cpu->state.block_ip - (cpu->block->physical & x86::page_offset_mask);
    cpu->compiled.pages = pages;
}

}  // namespace

void backplane_tier2_go_to(interp::Core* cpu, const x86::Op* op, const x86::FastPages* pages,
                           std::uint64_t ip) {
    Block* next = interp::find_in_jump_cache(cpu, ip);
    if (!next) [[unlikely]] {
        cpu->state.rip = ip;
        BACKPLANE_TAIL interp::follow_rip(cpu, op, pages, 0);
    }
    if (!interp::enter(cpu, next, ip)) [[unlikely]]
        BACKPLANE_TAIL interp::leave_for_budget(cpu, op, pages, 0);
    BACKPLANE_TAIL interp::handler_of (*next->ops())(cpu, next->ops(), pages, 0);
}

void backplane_tier2_go_far(interp::Core* cpu, const x86::Op* op, const x86::FastPages* pages,
                            std::uint64_t ip) {
    Block* next = interp::find_in_jump_cache(cpu, ip);
    if (!next) [[unlikely]] {
        enter_for_tier1(cpu, pages);
        BACKPLANE_TAIL interp::handler_of (*op)(cpu, op, pages, 0);
    }
    const auto refund = static_cast<std::int64_t>(cpu->compiled.kept);
    cpu->budget.store(cpu->budget.load(std::memory_order_relaxed) + refund,
                      std::memory_order_relaxed);
    if (!interp::enter(cpu, next, ip)) [[unlikely]]
        BACKPLANE_TAIL interp::leave_for_budget(cpu, op, pages, 0);
    BACKPLANE_TAIL interp::handler_of (*next->ops())(cpu, next->ops(), pages, 0);
}

void backplane_tier2_leave_not_covered(interp::Core* cpu, const x86::Op* op,
                                       const x86::FastPages* pages, std::uint64_t) {
    enter_for_tier1(cpu, pages);
    compiler_of(cpu).own_counters().count(JitCounter::Deoptimizations);
    BACKPLANE_TAIL interp::handler_of (*op)(cpu, op, pages, 0);
}

void backplane_tier2_leave_failed(interp::Core* cpu, const x86::Op* op, const x86::FastPages* pages,
                                  std::uint64_t) {
    enter_for_tier1(cpu, pages);
    compiler_of(cpu).own_counters().count(JitCounter::Deoptimizations);
    compiler_of(cpu).own_counters().count(JitCounter::GuardFailures);
    BACKPLANE_TAIL interp::handler_of (*op)(cpu, op, pages, 0);
}

void backplane_tier2_out_of_budget(interp::Core* cpu, const x86::Op* op,
                                   const x86::FastPages* pages, std::uint64_t last) {
    cpu->count(Counter::LeftBudget);
    compiler_of(cpu).sampled(*cpu->block);
    BACKPLANE_TAIL interp::leave_for_budget(cpu, op, pages, last);
}

}  // namespace backplane::jit
