// A machine that does nothing but run one kernel: a processor, memory and the harness, without
// interrupts or devices. It is built from a machine file like any other.
#pragma once

#include "bench/engine_mode.h"
#include "bench/kernel.h"
#include "runtime/machine.h"
#include "runtime/overrides.h"
#include "runtime/plugin_registry.h"

#include <chrono>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace backplane::bench {

// Why there is no machine, or no result.
struct Failure {
    std::string what;
    bool plugin_failed = false, is_bad_input = false;
};

class KernelMachine {
public:
    // `overrides` are settings for cpu0 and ram0, on top of the mode's. The plugins outlive the
    // machine.
    static std::expected<std::unique_ptr<KernelMachine>, Failure>
    make(const Kernel& kernel, const EngineMode& mode,
         const std::vector<runtime::Override>& overrides, runtime::PluginRegistry& plugins);

    struct Run {
        std::chrono::steady_clock::duration time;
        std::uint64_t checksum = 0;
        std::uint64_t instructions = 0;
    };
    // One call of the kernel. Fails when it retires another number of instructions than it should.
    std::expected<Run, Failure> run(std::uint64_t iterations);

    // The processor's statistics by name.
    [[nodiscard]] std::map<std::string, std::uint64_t> statistics() const;

private:
    KernelMachine(const Kernel& kernel, std::unique_ptr<runtime::Machine> machine);

    std::expected<void, Failure> prepare();
    std::expected<void, Failure> measure_harness();
    backplane_cpu_exit execute(std::uint64_t instructions);
    std::expected<void, Failure> set_register(const std::string& name, std::uint64_t value);
    [[nodiscard]] std::uint64_t get_register(const char* name) const;
    void write(std::uint64_t address, std::span<const std::byte> bytes);
    Failure explain(std::uint64_t expected);

    Kernel kernel_;
    std::unique_ptr<runtime::Machine> machine_;
    runtime::VirtualCpu& cpu_;
    std::uint64_t return_address_;
    std::uint64_t harness_instructions_ = 0;  // from one return to the next call
    std::uint64_t iterations_ = 0;            // what the harness was told
};

}  // namespace backplane::bench
