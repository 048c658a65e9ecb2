// A deterministic machine: all CPUs in turn on one thread.
//
// Machine time is counted in instructions and passes in rounds. In each round every CPU executes
// what it can in the time of the round, as if all did so at once; so time does not pass faster the
// more CPUs there are. A round is cut short by the next timer, which therefore expires at exactly
// its instruction. What a CPU does to another, the other sees in its next turn.
#include "runtime/exit_codes.h"
#include "runtime/machine.h"

#include <algorithm>
#include <mutex>
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

std::uint64_t Machine::end_of_round() {
    const MachineGuard guard{lock_};
    const std::uint64_t longest = std::min(
        round_start_ + (cpus_.size() == 1 ? round_alone : round_together), stop_at_);
    const auto deadline = clock_->next_deadline();
    if (!deadline) return longest;
    return std::clamp(instruction_time_->instructions_at(*deadline), round_start_ + 1, longest);
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
        const std::uint64_t end = end_of_round();
        bool idle = false;
        turn_ = cpu.get();
        if (const std::uint64_t position = cpu->position(); position < end)
            idle = handle_exit(*cpu, run_slice(*cpu, static_cast<std::int64_t>(end - position)));
        turn_ = nullptr;
        furthest = std::max(furthest, cpu->position());
        if (!idle) slowest_busy = std::min(slowest_busy, cpu->position());
    }
    const bool all_idle = slowest_busy == ~std::uint64_t{0};
    round_start_ = std::max(round_start_, all_idle ? furthest : slowest_busy);
    for (const auto& cpu : cpus_)
        cpu->idle_until(round_start_);
    if (!all_idle || pausing_) return;

    const MachineGuard guard{lock_};
    if (const auto deadline = clock_->next_deadline())
        instruction_time_->skip_to(*deadline);
    else
        request_power_off(static_cast<int>(ExitCode::Ok),
                          "every CPU is halted and no timer is set");
}

void Machine::run_deterministic() {
    for (;;) {
        if (pausing_ && !park()) return;
        run_round();
    }
}

std::optional<Ending> Machine::advance(std::uint64_t position) {
    if (!std::exchange(powered_on_, true)) {
        reset(BACKPLANE_RESET_POWER_ON);
        io_.start([] { return std::nullopt; });
    }
    stop_at_ = position;
    for (;;) {
        if (pausing_) {
            std::unique_lock guard{control_};
            if (ending_) return ending_;
            pausing_ = false;
            const bool resets = std::exchange(reset_request_, std::nullopt).has_value();
            guard.unlock();
            if (resets) reset(BACKPLANE_RESET_MACHINE);
        }
        if (round_start_ >= position) return std::nullopt;
        run_round();
    }
}

}  // namespace backplane::runtime
