#include "runtime/machine.h"

#include "runtime/exit_codes.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <functional>
#include <utility>
#include <vector>

namespace backplane::runtime {

namespace {

// Long enough that leaving the engine costs nothing, short enough that a request for attention
// which the engine's unlocked counting overwrote is served within a fraction of a millisecond.
constexpr std::int64_t slice = 100'000;

constexpr int exit_after_signal = 128;

// Where the date of deterministic machines begins: 2025-01-01T00:00:00Z, later than what any kernel
// takes for a broken clock.
constexpr std::int64_t deterministic_date = 1'735'689'600;

std::int64_t date_for(ClockMode clock) {
    if (clock == ClockMode::Deterministic) return deterministic_date;
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

StateEvent event_of(VirtualCpu& cpu, const VirtualCpu::Breakpoint& hit) {
    const bool executes = hit.kind == BACKPLANE_BREAK_EXECUTE;
    return {.change = executes ? StateChange::Breakpoint : StateChange::Watchpoint,
            .cpu = &cpu,
            .kind = hit.kind,
            .address = hit.linear,
            .why = fmt::format("{}: {} at {:#x}", cpu.component().name(),
                               executes ? "breakpoint" : "watchpoint", hit.linear)};
}

}  // namespace

Machine::Machine(const MachineDescription& description)
    : name_{description.name}, date_at_start_{date_for(description.clock)},
      memory_{memory_space, memory_space_size, lock_, exclusive_, dirty_},
      io_ports_{io_space, io_space_size, lock_, exclusive_, dirty_} {
    memory_.observe(machine_events_, BACKPLANE_ACCESS_MEMORY);
    io_ports_.observe(machine_events_, BACKPLANE_ACCESS_PORT);
    if (description.clock == ClockMode::Realtime) {
        clock_.emplace(host_time_, [this] { io_.wake(); });
        return;
    }
    instruction_time_.emplace(description.frequency, [this] { return instructions_passed(); });
    // The slice under way was measured to the deadline that was the earliest until now.
    clock_.emplace(*instruction_time_, [this] {
        VirtualCpu* cpu = turn_;
        if (cpu == nullptr) return;
        turn_is_over_ = true;
        cpu->request_attention();
    });
}

Machine::~Machine() {
    stop_components();
    const MachineGuard guard{lock_};
    memory_.forget_listeners();
    io_ports_.forget_listeners();
    components_.clear();
}

void Machine::stop_components() {
    io_.stop();
    const MachineGuard guard{lock_};
    for (Component* component : std::exchange(running_, {}))
        component->stop();
}

void Machine::reset(backplane_reset_kind kind) {
    const MachineGuard guard{lock_};
    for (Component* component : reset_order_)
        component->reset(kind);
    for (const auto& cpu : cpus_)
        cpu->set_halted_for_good(false);
}

std::optional<std::chrono::steady_clock::time_point> Machine::run_timers() {
    if (host_time_.is_stopped()) return std::nullopt;
    clock_->run_due();
    const auto next = clock_->next_deadline();
    if (!next) return std::nullopt;
    return host_time_.host_instant(*next);
}

void Machine::interrupt_cpus() {
    for (const auto& cpu : cpus_)
        cpu->request_attention();
}

void Machine::wake_cpus() {
    interrupt_cpus();
    for (const auto& cpu : cpus_)
        cpu->wake();
}

RunControl::Hooks Machine::control_hooks() {
    return {.wake_cpus = [this] { wake_cpus(); },
            .stop_time = [this] { stop_time(); },
            .start_time = [this] { start_time(); },
            .reset = [this] { reset(BACKPLANE_RESET_MACHINE); },
            .forget_modes =
                [this] {
                    for (const auto& cpu : cpus_)
                        cpu->set_mode(VirtualCpu::Mode::Run);
                },
            .take_untold =
                [this] {
                    std::optional<StateEvent> event;
                    for (const auto& cpu : cpus_) {
                        if (event || cpu->mode() == VirtualCpu::Mode::Hold) continue;
                        if (const auto hit = cpu->take_untold()) event = event_of(*cpu, *hit);
                    }
                    return event;
                }};
}

// The time of a deterministic machine stands still by itself.
void Machine::stop_time() {
    const MachineGuard guard{lock_};
    host_time_.stop();
}

void Machine::start_time() {
    const MachineGuard guard{lock_};
    host_time_.start();
    if (!is_deterministic()) io_.wake();
}

// Gives whether the CPU has nothing to do until it is woken.
bool Machine::handle_exit(VirtualCpu& cpu, backplane_cpu_exit exit) {
    cpu.set_halted_for_good(exit == BACKPLANE_CPU_HALTED_FOR_GOOD);
    switch (exit) {
    case BACKPLANE_CPU_HALTED: return true;
    case BACKPLANE_CPU_HALTED_FOR_GOOD:
        // While another CPU runs, its NMI or INIT could still wake this one; so will a reset that
        // was asked for.
        if (!control_.wants_cpus() &&
            std::ranges::all_of(cpus_, [](const auto& each) { return each->is_halted_for_good(); }))
            request_power_off(
                static_cast<int>(ExitCode::Ok),
                fmt::format("{}: halted with interrupts off", cpu.component().name()));
        return true;
    case BACKPLANE_CPU_SHUTDOWN: shut_down(cpu); return true;
    case BACKPLANE_CPU_BUDGET:
    case BACKPLANE_CPU_ATTENTION: return false;
    case BACKPLANE_CPU_BREAKPOINT:
        if (const auto hit = cpu.hit_breakpoint()) stop_at(cpu, *hit);
        return false;
    }
    return false;
}

// When several CPUs hit at once one is told, and the others before they go on.
void Machine::stop_at(VirtualCpu& cpu, const VirtualCpu::Breakpoint& breakpoint) {
    if (!control_.stop(event_of(cpu, breakpoint))) cpu.keep_untold(breakpoint);
}

void Machine::shut_down(VirtualCpu& cpu) {
    const std::string what = fmt::format("{}: shutdown (triple fault)", cpu.component().name());
    if (control_.pauses_on_shutdown()) {
        control_.stop({.change = StateChange::Shutdown, .cpu = &cpu, .why = what});
        return;
    }
    request_power_off(static_cast<int>(ExitCode::GuestFailure),
                      fmt::format("{}\n{}", what, cpu.describe_state()));
}

backplane_cpu_exit Machine::run_slice(VirtualCpu& cpu, std::int64_t budget) {
    const bool steps = cpu.mode() == VirtualCpu::Mode::Step;
    const std::uint64_t before = cpu.instructions();
    exclusive_.enter();
    const backplane_cpu_exit exit = steps ? cpu.step(cpu.step_flags()) : cpu.run(budget);
    exclusive_.leave();
    const bool tells_more = exit == BACKPLANE_CPU_BREAKPOINT || exit == BACKPLANE_CPU_SHUTDOWN;
    const bool has_stepped = exit == BACKPLANE_CPU_BUDGET || cpu.instructions() != before;
    if (steps && !tells_more && has_stepped && !cpu.is_in_step_range())
        control_.stop({.change = StateChange::Stepped, .cpu = &cpu, .why = {}});
    return exit;
}

void Machine::run_realtime(VirtualCpu& cpu) {
    const auto may_go = [&cpu] { return cpu.mode() != VirtualCpu::Mode::Hold; };
    for (;;) {
        if ((control_.wants_cpus() || !may_go()) && !control_.park(may_go)) return;
        // The I/O loop may be late on a busy host, but no guest runs far beyond its own alarms.
        if (clock_->is_due()) {
            const MachineGuard guard{lock_};
            run_timers();
        }
        cpu.prepare_sleep();
        cpu.set_halted_for_good(false);
        const bool idle = handle_exit(cpu, run_slice(cpu, slice));
        if (idle && !control_.wants_cpus()) cpu.sleep();
    }
}

Ending Machine::run(const RunOptions& options) {
    if (cpus_.empty()) return {static_cast<int>(ExitCode::BadInput), "the machine has no CPU"};

    reset(BACKPLANE_RESET_POWER_ON);
    if (options.paused) stop_time();
    io_.on_termination([this](int signal) {
        request_power_off(exit_after_signal + signal, fmt::format("ended by signal {}", signal));
    });
    io_.start([this] { return is_deterministic() ? std::nullopt : run_timers(); });

    std::vector<std::function<void()>> threads;
    if (is_deterministic())
        threads.emplace_back([this] { run_deterministic(); });
    else
        for (const auto& cpu : cpus_)
            threads.emplace_back([this, &cpu] { run_realtime(*cpu); });
    const Ending ending = control_.run(options, std::move(threads));
    stop_components();
    return ending;
}

}  // namespace backplane::runtime
