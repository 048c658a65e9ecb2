// Runs instructions through the semantics and on the processor under the tests, and compares
// everything defined.
#pragma once

#include "support/encode.h"
#include "support/native_processor.h"
#include "x86/disassembler.h"
#include "x86/integer_forms.h"
#include "x86/undefined_flags.h"

#include <functional>
#include <random>
#include <string>

namespace backplane::x86::testing {

// Values where carries, signs and widths change, mixed with random ones.
class Values {
public:
    std::uint64_t operator()() {
        static constexpr std::uint64_t corners[] = {0,
                                                    1,
                                                    2,
                                                    9,
                                                    0xf,
                                                    0x10,
                                                    0x7f,
                                                    0x80,
                                                    0x81,
                                                    0x99,
                                                    0xff,
                                                    0x100,
                                                    0x7fff,
                                                    0x8000,
                                                    0xffff,
                                                    0x10000,
                                                    0x7fffffff,
                                                    0x80000000,
                                                    0xffffffff,
                                                    0x100000000,
                                                    0x7fffffffffffffff,
                                                    0x8000000000000000,
                                                    ~0ull,
                                                    ~0ull - 1};
        if (below(2)) return corners[below(std::size(corners))];
        return below(2) ? generator_() : generator_() >> below(64);
    }

    std::uint64_t below(std::uint64_t limit) { return generator_() % limit; }

private:
    std::mt19937_64 generator_{20240607};
};

class NativeComparison {
public:
    enum class Code : std::uint8_t { Bits32, Bits64 };
    static constexpr std::size_t window =
        512;  // bytes in the middle of the data that instructions may touch

    NativeComparison() : native_{NativeProcessor::instance()} {}

    std::uint64_t middle() const { return native_.data_address() + NativeProcessor::data_size / 2; }
    std::uint64_t instruction_address() const { return native_.instruction_address(); }

    // Runs `bytes` `times` times from random states that `prepare` may adjust. One instruction, or
    // one and others that it jumps over; those are not executed by the semantics, so only the
    // registers tell whether it jumped.
    void compare(std::span<const std::uint8_t> bytes, unsigned times,
                 const std::function<void(NativeState&)>& prepare = {}, Code code = Code::Bits64) {
        if (::testing::Test::HasFailure()) return;
        Instruction instruction;
        const CodeSize size = code == Code::Bits64 ? CodeSize::Bits64 : CodeSize::Bits32;
        const auto status = decoder_.decode(std::as_bytes(bytes), size,
                                            native_.instruction_address(), instruction);
        ASSERT_EQ(status, DecodeStatus::Complete);
        code == Code::Bits64 ? native_.set_code(bytes) : native_.set_code32(bytes);
        for (unsigned i = 0; i < times; ++i) {
            compare_once(instruction, prepare, code);
            if (::testing::Test::HasFailure()) return;
        }
    }

    std::uint64_t executions() const { return executions_; }
    Values values;

private:
    // The count of a shift by immediate or CL.
    static unsigned shift_count(const Instruction& instruction, const NativeState& before) {
        if (instruction.decoded.operand_count_visible < 2) return 0;
        const auto& last = instruction.operands[instruction.decoded.operand_count_visible - 1];
        return static_cast<unsigned>(
            last.type == ZYDIS_OPERAND_TYPE_IMMEDIATE ? last.imm.value.u : before.gpr[RCX] & 0xff);
    }

    void compare_once(const Instruction& instruction,
                      const std::function<void(NativeState&)>& prepare, Code code) {
        NativeState before;
        for (auto& value : before.gpr)
            value = values();
        before.gpr[RSP] = middle();
        before.rflags = 0x202 | (values() & rflags::arithmetic);
        if (prepare) prepare(before);
        const std::span<std::byte> area = native_.data().subspan(
            NativeProcessor::data_size / 2 - window / 2, window);
        std::array<std::byte, window> memory;
        for (std::size_t i = 0; i < window; i += 8) {
            const std::uint64_t value = values();
            std::memcpy(memory.data() + i, &value, 8);
        }

        std::memcpy(area.data(), memory.data(), window);
        const NativeState expected = native_.run(before);
        std::array<std::byte, window> expected_memory;
        std::memcpy(expected_memory.data(), area.data(), window);

        std::memcpy(area.data(), memory.data(), window);
        SemanticsMachine m{native_.data_address(), native_.data()};
        CpuState& state = m.state();
        state.gpr = before.gpr;
        state.set_full_rflags(before.rflags);
        state.cpl = 3;
        state.cr0 |= 1;
        for (SegmentRegister& segment : state.segments)
            segment = {.limit = 0xffffffff, .attributes = 0xc0f3};
        const auto outcome = execute(m, integer_forms(), instruction);
        ++executions_;
        ASSERT_TRUE(outcome) << disassemble(instruction) << " has no form";

        const auto shown = [&] {
            std::string out = disassemble(instruction) + "  flags before " +
                              std::to_string(before.rflags & 0xfff);
            char line[96];
            for (unsigned i = 0; i < 16; ++i) {
                std::snprintf(line, sizeof line,
                              "\n  r%-2u before %016lx native %016lx ours %016lx", i, before.gpr[i],
                              expected.gpr[i], state.gpr[i]);
                if (i < 8 || before.gpr[i] != expected.gpr[i] || expected.gpr[i] != state.gpr[i])
                    out += line;
            }
            return out;
        };
        ASSERT_EQ(*outcome == Outcome::Fault, expected.signal != 0)
            << shown() << " signal " << expected.signal;
        const std::uint64_t visible = code == Code::Bits64 ? ~0ull : 0xffffffff;
        const auto& mnemonic = instruction.decoded.mnemonic;
        const unsigned width = instruction.operands[0].size;
        const unsigned count = shift_count(instruction, before);
        const bool undefined_result = !is_followed_processor() &&
                                      (mnemonic == ZYDIS_MNEMONIC_SHLD ||
                                       mnemonic == ZYDIS_MNEMONIC_SHRD) &&
                                      (count & (width == 64 ? 63 : 31)) > width;
        if (undefined_result) return;
        const unsigned registers = code == Code::Bits64 ? 16 : 8;
        for (unsigned i = 0; i < registers; ++i)
            ASSERT_EQ(state.gpr[i] & visible, expected.gpr[i] & visible) << "register " << i << "\n"
                                                                         << shown();
        ASSERT_EQ(std::memcmp(area.data(), expected_memory.data(), window), 0) << shown();
        if (expected.signal) return;
        const std::uint64_t compared = (rflags::arithmetic | rflags::df | rflags::id | rflags::ac |
                                        rflags::nt) &
                                       ~undefined_flags(mnemonic, count, width);
        ASSERT_EQ(state.full_rflags() & compared, expected.rflags & compared) << shown();
    }

    NativeProcessor& native_;
    // As the processor under the tests reads them.
    Decoder decoder_{{.lzcnt = __builtin_cpu_supports("lzcnt") != 0,
                      .bmi1 = __builtin_cpu_supports("bmi") != 0}};
    std::uint64_t executions_ = 0;
};

}  // namespace backplane::x86::testing
