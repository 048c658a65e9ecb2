// A machine built from its description: components made, wired, reset, run and torn down.
#pragma once

#include "runtime/address_space.h"
#include "runtime/component.h"
#include "runtime/diagnostics.h"
#include "runtime/event_hub.h"
#include "runtime/exclusive_section.h"
#include "runtime/interrupt_lines.h"
#include "runtime/io_loop.h"
#include "runtime/locked_controllers.h"
#include "runtime/machine_description.h"
#include "runtime/machine_events.h"
#include "runtime/observed_links.h"
#include "runtime/run_control.h"
#include "runtime/virtual_clock.h"
#include "runtime/virtual_cpu.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace backplane::runtime {

class Machine {
public:
    // Null when something went wrong; then `diagnostics` says what, and where in the machine file.
    static std::unique_ptr<Machine> build(const MachineDescription& description,
                                          Diagnostics& diagnostics);
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;
    ~Machine();

    // Runs until the guest or the user ends it; then every component was told to stop.
    Ending run(const RunOptions& options);

    // Deterministic machines, instead of run: on the caller's thread, until every CPU is as far as
    // `position` in machine time (instructions since power-on, idle time included), or the run
    // ended. The first call powers the machine on.
    std::optional<Ending> advance(std::uint64_t position);

    // [any] Carried out at the next instruction boundary of every CPU.
    void request_reset(std::string why) { control_.request_reset(std::move(why)); }
    void request_power_off(int exit_code, std::string why) {
        control_.request_power_off({exit_code, std::move(why)});
    }
    // [any] Pausing, resuming, and whatever needs all CPUs to stand still.
    [[nodiscard]] RunControl& control() { return control_; }

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] bool is_deterministic() const { return instruction_time_.has_value(); }
    // Seconds since 1970, when guest time was 0.
    [[nodiscard]] std::int64_t date_at_start() const { return date_at_start_; }
    [[nodiscard]] MachineLock& lock() { return lock_; }
    [[nodiscard]] ExclusiveSection& exclusive() { return exclusive_; }
    [[nodiscard]] VirtualClock& clock() { return *clock_; }
    // Guest time for who only looks: a deterministic machine does not notice, as it would if its
    // clock were asked. There, on the CPUs' thread or while no CPU runs.
    [[nodiscard]] std::uint64_t peek_time();
    [[nodiscard]] EventHub& events() { return events_; }
    [[nodiscard]] IoLoop& io() { return io_; }
    [[nodiscard]] DirtyTracking& dirty() { return dirty_; }
    [[nodiscard]] AddressSpace& memory() { return memory_; }
    [[nodiscard]] AddressSpace& ports() { return io_ports_; }
    [[nodiscard]] const std::vector<std::unique_ptr<Component>>& components() const {
        return components_;
    }
    [[nodiscard]] const std::vector<std::unique_ptr<VirtualCpu>>& cpus() const { return cpus_; }

private:
    explicit Machine(const MachineDescription& description);

    // Building, step by step (machine_build.cpp). Each reports what it cannot do.
    void create(const MachineDescription& description, Diagnostics& diagnostics);
    void map_windows(const MachineDescription& description, Diagnostics& diagnostics);
    void connect(const MachineDescription& description, Diagnostics& diagnostics);
    void find_cpus();
    void order_resets(const MachineDescription& description);
    void start(const MachineDescription& description, Diagnostics& diagnostics);
    backplane_link provider(const ComponentDescription& user, const LinkDescription& link);
    [[nodiscard]] Component* find(const std::string& name) const;

    void reset(backplane_reset_kind kind);
    void stop_components();
    std::optional<std::chrono::steady_clock::time_point> run_timers();
    void run_realtime(VirtualCpu& cpu);
    backplane_cpu_exit run_slice(VirtualCpu& cpu, std::int64_t budget);
    // Deterministic machines: machine_turns.cpp.
    void run_deterministic();
    void run_round();
    std::uint64_t end_of_round();
    std::uint64_t instructions_passed();
    bool take_turn(VirtualCpu& cpu, std::uint64_t end);
    bool stand_aside();
    bool handle_exit(VirtualCpu& cpu, backplane_cpu_exit exit);
    void shut_down(VirtualCpu& cpu);
    void stop_at(VirtualCpu& cpu, const VirtualCpu::Breakpoint& breakpoint);
    void interrupt_cpus();
    void wake_cpus();
    RunControl::Hooks control_hooks();
    void stop_time();
    void start_time();

    std::string name_;
    MachineLock lock_;
    ExclusiveSection exclusive_{lock_, [this] { interrupt_cpus(); }};
    RunControl control_{control_hooks()};  // outlives who listens to it from the I/O loop
    EventHub events_;
    HostTime host_time_;
    std::optional<InstructionTime> instruction_time_;
    std::int64_t date_at_start_;
    std::optional<VirtualClock> clock_;
    MachineEvents machine_events_{events_, [this] { return peek_time(); }};
    IoLoop io_{lock_};
    DirtyTracking dirty_;
    AddressSpace memory_;
    AddressSpace io_ports_;
    InterruptLines lines_{lock_, &machine_events_};
    LockedControllers controllers_{lock_, machine_events_};
    ObservedLinks observed_{machine_events_};
    std::vector<std::unique_ptr<Component>> components_;
    std::vector<Component*> reset_order_;  // providers before those that require them
    std::vector<Component*> running_;      // started and not yet stopped
    std::vector<std::unique_ptr<VirtualCpu>> cpus_;

    // Deterministic machines: where the round began, counted in instructions, whose turn it is, and
    // the latest instant that anybody was told.
    std::uint64_t round_start_ = 0, latest_ = 0;
    std::uint64_t stop_at_ = ~std::uint64_t{0};   // no round goes further
    bool powered_on_ = false, advances_ = false;  // by advance
    std::atomic<VirtualCpu*> turn_ = nullptr;
    std::atomic<bool> turn_is_over_ = false;  // the next timer is earlier than it was
    bool has_ended_ = false;                  // for the thread that takes the turns
};

}  // namespace backplane::runtime
