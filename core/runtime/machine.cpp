#include "runtime/machine.h"

#include "runtime/exit_codes.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <utility>

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

}  // namespace

Machine::Machine(const MachineDescription& description)
    : name_{description.name}, date_at_start_{date_for(description.clock)},
      memory_{memory_space, memory_space_size, lock_, exclusive_, dirty_},
      io_ports_{io_space, io_space_size, lock_, exclusive_, dirty_} {
    if (description.clock == ClockMode::Realtime) {
        clock_.emplace(host_time_, [this] { io_.wake(); });
        return;
    }
    instruction_time_.emplace(description.frequency, [this] { return instructions_passed(); });
    // The slice under way was measured to the deadline that was the earliest until now.
    clock_.emplace(*instruction_time_, [this] {
        if (VirtualCpu* cpu = turn_) cpu->request_attention();
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

// Tells the controller and stops the CPUs at their next boundary.
void Machine::ask(std::unique_lock<std::mutex> guard) {
    pausing_ = true;
    guard.unlock();
    wake_cpus();
    control_changed_.notify_all();
}

void Machine::request_reset(std::string why) {
    std::unique_lock guard{control_};
    if (!reset_request_) reset_request_ = std::move(why);
    ask(std::move(guard));
}

void Machine::request_power_off(int exit_code, std::string why) {
    std::unique_lock guard{control_};
    if (!ending_) ending_ = Ending{exit_code, std::move(why)};
    ask(std::move(guard));
}

bool Machine::park() {
    std::unique_lock guard{control_};
    ++parked_;
    control_changed_.notify_all();
    control_changed_.wait(guard, [this] { return finished_ || !pausing_; });
    --parked_;
    return !finished_;
}

// Gives whether the CPU has nothing to do until it is woken.
bool Machine::handle_exit(VirtualCpu& cpu, backplane_cpu_exit exit) {
    cpu.set_halted_for_good(exit == BACKPLANE_CPU_HALTED_FOR_GOOD);
    switch (exit) {
    case BACKPLANE_CPU_HALTED: return true;
    case BACKPLANE_CPU_HALTED_FOR_GOOD:
        // While another CPU runs, its NMI or INIT could still wake this one; so will a reset that
        // was asked for.
        if (!pausing_ &&
            std::ranges::all_of(cpus_, [](const auto& each) { return each->is_halted_for_good(); }))
            request_power_off(
                static_cast<int>(ExitCode::Ok),
                fmt::format("{}: halted with interrupts off", cpu.component().name()));
        return true;
    case BACKPLANE_CPU_SHUTDOWN:
        request_power_off(static_cast<int>(ExitCode::GuestFailure),
                          fmt::format("{}: shutdown (triple fault)\n{}", cpu.component().name(),
                                      cpu.describe_state()));
        return true;
    case BACKPLANE_CPU_BUDGET:
    case BACKPLANE_CPU_ATTENTION:
    case BACKPLANE_CPU_BREAKPOINT: return false;
    }
    return false;
}

backplane_cpu_exit Machine::run_slice(VirtualCpu& cpu, std::int64_t budget) {
    exclusive_.enter();
    const backplane_cpu_exit exit = cpu.run(budget);
    exclusive_.leave();
    return exit;
}

void Machine::run_realtime(VirtualCpu& cpu) {
    for (;;) {
        if (pausing_ && !park()) return;
        cpu.prepare_sleep();
        cpu.set_halted_for_good(false);
        const bool idle = handle_exit(cpu, run_slice(cpu, slice));
        if (idle && !pausing_) cpu.sleep();
    }
}

Ending Machine::run(const RunOptions& options) {
    if (cpus_.empty()) return {static_cast<int>(ExitCode::BadInput), "the machine has no CPU"};

    reset(BACKPLANE_RESET_POWER_ON);
    io_.on_termination([this](int signal) {
        request_power_off(exit_after_signal + signal, fmt::format("ended by signal {}", signal));
    });
    io_.start([this] { return is_deterministic() ? std::nullopt : run_timers(); });

    std::vector<std::thread> threads;
    if (is_deterministic())
        threads.emplace_back([this] { run_deterministic(); });
    else
        for (const auto& cpu : cpus_)
            threads.emplace_back([this, &cpu] { run_realtime(*cpu); });

    const auto limit = std::chrono::steady_clock::now() +
                       options.time_limit.value_or(std::chrono::hours{24 * 365});
    std::unique_lock guard{control_};
    for (;;) {
        if (!control_changed_.wait_until(guard, limit,
                                         [this] { return reset_request_ || ending_; }) &&
            !ending_) {
            ending_ = Ending{static_cast<int>(ExitCode::Timeout), "the time limit passed"};
            pausing_ = true;
            guard.unlock();
            wake_cpus();
            guard.lock();
        }
        control_changed_.wait(guard, [&] { return parked_ == threads.size(); });
        if (!ending_ && options.end_on_reset)
            ending_ = Ending{static_cast<int>(ExitCode::Ok), *reset_request_ + " (--no-reboot)"};
        if (ending_) break;
        reset_request_.reset();
        guard.unlock();
        reset(BACKPLANE_RESET_MACHINE);
        guard.lock();
        pausing_ = reset_request_ || ending_;
        control_changed_.notify_all();
    }
    const Ending ending = *ending_;
    finished_ = true;
    guard.unlock();
    control_changed_.notify_all();
    for (auto& thread : threads)
        thread.join();
    stop_components();
    return ending;
}

}  // namespace backplane::runtime
