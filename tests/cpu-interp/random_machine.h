// A small machine made of arbitrary bytes: any modes, control registers, descriptor and page
// tables, segments and code. The engine has to survive whatever comes of it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace backplane::interp::testing {

struct RandomMachineReport {
    std::uint64_t instructions = 0, exceptions = 0;
    bool shut_down = false, halted = false;
};

// Runs a bounded number of instructions; aborts when a bound or an invariant does not hold.
RandomMachineReport run_random_machine(std::span<const std::uint8_t> input);

// An input from a number: half of its bytes are instructions that occur in programs.
std::vector<std::uint8_t> random_machine_input(std::uint64_t seed);

}  // namespace backplane::interp::testing
