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

TestEngine make_test_engine(const x86::CpuModel& model);

}  // namespace backplane::interp::testing
