// Whole sequences of instructions behave in the engine as on the processor that runs the tests:
// what blocks, fused pairs, lazy flags and operand forms make of them together.
#include "random_sequence.h"
#include "support/native_processor.h"
#include "test_engine.h"
#include "test_processor.h"
#include "x86/decoder.h"
#include "x86/disassembler.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <sstream>

namespace backplane::interp::testing {
namespace {

using x86::testing::NativeProcessor, x86::testing::NativeState;

constexpr std::uint64_t physical_code = 0x50'0000, physical_data = 0x51'0000;

std::string listing(const RandomSequence& sequence, std::uint64_t address) {
    std::ostringstream text;
    const auto* bytes = reinterpret_cast<const std::byte*>(sequence.code().data());
    for (std::size_t at = 0; at < sequence.code().size();) {
        x86::Instruction instruction;
        if (x86::Decoder{}.decode({bytes + at, sequence.code().size() - at}, x86::CodeSize::Bits64,
                                  address + at, instruction) != x86::DecodeStatus::Complete)
            break;
        text << std::hex << address + at << "  " << x86::disassemble(instruction) << '\n';
        at += instruction.decoded.length;
    }
    return text.str();
}

class NativeSequences : public ::testing::Test {
protected:
    NativeSequences() {
        place.code = native.instruction_address();
        place.data = native.data_address();
        processor.map(place.code & ~std::uint64_t{0xfff}, physical_code);
        for (std::uint64_t page = 0; page < SequencePlace::size; page += 0x1000)
            processor.map(place.data + page, physical_data + page);
    }

    // Integers, and numbers that floating point finds interesting.
    void fill_data() {
        static constexpr std::uint64_t interesting[] = {0,
                                                        0x3ff0000000000000,
                                                        0xc008000000000000,
                                                        0x7ff0000000000000,
                                                        0x7ff8000000000001,
                                                        0x7ff4000000000000,
                                                        0x0000000000000123,
                                                        0x3f8000007f800000,
                                                        0x7fc00001ff800000,
                                                        0x0000000180000000,
                                                        0x41dfffffffc00000,
                                                        0x4b0000003e99999a,
                                                        0x3fd5555555555555};
        for (std::size_t at = 0; at < SequencePlace::size; at += 8) {
            std::uint64_t value = random();
            if (random() % 2) value = interesting[random() % std::size(interesting)];
            std::memcpy(native.data().data() + at, &value, 8);
        }
        // Every exception masked; rounding, DAZ and FTZ vary.
        const std::uint32_t control = 0x1f80 | (random() % 2 ? 0 : random() & 0xe040);
        const std::uint32_t normal = 0x1f80;
        std::memcpy(native.data().data() + SequencePlace::mxcsr, &control, 4);
        std::memcpy(native.data().data() + SequencePlace::mxcsr_default, &normal, 4);
    }

    NativeState initial_state() {
        NativeState state;
        for (std::uint64_t& value : state.gpr)
            value = random() % 3 ? random() : random() % 256 - 128;
        state.gpr[4] = place.data + SequencePlace::stack;
        state.gpr[5] = place.rbp();
        state.gpr[12] = place.r12();
        state.gpr[13] = place.r13();
        state.gpr[14] = random() % 16;
        state.rflags = 0x202 | (random() & x86::rflags::arithmetic);
        return state;
    }

    void compare(const RandomSequence& sequence) {
        const NativeState before = initial_state();
        fill_data();
        std::memcpy(&processor.bus.ram[physical_data], native.data().data(), SequencePlace::size);
        std::vector<std::uint8_t> code = sequence.code();
        native.set_code(code);
        const NativeState expected = native.run(before);
        ASSERT_EQ(expected.signal, 0);

        code.push_back(0xf4);
        const std::uint64_t at = physical_code + (place.code & 0xfff);
        processor.place(at, code);
        processor.cpu.invalidate_physical(at, code.size());
        x86::CpuState& state = processor.cpu.state;
        state.gpr = before.gpr;
        state.set_full_rflags(before.rflags);
        ASSERT_TRUE(processor.run_to_halt(place.code, 10'000'000));
        ASSERT_EQ(state.rip, place.code + code.size());

        for (unsigned i = 0; i < 16; ++i)
            ASSERT_EQ(state.gpr[i], expected.gpr[i]) << "register " << i;
        const std::uint64_t defined = (x86::rflags::arithmetic | x86::rflags::df) &
                                      ~sequence.undefined();
        ASSERT_EQ(state.full_rflags() & defined, expected.rflags & defined);
        for (std::size_t i = 0; i < SequencePlace::size; ++i)
            ASSERT_EQ(processor.bus.ram[physical_data + i], std::to_integer<int>(native.data()[i]))
                << "data at " << std::hex << i;
    }

    std::uint64_t random() { return generator(); }

    NativeProcessor& native = NativeProcessor::instance();
    TestProcessor processor;
    SequencePlace place;
    std::mt19937_64 generator{5};
};

// BACKPLANE_SEQUENCES and BACKPLANE_SEED make longer or other runs.
std::uint64_t setting(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 0) : otherwise;
}

TEST_F(NativeSequences, EndInTheSameState) {
    const std::uint64_t count = setting("BACKPLANE_SEQUENCES", is_engine_slow() ? 300 : 20'000);
    const std::uint64_t first_seed = setting("BACKPLANE_SEED", 1);
    std::uint64_t instructions = 0;
    for (std::uint64_t seed = first_seed; seed < first_seed + count; ++seed) {
        generator.seed(seed);
        const RandomSequence sequence{place, random(), static_cast<unsigned>(5 + random() % 26)};
        compare(sequence);
        if (HasFatalFailure()) FAIL() << "seed " << seed << '\n' << listing(sequence, place.code);
        instructions += sequence.instructions();
    }
    RecordProperty("sequences", static_cast<int>(count));
    RecordProperty("instructions", static_cast<int>(instructions));
}

}  // namespace
}  // namespace backplane::interp::testing
