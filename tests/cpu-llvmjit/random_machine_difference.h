// The machines of arbitrary bytes (tests/cpu-interp/random_machine.h) on both engines.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace backplane::jit::testing {

// What differs behind the last instruction, between the interpreter and compiled code that every
// block is made into at this execution of it. Empty: nothing.
std::string random_machine_difference(std::span<const std::uint8_t> input, std::uint32_t threshold);

}  // namespace backplane::jit::testing
