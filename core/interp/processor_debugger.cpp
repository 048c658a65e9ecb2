// backplane.cpu/1 for debuggers: breakpoints and single steps.
#include "interp/processor.h"

#include <optional>
#include <utility>

namespace backplane::interp {

namespace {

using Kind = x86::DebuggerBreakpointKind;

constexpr std::pair<std::uint32_t, Kind> kinds[]{{BACKPLANE_BREAK_EXECUTE, Kind::Execute},
                                                 {BACKPLANE_BREAK_WRITE, Kind::Write},
                                                 {BACKPLANE_BREAK_READ, Kind::Read},
                                                 {BACKPLANE_BREAK_ACCESS, Kind::Access}};

std::optional<x86::DebuggerBreakpoint> from_abi(const backplane_breakpoint& breakpoint) {
    for (const auto& [number, kind] : kinds)
        if (number == breakpoint.kind)
            return x86::DebuggerBreakpoint{kind, breakpoint.linear, breakpoint.length};
    return std::nullopt;
}

}  // namespace

std::int32_t Processor::insert_breakpoint(const backplane_breakpoint* breakpoint) {
    const auto wanted = from_abi(*breakpoint);
    return wanted && engine_->insert_breakpoint(*wanted);
}

std::int32_t Processor::remove_breakpoint(const backplane_breakpoint* breakpoint) {
    const auto wanted = from_abi(*breakpoint);
    return wanted && engine_->remove_breakpoint(*wanted);
}

std::int32_t Processor::hit_breakpoint(backplane_breakpoint* breakpoint) {
    const auto& hit = engine_->hit_breakpoint();
    if (!hit) return 0;
    for (const auto& [number, kind] : kinds)
        if (kind == hit->kind) breakpoint->kind = number;
    breakpoint->linear = hit->linear;
    breakpoint->length = hit->length;
    return 1;
}

std::uint32_t Processor::step(std::uint32_t flags) {
    return exit_of(engine_->step((flags & BACKPLANE_STEP_NO_INTERRUPTS) ? Step::WithoutInterrupts
                                                                        : Step::WithInterrupts));
}

}  // namespace backplane::interp
