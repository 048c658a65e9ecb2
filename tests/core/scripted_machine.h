// A machine whose processors execute functions of the test, with one device: an alarm.
#pragma once

#include "runtime/machine.h"

#include <backplane/sdk.h>

#include <atomic>
#include <functional>
#include <string>

namespace backplane::runtime {

// A processor whose program is a function: it is given itself and the budget, and says how the run
// ended.
class ScriptedCpu : public Device {
public:
    static inline std::function<backplane_cpu_exit(ScriptedCpu&, std::int64_t)> program;
    static void declare(Declaration<ScriptedCpu>& d);

    std::uint32_t run(std::int64_t budget) {
        if (attention_.exchange(false)) return BACKPLANE_CPU_ATTENTION;
        return program(*this, budget);
    }
    void request_attention() { attention_ = true; }
    std::uint64_t instructions() { return instructions_; }
    std::uint32_t register_count() { return 0; }
    const backplane_cpu_register* register_info(std::uint32_t) { return nullptr; }
    void get_register(std::uint32_t, void*) {}
    std::int32_t set_register(std::uint32_t, const void*) { return 0; }
    std::int32_t translate(std::uint64_t, std::uint64_t*) { return 0; }
    std::uint32_t disassemble(std::uint64_t, char*, std::uint32_t) { return 0; }

    // Retires one by one until the budget is spent or somebody wants attention.
    backplane_cpu_exit spend(std::int64_t budget) {
        for (; budget > 0; --budget) {
            if (attention_.exchange(false)) return BACKPLANE_CPU_ATTENTION;
            ++instructions_;
        }
        return BACKPLANE_CPU_BUDGET;
    }

    void on_interrupt(bool level) { interrupt = level; }

    backplane::AddressSpace ports;
    std::atomic<bool> interrupt = false;
    int resets = 0;
    std::uint64_t instructions_ = 0;
    void reset(ResetKind) { ++resets; }

private:
    std::atomic<bool> attention_ = false;
};

inline constexpr backplane_cpu cpu_functions{sizeof(backplane_cpu),
                                             0,
                                             thunk<&ScriptedCpu::run>,
                                             thunk<&ScriptedCpu::request_attention>,
                                             thunk<&ScriptedCpu::instructions>,
                                             thunk<&ScriptedCpu::register_count>,
                                             thunk<&ScriptedCpu::register_info>,
                                             thunk<&ScriptedCpu::get_register>,
                                             thunk<&ScriptedCpu::set_register>,
                                             thunk<&ScriptedCpu::translate>,
                                             thunk<&ScriptedCpu::disassemble>,
                                             nullptr,
                                             nullptr,
                                             nullptr,
                                             nullptr};

inline void ScriptedCpu::declare(Declaration<ScriptedCpu>& d) {
    d.type("test.cpu", "Runs a function of the test");
    d.provides("cpu", cpu_functions, "The processor");
    d.line_input<&ScriptedCpu::on_interrupt>("intr", "Interrupt request");
    d.address_space("io", &ScriptedCpu::ports, "I/O ports", "io");
}

// Port 0: starts an alarm in so many microseconds, which raises the line. Port 1 ends the run. Port
// 2 resets.
class Alarm : public Device {
public:
    static void declare(Declaration<Alarm>& d) {
        d.type("test.alarm", "Raises its line after a while");
        d.port_window<&Alarm::read, &Alarm::write>("ports", 4, "Control");
        d.line_output("irq", &Alarm::irq_, "The alarm");
        d.timer<&Alarm::expire>("alarm", &Alarm::timer_);
    }
    std::uint64_t read(std::uint64_t, unsigned) {
        irq_.drive(false);
        return expired_at_;
    }
    void write(std::uint64_t offset, unsigned, std::uint64_t value) {
        if (offset == 0) timer_.start_after(std::chrono::microseconds{value});
        if (offset == 1) request_power_off(static_cast<int>(value), "asked to");
        if (offset == 2) request_reset("asked to");
    }

private:
    void expire() {
        expired_at_ = static_cast<std::uint64_t>(now().count());
        irq_.drive(true);
    }
    Line irq_;
    Timer timer_;
    std::uint64_t expired_at_ = 0;
};

inline void add_cpu(MachineDescription& description, const std::string& name) {
    auto& cpu = description.components.emplace_back();
    cpu.name = name;
    cpu.type = Declaration<ScriptedCpu>::device_type();
    cpu.links.push_back({.port = 2,
                         .element = 0,
                         .target = io_space,
                         .target_port = 0,
                         .target_element = 0,
                         .place = {}});
}

// The alarm interrupts cpu0.
inline MachineDescription describe(ClockMode clock) {
    MachineDescription description;
    description.name = "test";
    description.clock = clock;
    add_cpu(description, "cpu0");
    auto& alarm = description.components.emplace_back();
    alarm.name = "alarm0";
    alarm.type = Declaration<Alarm>::device_type();
    alarm.windows.push_back({.port = 0,
                             .space = io_space,
                             .base = 0x40,
                             .priority = 0,
                             .offset = 0,
                             .size = 0,
                             .place = {}});
    alarm.links.push_back({.port = 1,
                           .element = 0,
                           .target = "cpu0",
                           .target_port = 1,
                           .target_element = 0,
                           .place = {}});
    return description;
}

inline void out(ScriptedCpu& cpu, std::uint64_t port, std::uint8_t value) {
    cpu.ports.write(0x40 + port, value);
}

}  // namespace backplane::runtime
