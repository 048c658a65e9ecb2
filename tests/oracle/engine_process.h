// Executes cases in the interpreter: privilege 3 under tables like those Linux gives its processes.
#pragma once

#include "case.h"
#include "cpu-interp/test_processor.h"

#include <optional>

namespace backplane::oracle {

// A processor with everything the engines implement, as the host's vendor makes them.
const x86::CpuModel& complete_model();

class EngineProcess {
public:
    EngineProcess();

    void run(const Case& test, Result& result);

private:
    void build_tables();
    void map(std::uint64_t linear, std::uint64_t physical, std::uint64_t flags);
    void copy_segments();
    void build_gates();
    void load(const Case& test);
    void store(Result& result, const x86::CpuState& state);
    void take_software_interrupt(Result& result);

    template <class T>
    void put(std::uint64_t physical, T value) {
        std::memcpy(&bus_.ram[physical], &value, sizeof value);
    }
    template <class T>
    T get(std::uint64_t physical) const {
        T value;
        std::memcpy(&value, &bus_.ram[physical], sizeof value);
        return value;
    }

    interp::testing::TestBus bus_;
    interp::testing::TestInterpreter cpu_;
    x86::CpuState at_start_;
    std::uint64_t next_table_;
    std::optional<x86::Fault> fault_;
    x86::CpuState at_fault_;
    std::uint64_t dirty_code_ = 0;
};

}  // namespace backplane::oracle
