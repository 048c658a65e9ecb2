// A processor with compiled code and one without, for programs that have to leave the same in both,
// bit for bit.
#pragma once

#include "compiled_code.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <span>
#include <vector>

namespace backplane::jit::testing {

struct BothEngines : ::testing::Test {
    static constexpr std::uint64_t code = TestProcessor::code, data = TestProcessor::data;
    // What programs may write: data and stack.
    static constexpr std::uint64_t data_bytes = 0x4000, stack_bytes = 0x1000;

    void on_both(const std::function<void(TestProcessor&)>& f) {
        f(interpreted);
        f(compiled);
    }

    // From `code` on, up to HLT, which is added, or to an exception. The other one is executed in
    // runs of at most so many instructions.
    void run(std::span<const std::uint8_t> program, std::function<std::int64_t()> budget = {}) {
        std::vector<std::uint8_t> bytes(program.begin(), program.end());
        bytes.push_back(0xf4);
        on_both([&](TestProcessor& processor) {
            processor.place(code, bytes);
            processor.cpu.invalidate_physical(code, bytes.size());
            processor.cpu.state.rip = code;
            processor.cpu.state.halted = false;
        });
        ASSERT_EQ(interpreted.cpu.run(limit), interp::RunResult::HaltedForGood);
        for (int i = 0; !compiled.cpu.state.halted; ++i) {
            ASSERT_LT(i, limit) << "it does not end";
            compiled.cpu.run(budget ? budget() : limit);
        }
        compare();
    }
    void run(std::initializer_list<int> program) {
        run(std::vector<std::uint8_t>(program.begin(), program.end()));
    }

    void compare() {
        const x86::CpuState &expected = interpreted.cpu.state, &found = compiled.cpu.state;
        EXPECT_EQ(found.gpr, expected.gpr);
        EXPECT_EQ(found.rip, expected.rip);
        EXPECT_EQ(found.full_rflags(), expected.full_rflags());
        EXPECT_EQ(found.cr2, expected.cr2);
        compare_x87(found.x87, expected.x87);
        EXPECT_EQ(found.ignore_numeric_error, expected.ignore_numeric_error);
        EXPECT_EQ(found.mxcsr, expected.mxcsr);
        EXPECT_EQ(std::memcmp(&found.vectors, &expected.vectors, sizeof found.vectors), 0);
        for (const auto& [first, size] :
             {std::pair{data, data_bytes}, {TestProcessor::stack - stack_bytes, stack_bytes}}) {
            const auto* in_found = &compiled.bus.ram[first];
            const auto* in_expected = &interpreted.bus.ram[first];
            const auto difference = std::mismatch(in_found, in_found + size, in_expected).first;
            EXPECT_EQ(difference - in_found, static_cast<std::ptrdiff_t>(size)) << first;
        }
        EXPECT_EQ(compiled.cpu.instructions(), interpreted.cpu.instructions());
    }

    static void compare_x87(const x86::X87State& found, const x86::X87State& expected) {
        EXPECT_EQ(found.control, expected.control);
        EXPECT_EQ(found.status, expected.status);
        EXPECT_EQ(found.valid, expected.valid);
        for (unsigned i = 0; i < 8; ++i) {
            EXPECT_EQ(found.registers[i].significand, expected.registers[i].significand) << i;
            EXPECT_EQ(found.registers[i].sign_exponent, expected.registers[i].sign_exponent) << i;
        }
        EXPECT_EQ(found.last_opcode, expected.last_opcode);
        EXPECT_EQ(found.last_instruction, expected.last_instruction);
        EXPECT_EQ(found.last_data, expected.last_data);
        EXPECT_EQ(found.last_instruction_selector, expected.last_instruction_selector);
        EXPECT_EQ(found.last_data_selector, expected.last_data_selector);
    }

    static constexpr std::int64_t limit = 1'000'000;
    static constexpr std::size_t arena = std::size_t{8} << 20;
    TestProcessor compiled{arena};
    TestProcessor interpreted{arena, interp::testing::TestEngine{}};
};

}  // namespace backplane::jit::testing
