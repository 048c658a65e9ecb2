// A TestProcessor that executes 32-bit code at privilege 0, under paging that maps what it did.
#pragma once

#include "test_processor.h"

#include <cstdint>
#include <initializer_list>
#include <optional>

namespace backplane::interp::testing {

class Code32Processor : public TestProcessor {
public:
    // Selectors. All but `code32` are of data with 32-bit addresses.
    static constexpr std::uint16_t flat = 0x10, code32 = 0x18,
                                   based = 0x20,  // begins at `base`
        bounded = 0x28,                           // ends behind one page
        read_only = 0x30,                         // all of it
        high = 0x38,                              // begins at `high_base`
        downward = 0x40;                          // expands down, to offset 1000h
    static constexpr std::uint64_t base = 0x1000, high_base = 0xffff'ff00;

    Code32Processor() {
        write<std::uint64_t>(gdt + code32, 0x00cf'9b00'0000'ffff);
        write<std::uint64_t>(gdt + based, 0x00cf'9300'1000'ffff);
        write<std::uint64_t>(gdt + bounded, 0x0040'9300'0000'0fff);
        write<std::uint64_t>(gdt + read_only, 0x00cf'9100'0000'ffff);
        write<std::uint64_t>(gdt + high, 0xffcf'93ff'ff00'ffff);
        write<std::uint64_t>(gdt + downward, 0x0040'9700'0000'0fff);
        cpu.state.gdtr.limit = 0x47;
        cpu.on_exception = [this](const x86::Fault& found) {
            if (!first_fault) first_fault = found.vector;
        };
    }

    // With flat segments and neither FS nor GS. True: the program has come to its HLT.
    bool run32(std::uint64_t start = code) {
        x86::CpuState& state = cpu.state;
        state.segments[x86::CS] = {
            .base = 0, .limit = 0xffffffff, .selector = code32, .attributes = 0xc09b};
        for (const auto index : {x86::DS, x86::ES, x86::SS})
            state.segments[index] = {
                .base = 0, .limit = 0xffffffff, .selector = flat, .attributes = 0xc093};
        for (const auto index : {x86::FS, x86::GS})
            state.segments[index] = {.base = 0, .limit = 0, .selector = 0, .attributes = 0};
        first_fault.reset();
        cpu.state_replaced();
        return run_to_halt(start) && !first_fault;
    }

    bool run32(std::initializer_list<int> bytes) {
        place(code, bytes);
        cpu.invalidate_physical(code, bytes.size());
        return run32();
    }

    std::optional<x86::Vector> first_fault;
};

}  // namespace backplane::interp::testing
