// The decoder against the processor: any bytes have the same length, and are an instruction to both
// or to neither.
//
// The processor tells the length by what it fetches: an instruction that ends with its page does
// not touch the absent one behind, and without its last byte it does. BACKPLANE_ORACLE_LENGTHS is
// the number of byte strings, 100000 when absent.
#include "disagreements.h"
#include "engine_process.h"
#include "exemptions.h"
#include "native_process.h"
#include "random.h"
#include "state_generator.h"
#include "x86/disassembler.h"
#include "x86/instruction_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

namespace backplane::oracle {
namespace {

using x86::CodeSize;
using x86::DecodeStatus;

constexpr int invalid_opcode = 6, general_protection = 13, page_fault = 14;
constexpr std::uint64_t code_end = code_address + code_bytes;
constexpr std::size_t string_bytes = 15;

using Bytes = std::array<std::uint8_t, string_bytes>;

// Every third string begins like an instruction that exists.
Bytes random_bytes(Random& random) {
    static constexpr std::uint8_t beginnings[] = {0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x2e, 0x64, 0x48,
                                                  0x4c, 0x0f, 0xc4, 0xc5, 0x8d, 0xd9, 0xf7, 0x38};
    Bytes bytes;
    for (auto& byte : bytes)
        byte = random.byte();
    for (std::size_t i = 0; i < 4 && random.percent(60); ++i)
        bytes[i] = random.one_of(beginnings);
    if (random.percent(2)) std::fill_n(bytes.begin(), 14, random.one_of(beginnings));
    return bytes;
}

class Lengths {
public:
    explicit Lengths(std::uint64_t seed) : random_{seed}, states_{seed} {}

    const std::string& problem() const { return native_.problem(); }

    void run(std::uint64_t count) {
        while (strings_ < count)
            run_batch();
    }
    std::uint64_t instructions = 0, refused = 0;

private:
    enum class Kind : std::uint8_t { Whole, Short, Refused };
    struct Asked {
        Kind kind;
        DecodeStatus status;
        x86::Instruction instruction;
    };

    void run_batch() {
        std::size_t used = 0;
        while (used + 2 <= NativeProcess::batch_size)
            used += ask(used);
        native_.start(used);
        native_.finish();
        for (std::size_t i = 0; i < used; ++i)
            check(native_.cases()[i], native_.results()[i], asked_[i]);
    }

    std::size_t ask(std::size_t at) {
        static constexpr CodeSize sizes[] = {CodeSize::Bits64, CodeSize::Bits32, CodeSize::Bits16};
        const CodeSize size = native_.has_local_table() ? random_.one_of(sizes)
                                                        : sizes[random_.below(2)];
        const Bytes bytes = random_bytes(random_);
        Asked asked;
        asked.status = decoder_.decode(std::as_bytes(std::span{bytes}), size, code_address,
                                       asked.instruction);
        if (asked.status == DecodeStatus::Complete) {
            if (!may_execute(asked.instruction) || loads_stack_segment(asked.instruction)) return 0;
            ++strings_;
            const std::size_t length = asked.instruction.decoded.length;
            place(at, size, std::span{bytes}.first(length), asked, Kind::Whole);
            if (length == 1) return 1;
            place(at + 1, size, std::span{bytes}.first(length - 1), asked, Kind::Short);
            return 2;
        }
        if (!may_try_invalid(bytes, size)) return 0;
        ++strings_;
        place(at, size, bytes, asked, Kind::Refused);
        return 1;
    }

    // The trap waits for the instruction behind it, which is not there.
    static bool loads_stack_segment(const x86::Instruction& instruction) {
        const auto& first = instruction.operands[0];
        return instruction.mnemonic() == ZYDIS_MNEMONIC_LSS ||
               (first.type == ZYDIS_OPERAND_TYPE_REGISTER && first.reg.value == ZYDIS_REGISTER_SS);
    }

    // At the end of the code, so that the absent page follows.
    void place(std::size_t at, CodeSize size, std::span<const std::uint8_t> bytes, Asked asked,
               Kind kind) {
        Case& test = native_.cases()[at];
        states_.choose_ip(size);
        test.code_size = size;
        test.length = static_cast<std::uint8_t>(bytes.size());
        test.bytes = {};
        std::ranges::copy(bytes, test.bytes.begin());
        states_.prepare(nullptr, test);
        test.single_step = true;
        const std::uint64_t start = code_end - bytes.size();
        test.before.rip = size == CodeSize::Bits16 ? start - code_address : start;
        // A repeated instruction comes to its end at once.
        test.before.gpr[x86::RCX] = 1;
        asked.kind = kind;
        asked_[at] = asked;
    }

    void check(const Case& test, const Result& native, const Asked& asked) {
        const bool fetched_on = native.vector == page_fault && native.fault_address == code_end &&
                                (native.error_code & 0x10);
        const auto* instruction = asked.status == DecodeStatus::Complete ? &asked.instruction
                                                                         : nullptr;
        if (excused_parts(test, instruction, native) == part::all) return;
        const auto shown = [&] {
            std::string text;
            for (unsigned i = 0; i < test.length; ++i) {
                char byte[4];
                std::snprintf(byte, sizeof byte, "%02x ", test.bytes[i]);
                text += byte;
            }
            return text + (instruction ? x86::disassemble(*instruction) : "refused") +
                   ", code size " + std::to_string(static_cast<int>(test.code_size)) + ", vector " +
                   std::to_string(native.vector);
        };
        switch (asked.kind) {
        case Kind::Whole:
            ++instructions;
            EXPECT_FALSE(fetched_on && !shadows_trap(asked.instruction))
                << "longer to the processor: " << shown();
            if (native.vector == invalid_opcode)
                EXPECT_TRUE(always_refused(asked.instruction)) << "no instruction: " << shown();
            break;
        case Kind::Short:
            // What is refused need not be fetched to its end.
            if (native.vector == invalid_opcode || native.vector == general_protection) break;
            EXPECT_TRUE(fetched_on) << "shorter to the processor: " << shown();
            break;
        case Kind::Refused:
            ++refused;
            EXPECT_EQ(native.vector,
                      asked.status == DecodeStatus::TooLong ? general_protection : invalid_opcode)
                << shown();
            break;
        }
    }

    // SDM 3A 6.8.3: behind a load of SS the single-step trap waits for one instruction more.
    static bool shadows_trap(const x86::Instruction& instruction) {
        const bool moves = instruction.mnemonic() == ZYDIS_MNEMONIC_MOV ||
                           instruction.mnemonic() == ZYDIS_MNEMONIC_POP;
        return moves && instruction.operands[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
               instruction.operands[0].reg.value == ZYDIS_REGISTER_SS;
    }

    // Decodes to something that raises #UD, by name or outside some modes.
    static bool always_refused(const x86::Instruction& instruction) {
        switch (instruction.mnemonic()) {
        case ZYDIS_MNEMONIC_UD0:
        case ZYDIS_MNEMONIC_UD1:
        case ZYDIS_MNEMONIC_UD2:
        case ZYDIS_MNEMONIC_RSM: return true;
        default: return false;
        }
    }

    x86::Decoder decoder_{x86::decoder_features(complete_model())};
    NativeProcess native_;
    Random random_;
    StateGenerator states_;
    std::array<Asked, NativeProcess::batch_size> asked_;
    std::uint64_t strings_ = 0;
};

TEST(DecoderLengths, AreTheProcessorsForAnyBytes) {
    const char* asked = std::getenv("BACKPLANE_ORACLE_LENGTHS");
    const char* seed = std::getenv("BACKPLANE_ORACLE_SEED");
    const auto lengths = std::make_unique<Lengths>(seed ? std::strtoull(seed, nullptr, 0) : 3);
    if (!lengths->problem().empty()) GTEST_SKIP() << lengths->problem();
    lengths->run(asked ? std::strtoull(asked, nullptr, 0) : 100'000);
    EXPECT_GT(lengths->instructions, lengths->refused);
    RecordProperty("instructions", std::to_string(lengths->instructions));
    RecordProperty("refused", std::to_string(lengths->refused));
}

}  // namespace
}  // namespace backplane::oracle
