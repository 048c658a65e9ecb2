// A deterministic machine: all CPUs in turn on one thread.
//
// Machine time is counted in instructions and passes in rounds. In each round every CPU executes
// what it can in the time of the round, as if all did so at once; so time does not pass faster the
// more CPUs there are. A round is cut short by the next timer, which therefore expires at exactly
// its instruction. What a CPU does to another, the other sees in its next turn.
#include "runtime/exit_codes.h"
#include "runtime/machine.h"

#include <algorithm>
#include <utility>

namespace backplane::runtime {

namespace {

// One CPU has nobody to wait for. With more, this is how late an interrupt from another CPU may be,
// and how long it may spin for an answer.
constexpr std::uint64_t round_alone = 100'000, round_together = 10'000;

}  // namespace

// What the clock follows: the time of the CPU whose turn it is, but never back to before what a CPU
// that had its turn earlier in the round was told.
std::uint64_t Machine::instructions_passed() {
    const VirtualCpu* cpu = turn_;
    latest_ = std::max(latest_, cpu != nullptr ? cpu->position() : round_start_);
    return latest_;
}

std::uint64_t Machine::peek_time() {
    if (!is_deterministic()) return clock_->now();
    const std::uint64_t latest = latest_;
    const std::uint64_t time = clock_->now();
    latest_ = latest;
    return time;
}

std::uint64_t Machine::end_of_round() {
    const MachineGuard guard{lock_};
    const std::uint64_t longest = std::min(
        round_start_ + (cpus_.size() == 1 ? round_alone : round_together), stop_at_);
    const auto deadline = clock_->next_deadline();
    if (!deadline) return longest;
    return std::clamp(instruction_time_->instructions_at(*deadline), round_start_ + 1, longest);
}

// One CPU executes until its position is `end`, or it has nothing to do, or a timer that was just
// set expires sooner. It may be interrupted for the controller and goes on behind, so that pausing
// changes nothing of the order in which everything happens. Gives whether it has nothing to do.
bool Machine::take_turn(VirtualCpu& cpu, std::uint64_t end) {
    turn_is_over_ = false;
    turn_ = &cpu;
    bool idle = false;
    for (;;) {
        if (control_.wants_cpus()) {
            if (!stand_aside()) break;
            idle = false;  // the controller may have changed anything
        }
        if (cpu.mode() == VirtualCpu::Mode::Hold) idle = true;
        if (idle || turn_is_over_ || cpu.position() >= end) break;
        idle = handle_exit(cpu, run_slice(cpu, static_cast<std::int64_t>(end - cpu.position())));
    }
    turn_ = nullptr;
    return idle;
}

// Gives false when the run is over.
bool Machine::stand_aside() {
    if (!control_.wants_cpus()) return true;
    has_ended_ = advances_ ? control_.carry_out().has_value() : !control_.park();
    return !has_ended_;
}

void Machine::run_round() {
    {
        const MachineGuard guard{lock_};
        clock_->run_due();
    }
    // How far everybody is when the round is over. A CPU that left early goes on in the next one;
    // those that are idle keep up with the others.
    std::uint64_t slowest_busy = ~std::uint64_t{0}, furthest = round_start_;
    for (const auto& cpu : cpus_) {
        const bool idle = take_turn(*cpu, end_of_round());
        if (has_ended_) return;
        furthest = std::max(furthest, cpu->position());
        if (!idle) slowest_busy = std::min(slowest_busy, cpu->position());
    }
    const bool all_idle = slowest_busy == ~std::uint64_t{0};
    round_start_ = std::max(round_start_, all_idle ? furthest : slowest_busy);
    for (const auto& cpu : cpus_)
        cpu->idle_until(round_start_);
    if (!all_idle || control_.wants_cpus()) return;
    // Somebody could act if a debugger let it.
    const bool all_run = std::ranges::none_of(
        cpus_, [](const auto& cpu) { return cpu->mode() == VirtualCpu::Mode::Hold; });

    const MachineGuard guard{lock_};
    if (const auto deadline = clock_->next_deadline())
        instruction_time_->skip_to(*deadline);
    else if (all_run)
        request_power_off(static_cast<int>(ExitCode::Ok),
                          "every CPU is halted and no timer is set");
}

void Machine::run_deterministic() {
    while (stand_aside())
        run_round();
}

std::optional<Ending> Machine::advance(std::uint64_t position) {
    if (!std::exchange(powered_on_, true)) {
        advances_ = true;
        reset(BACKPLANE_RESET_POWER_ON);
        io_.start([] { return std::nullopt; });
    }
    stop_at_ = position;
    while (stand_aside() && round_start_ < position)
        run_round();
    return control_.carry_out();
}

}  // namespace backplane::runtime
