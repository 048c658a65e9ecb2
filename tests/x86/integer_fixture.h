// What the comparisons of integer instructions with the processor share: registers, operands and
// shapes to try.
#pragma once

#include "x86/native_comparison.h"

namespace backplane::x86::testing {

inline constexpr unsigned widths[] = {8, 16, 32, 64};
inline constexpr unsigned wide_widths[] = {16, 32, 64};

// How often each encoding runs, times what its test says: about two seconds in all.
inline constexpr unsigned effort = 4;

// Registers that play a part in no implied operand and are not the stack pointer, in both encoding
// halves.
inline constexpr unsigned some_registers[] = {RAX, RBX, RBP, RDI, R8, R13};

class Integer : public ::testing::Test {
protected:
    // A memory operand at the middle of the data; the registers it needs are set by `prepare`.
    MemoryOperand indexed(unsigned width) const {
        return {ZYDIS_REGISTER_R14, ZYDIS_REGISTER_R15, 4, -16,
                static_cast<std::uint16_t>(width / 8)};
    }

    auto prepare() {
        return [this](NativeState& state) {
            state.gpr[R14] = comparison.middle() + comparison.values.below(32);
            state.gpr[R15] = comparison.values.below(8);
        };
    }

    // SPL and up exist only with REX, which AH to BH exclude.
    static std::vector<ZydisRegister> registers(unsigned width) {
        std::vector<ZydisRegister> result;
        for (const unsigned number : some_registers)
            result.push_back(general(number, width));
        if (width == 8) result.insert(result.end(), {ZYDIS_REGISTER_AH, ZYDIS_REGISTER_BH});
        return result;
    }

    void run(ZydisMnemonic mnemonic, const std::vector<ZydisEncoderOperand>& operands,
             unsigned times, ZydisInstructionAttributes prefixes = 0) {
        const auto bytes = encode(mnemonic, operands, prefixes);
        bytes.empty() ? ++unencodable : ++encoded;
        if (!bytes.empty()) comparison.compare(bytes, times * effort, prepare());
    }

    std::int64_t immediate(unsigned width) {
        const std::uint64_t value = comparison.values();
        if (width == 8) return static_cast<std::int8_t>(value);
        if (width == 16) return static_cast<std::int16_t>(value);
        return static_cast<std::int32_t>(value);
    }

    void binary(ZydisMnemonic mnemonic, bool lockable = true) {
        for (const unsigned width : widths) {
            const auto names = registers(width);
            for (const auto first : names) {
                for (const auto second : names)
                    run(mnemonic, {reg(first), reg(second)}, 12);
                for (int i = 0; i < 6; ++i)
                    run(mnemonic, {reg(first), imm(immediate(width))}, 6);
                run(mnemonic, {reg(first), mem(indexed(width))}, 12);
                run(mnemonic, {mem(indexed(width)), reg(first)}, 12);
                if (lockable)
                    run(mnemonic, {mem(indexed(width)), reg(first)}, 4, ZYDIS_ATTRIB_HAS_LOCK);
            }
            for (int i = 0; i < 8; ++i)
                run(mnemonic, {mem(indexed(width)), imm(immediate(width))}, 8);
            if (lockable)
                run(mnemonic, {mem(indexed(width)), imm(immediate(width))}, 8,
                    ZYDIS_ATTRIB_HAS_LOCK);
        }
    }

    void unary(ZydisMnemonic mnemonic, unsigned times = 60) {
        for (const unsigned width : widths) {
            for (const auto name : registers(width))
                run(mnemonic, {reg(name)}, times);
            run(mnemonic, {mem(indexed(width))}, times);
            run(mnemonic, {mem(indexed(width))}, 8, ZYDIS_ATTRIB_HAS_LOCK);
        }
    }

    void shift(ZydisMnemonic mnemonic) {
        for (const unsigned width : widths) {
            for (const auto name : registers(width)) {
                run(mnemonic, {reg(name), reg(ZYDIS_REGISTER_CL)}, 100);
                for (int count = 0; count < 70; ++count)
                    run(mnemonic, {reg(name), imm(count)}, 3);
            }
            run(mnemonic, {reg(general(RCX, width)), reg(ZYDIS_REGISTER_CL)}, 50);
            run(mnemonic, {mem(indexed(width)), reg(ZYDIS_REGISTER_CL)}, 100);
            for (int count = 0; count < 70; ++count)
                run(mnemonic, {mem(indexed(width)), imm(count)}, 3);
        }
    }

    void double_shift(ZydisMnemonic mnemonic) {
        for (const unsigned width : wide_widths)
            for (const auto source : registers(width)) {
                for (int count = 0; count < 66; ++count) {
                    run(mnemonic, {reg(general(RSI, width)), reg(source), imm(count)}, 4);
                    run(mnemonic, {mem(indexed(width)), reg(source), imm(count)}, 2);
                }
                run(mnemonic, {reg(general(R9, width)), reg(source), reg(ZYDIS_REGISTER_CL)}, 200);
                run(mnemonic, {mem(indexed(width)), reg(source), reg(ZYDIS_REGISTER_CL)}, 100);
            }
    }

    void TearDown() override {
        RecordProperty("executions", std::to_string(comparison.executions()));
        // Some combinations have no encoding, as AH with R8; a wrong request would leave none.
        EXPECT_LE(unencodable, encoded);
    }

    NativeComparison comparison;
    unsigned encoded = 0, unencodable = 0;
};

}  // namespace backplane::x86::testing
