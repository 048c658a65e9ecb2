// Every integer encoding of the one- and two-byte opcode maps against the processor.
#include "x86/native_comparison.h"

namespace backplane::x86::testing {
namespace {

using Code = NativeComparison::Code;
using Bytes = std::vector<std::uint8_t>;

class OpcodeMap : public ::testing::Test {
protected:
    // Calls f(bytes, opcode is in the two-byte map, opcode) for every opcode with each ModRM that
    // names registers or [rbx].
    template <class F>
    static void for_each_encoding(const std::vector<Bytes>& prefixes, F f) {
        for (const Bytes& prefix : prefixes)
            for (const bool two_bytes : {false, true})
                for (unsigned opcode = 0; opcode < 256; ++opcode)
                    for (unsigned modrm = 0; modrm < 256; ++modrm) {
                        const bool is_register = modrm >= 0xc0,
                                   is_rbx = modrm < 0x40 && (modrm & 7) == 3;
                        if (!is_register && !is_rbx) continue;
                        Bytes bytes = prefix;
                        if (two_bytes) bytes.push_back(0x0f);
                        bytes.insert(bytes.end(), {static_cast<std::uint8_t>(opcode),
                                                   static_cast<std::uint8_t>(modrm)});
                        bytes.insert(bytes.end(), 9, 0x09);
                        f(bytes, two_bytes, opcode);
                    }
    }

    // Branches and other uses of the stack have their own tests; here nothing keeps them from
    // running away.
    static bool can_run_anywhere(const Instruction& instruction) {
        const auto* memory = instruction.memory_operand();
        if (memory && memory->encoding == ZYDIS_OPERAND_ENCODING_DISP16_32_64) return false;
        const auto& first = instruction.operands[0];
        if (first.type == ZYDIS_OPERAND_TYPE_REGISTER &&
            (first.reg.value == ZYDIS_REGISTER_SP || first.reg.value == ZYDIS_REGISTER_ESP))
            return false;
        switch (instruction.mnemonic()) {
        case ZYDIS_MNEMONIC_LEAVE:
        case ZYDIS_MNEMONIC_ENTER:
        case ZYDIS_MNEMONIC_POPF:
        case ZYDIS_MNEMONIC_POPFD:
        case ZYDIS_MNEMONIC_POPFQ: return false;
        default: return !ends_block(instruction);
        }
    }

    // Instructions that this decoder takes for older ones and a newer processor does not, or that
    // vendors disagree on.
    static bool depends_on_processor(const Bytes& bytes, bool two_bytes, unsigned opcode) {
        const bool bit_count = two_bytes && (opcode == 0xbc || opcode == 0xbd || opcode == 0xb8) &&
                               bytes[0] == 0xf3;
        const bool prefetch_of_register = two_bytes && opcode == 0x0d;
        return bit_count || prefetch_of_register;
    }

    void compare(const Bytes& bytes, const Instruction& instruction, Code code) {
        const bool bit_string = forms::has_bit_index(instruction) && instruction.memory_operand();
        if (bit_string) {
            const std::uint8_t index = forms::register_offset(instruction.operands[1].reg.value);
            if (index == RBX * 8 || index == RSP * 8) return;  // would be a wild offset
        }
        const std::uint64_t table = instruction.mnemonic() == ZYDIS_MNEMONIC_XLAT ? 128 : 0;
        const bool is_string = instruction.decoded.meta.category == ZYDIS_CATEGORY_STRINGOP;
        const auto prepare = [&](NativeState& state) {
            if (bit_string)
                for (const unsigned name : {RAX, RCX, RDX, RBP, RSI, RDI})
                    state.gpr[name] = comparison.values.below(512);
            state.gpr[RBX] = comparison.middle() + 8 - table;
            state.gpr[R11] = comparison.middle() + 8;  // what [rbx] is with REX.B
            if (!is_string) return;
            state.gpr[RSI] = comparison.middle();
            state.gpr[RDI] = comparison.middle() + 8;
            state.gpr[RCX] = 3;
        };
        comparison.compare(std::span{bytes}.first(instruction.decoded.length), 2, prepare, code);
        ++compared;
    }

    void check(const std::vector<Bytes>& prefixes, Code code) {
        const Decoder decoder;
        const CodeSize size = code == Code::Bits64 ? CodeSize::Bits64 : CodeSize::Bits32;
        for_each_encoding(prefixes, [&](const Bytes& bytes, bool two_bytes, unsigned opcode) {
            Instruction instruction;
            if (HasFailure() || depends_on_processor(bytes, two_bytes, opcode)) return;
            if (decoder.decode(std::as_bytes(std::span{bytes}), size,
                               comparison.instruction_address(),
                               instruction) != DecodeStatus::Complete)
                return;
            if (instruction.decoded.opcode != opcode) return;  // `opcode` was a prefix
            Op op;
            if (!integer_forms().bind(instruction, op) || !can_run_anywhere(instruction)) return;
            compare(bytes, instruction, code);
        });
        RecordProperty("encodings", std::to_string(compared));
        EXPECT_GT(compared, 10000u);
    }

    NativeComparison comparison;
    unsigned compared = 0;
};

TEST_F(OpcodeMap, Of64BitCodeIsTheProcessors) {
    check({{}, {0x66}, {0xf2}, {0xf3}, {0x48}, {0x66, 0x48}, {0x41}, {0xf0}}, Code::Bits64);
}

TEST_F(OpcodeMap, Of32BitCodeIsTheProcessors) {
    if (!NativeProcessor::instance().has_code32())
        GTEST_SKIP() << "this kernel has no 32-bit code segment";
    check({{}, {0x66}, {0xf2}, {0xf3}, {0xf0}}, Code::Bits32);
}

}  // namespace
}  // namespace backplane::x86::testing
