// Breakpoints of a debugger outside the machine, and its single steps.
#include "interp/interpreter.h"

namespace backplane::interp {

using x86::DebuggerBreakpoint;
using x86::DebuggerBreakpointKind;

// Like the pages of DR0 to DR3: code in the page of a breakpoint is executed one instruction at a
// time, so that nothing elsewhere has to look; data in the page of a watchpoint is not reached
// through the first-level TLBs.
void Interpreter::breakpoints_changed(DebuggerBreakpointKind kind) {
    begin_generations();
    if (kind != DebuggerBreakpointKind::Execute) {
        for (x86::FastTlb& level : tlb)
            level.flush();
        forget_recent();
    }
    mode_changed();
}

bool Interpreter::insert_breakpoint(const DebuggerBreakpoint& wanted) {
    if (!debugger_.insert(wanted)) return false;
    breakpoints_changed(wanted.kind);
    return true;
}

bool Interpreter::remove_breakpoint(const DebuggerBreakpoint& wanted) {
    if (!debugger_.remove(wanted)) return false;
    breakpoints_changed(wanted.kind);
    return true;
}

// RF is set where a repeated instruction goes on that had begun: its breakpoint has hit already
// (SDM 3B 17.3.1.1). One to which the handler of its own fault returns is met again, as IRET gives
// RF back only to guests that have breakpoints themselves.
bool Interpreter::meets_breakpoint() {
    const std::uint64_t linear = linear_of(state.rip);
    const DebuggerBreakpoint* found = debugger_.on_instruction(linear);
    if (found == nullptr || stepping_ != Step::None || (state.rflags & x86::rflags::rf))
        return false;
    const std::pair here{linear, kept_.retired};
    if (met_ == here) return false;
    met_ = here;
    hit_ = *found;
    return true;
}

void Interpreter::debugger_trap(const Op* op, const DebuggerBreakpoint* found) {
    if (found == nullptr || hit_) return;
    hit_ = *found;
    if (slice_ != 0) budget.fetch_sub(attention_weight);
    leave_after_access(op);
}

RunResult Interpreter::step(Step how) {
    stepping_ = how;
    const RunResult result = run(1);
    stepping_ = Step::None;
    return result;
}

}  // namespace backplane::interp
