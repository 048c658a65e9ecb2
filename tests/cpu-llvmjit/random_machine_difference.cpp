#include "random_machine_difference.h"

#include "random_machine.h"
#include "tier1/tier1_compiler.h"

#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

namespace backplane::jit::testing {
namespace {

using interp::testing::RandomMachineReport, interp::testing::run_random_machine,
    interp::testing::TestEngine;

TestEngine compiling_engine(const x86::CpuModel& model, std::uint32_t threshold) {
    auto arena = CodeArena::make(std::size_t{1} << 20);
    return {std::make_unique<Tier1Compiler>(model, std::move(*arena)), threshold};
}

class Difference {
public:
    template <class T>
    Difference& of(const char* what, const T& expected, const T& found) {
        if (std::memcmp(&expected, &found, sizeof expected) != 0)
            text_ += text_.empty() ? what : std::string{", "} + what;
        return *this;
    }
    Difference& number(const char* what, std::uint64_t expected, std::uint64_t found) {
        if (expected == found) return *this;
        char text[120];
        std::snprintf(text, sizeof text, "%s%s (%lx, not %lx)", text_.empty() ? "" : ", ", what,
                      static_cast<unsigned long>(found), static_cast<unsigned long>(expected));
        text_ += text;
        return *this;
    }
    const std::string& text() const { return text_; }

private:
    std::string text_;
};

void compare(Difference& difference, const x86::CpuState& a, const x86::CpuState& b) {
    static constexpr const char* names[]{"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                         "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
    for (unsigned i = 0; i < 16; ++i)
        difference.number(names[i], a.gpr[i], b.gpr[i]);
    difference.number("rip", a.rip, b.rip)
        .number("rflags", a.full_rflags(), b.full_rflags())
        .number("cr0", a.cr0, b.cr0)
        .number("cr2", a.cr2, b.cr2)
        .number("cr3", a.cr3, b.cr3)
        .number("cr4", a.cr4, b.cr4)
        .number("efer", a.efer, b.efer)
        .number("cpl", a.cpl, b.cpl)
        .number("halted", a.halted, b.halted)
        .number("interrupt shadow", a.interrupt_shadow, b.interrupt_shadow)
        .number("pending debug", a.pending_debug, b.pending_debug)
        .number("mxcsr", a.mxcsr, b.mxcsr)
        .number("x87 control", a.x87.control, b.x87.control)
        .number("x87 status", a.x87.status, b.x87.status)
        .number("x87 valid", a.x87.valid, b.x87.valid)
        .number("x87 opcode", a.x87.last_opcode, b.x87.last_opcode)
        .number("x87 instruction", a.x87.last_instruction, b.x87.last_instruction)
        .number("x87 data", a.x87.last_data, b.x87.last_data)
        .of("debug registers", a.dr, b.dr)
        .of("vectors", a.vectors, b.vectors);
    for (unsigned i = 0; i < 8; ++i)
        difference
            .number("x87 significand", a.x87.registers[i].significand,
                    b.x87.registers[i].significand)
            .number("x87 exponent", a.x87.registers[i].sign_exponent,
                    b.x87.registers[i].sign_exponent);
    for (unsigned i = 0; i < 6; ++i)
        difference.number("segment base", a.segments[i].base, b.segments[i].base)
            .number("segment limit", a.segments[i].limit, b.segments[i].limit)
            .number("segment selector", a.segments[i].selector, b.segments[i].selector)
            .number("segment attributes", a.segments[i].attributes, b.segments[i].attributes);
}

}  // namespace

std::string random_machine_difference(std::span<const std::uint8_t> input,
                                      std::uint32_t threshold) {
    const RandomMachineReport expected = run_random_machine(
        input, [](const x86::CpuModel&) { return TestEngine{}; });
    const RandomMachineReport found = run_random_machine(
        input, [&](const x86::CpuModel& model) { return compiling_engine(model, threshold); });
    Difference difference;
    difference.number("instructions", expected.instructions, found.instructions)
        .number("exceptions", expected.exceptions, found.exceptions)
        .number("shut down", expected.shut_down, found.shut_down)
        .number("device accesses", expected.device_accesses, found.device_accesses)
        .number("memory", expected.memory_digest, found.memory_digest);
    compare(difference, *expected.state, *found.state);
    return difference.text();
}

}  // namespace backplane::jit::testing
