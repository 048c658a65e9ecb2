// A small machine made of arbitrary bytes: any modes, control registers, descriptor and page
// tables, segments and code. The engine has to survive whatever comes of it.
#pragma once

#include "test_engine.h"
#include "x86/cpu_state.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace backplane::interp::testing {

struct RandomMachineReport {
    std::uint64_t instructions = 0, exceptions = 0;
    bool shut_down = false, halted = false;
    // How it ended.
    std::unique_ptr<x86::CpuState> state;
    std::uint64_t memory_digest = 0, device_accesses = 0;
};

// Runs a bounded number of instructions; aborts when a bound or an invariant does not hold.
using EngineMaker = std::function<TestEngine(const x86::CpuModel&)>;
RandomMachineReport run_random_machine(std::span<const std::uint8_t> input,
                                       const EngineMaker& make_engine = make_test_engine);

// An input from a number: half of its bytes are instructions that occur in programs.
std::vector<std::uint8_t> random_machine_input(std::uint64_t seed);

}  // namespace backplane::interp::testing
