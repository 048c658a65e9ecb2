// What is above the interpreter in the processors that tests make: nothing, or what the program
// with these tests links instead (tests/cpu-llvmjit).
#pragma once

#include "interp/compiler.h"
#include "x86/cpu_model.h"

#include <cstdint>
#include <memory>

namespace backplane::interp::testing {

struct TestEngine {
    std::unique_ptr<Compiler> compiler;
    std::uint32_t threshold = 0;
};

// It takes milliseconds for each block: long tests do less.
bool is_engine_slow();
// A sample of where it is within its code names the instruction.
bool names_engine_instructions();

TestEngine make_test_engine(const x86::CpuModel& model);

}  // namespace backplane::interp::testing
