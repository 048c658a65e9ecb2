// Executes one x87, MMX, SSE or AVX instruction on the processor that runs the test, from a given
// state, and gives the state behind it, or the signal that it raised.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace backplane::x86::testing {

// The FXSAVE image (SDM 1 table 10-2) and what else an instruction of these families touches.
struct alignas(64) FpState {
    std::uint16_t control = 0x037f, status = 0;
    std::uint8_t valid = 0, reserved = 0;
    std::uint16_t last_opcode = 0;
    std::uint64_t last_instruction = 0, last_data = 0;
    std::uint32_t mxcsr = 0x1f80, mxcsr_mask = 0;
    struct Stack {
        std::uint64_t significand;
        std::uint16_t sign_exponent;
        std::array<std::uint16_t, 3> reserved;
    };
    std::array<Stack, 8> st{};  // in stack order, ST(0) first
    std::array<std::array<std::uint64_t, 2>, 16> xmm{};
    std::array<std::uint64_t, 12> unused{};
    // Behind the image.
    std::uint64_t rax = 0, rcx = 0, rdx = 0, rflags = 2;
    // The upper halves of the YMM registers; they count where the processor has them.
    std::array<std::array<std::uint64_t, 2>, 16> ymm_high{};
};
static_assert(offsetof(FpState, xmm) == 160 && offsetof(FpState, rax) == 512 &&
              offsetof(FpState, ymm_high) == 544);

class NativeInstruction {
public:
    // RSI and RDI hold the memory operand's address. At most sixteen bytes of code.
    explicit NativeInstruction(std::span<const std::uint8_t> code);
    ~NativeInstruction();
    NativeInstruction(const NativeInstruction&) = delete;
    NativeInstruction& operator=(const NativeInstruction&) = delete;

    // The signal that stopped the instruction, or 0.
    int execute(FpState& state, void* memory) const;

    std::uint64_t address() const { return instruction_; }

private:
    void* page_;
    std::uint64_t instruction_, length_;
};

}  // namespace backplane::x86::testing
