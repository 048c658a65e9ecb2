// One instruction to execute from one state, and how it ended: plain data, so that it can lie in
// memory shared with the process that executes it natively.
#pragma once

#include "layout.h"
#include "x86/instruction.h"

#include <array>
#include <cstdint>

namespace backplane::oracle {

// The 512 bytes of FXSAVE in 64-bit mode (SDM 1 table 10-2), and the upper halves of YMM.
struct alignas(16) VectorState {
    std::uint16_t control = 0x037f, status = 0;
    std::uint8_t valid = 0, reserved = 0;
    std::uint16_t last_opcode = 0;
    std::uint64_t last_instruction = 0, last_data = 0;
    std::uint32_t mxcsr = 0x1f80, mxcsr_mask = 0;
    struct Register {
        std::uint64_t significand = 0;
        std::uint16_t sign_exponent = 0;
        std::array<std::uint16_t, 3> reserved{};
    };
    std::array<Register, 8> st{};  // ST(0) first
    std::array<std::array<std::uint64_t, 2>, 16> xmm{};
    std::array<std::uint64_t, 12> unused{};
    std::array<std::array<std::uint64_t, 2>, 16> ymm_high{};
};
static_assert(offsetof(VectorState, xmm) == 160 && offsetof(VectorState, ymm_high) == 512);

struct MachineState {
    std::array<std::uint64_t, 16> gpr{};
    std::uint64_t rip = 0, rflags = 0x202;
    std::array<std::uint16_t, 6> selectors{};  // in the order of x86::SegmentIndex
    std::uint64_t fs_base = 0, gs_base = 0;
    VectorState vector;
};

struct Case {
    x86::CodeSize code_size = x86::CodeSize::Bits64;
    // TF is set, so that control comes back wherever the instruction goes. Otherwise the INT3
    // behind it ends the case: for REP, which TF would stop at each element, and for what stores
    // TF or puts it off.
    bool single_step = true;
    // The engine single-steps too, on its path for that. Not needed for its sake: it stops
    // anywhere.
    bool engine_steps = false;
    std::uint8_t length = 0;  // of the bytes, which may be more or less than an instruction
    std::array<std::uint8_t, 16> bytes{};
    MachineState before;
    alignas(64) std::array<std::uint8_t, data_bytes> memory{};
};

struct Result {
    static constexpr int no_fault = -1;

    MachineState after;
    int vector = no_fault;
    std::uint32_t error_code = 0;
    std::uint64_t fault_address = 0;  // CR2 of a page fault
    alignas(64) std::array<std::uint8_t, data_bytes> memory{};

    bool completed() const { return vector == no_fault; }
};

// What the read-only page holds.
constexpr std::uint8_t read_only_byte(std::size_t offset) {
    return static_cast<std::uint8_t>(offset * 37 + (offset >> 8));
}

}  // namespace backplane::oracle
