// Within a block the engine leaves out flags that nobody reads and keeps registers out of CpuState:
// wherever execution can be left, everything is there all the same.
#include "test_processor.h"
#include "x86/flags.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <vector>

namespace backplane::interp::testing {
namespace {

using x86::RBP, x86::RSP;
constexpr std::uint64_t code = TestProcessor::code, data = TestProcessor::data;

// Integer instructions, mostly on registers, in 64-bit code. Memory operands are at RBP.
class IntegerSequence {
public:
    IntegerSequence(std::uint64_t seed, unsigned instructions) : random_{seed} {
        for (unsigned i = 0; i < instructions; ++i)
            add();
        bytes_.push_back(0xf4);
    }

    const std::vector<std::uint8_t>& bytes() const { return bytes_; }

private:
    unsigned pick(unsigned count) { return static_cast<unsigned>(random_() % count); }
    unsigned one_of(std::initializer_list<unsigned> list) {
        return list.begin()[pick(static_cast<unsigned>(list.size()))];
    }
    void emit(std::initializer_list<unsigned> bytes) {
        for (const unsigned byte : bytes)
            bytes_.push_back(static_cast<std::uint8_t>(byte));
    }

    // Few registers, so that instructions depend on each other; neither RSP nor RBP.
    unsigned some_register() { return one_of({0, 1, 2, 3, 6, 7, 8, 9}); }

    // Prefixes, opcode and ModRM for a register and another, or memory.
    void emit_modrm(std::initializer_list<unsigned> opcode, unsigned reg, bool may_access = true) {
        const bool accesses = may_access && pick(8) == 0;
        const unsigned rm = accesses ? 5 : some_register();
        if (pick(10) == 0) emit({0x66});
        emit({0x40 | (pick(3) ? 8u : 0u) | reg >> 3 << 2 | rm >> 3});
        emit(opcode);
        if (accesses)
            emit({0x45 | (reg & 7) << 3, pick(14) * 8});
        else
            emit({0xc0 | (reg & 7) << 3 | (rm & 7)});
    }

    void add() {
        switch (pick(16)) {
        case 0:
        case 1:
        case 2:
        case 3:  // ADD, OR, ADC, SBB, AND, SUB, XOR, CMP, TEST, MOV in both directions, also of
                 // bytes
            return emit_modrm({pick(5)
                                   ? one_of({0x01, 0x03, 0x09, 0x0b, 0x11, 0x1b, 0x21, 0x23, 0x29,
                                             0x2b, 0x31, 0x33, 0x39, 0x3b, 0x85, 0x89, 0x8b})
                                   : one_of({0x00, 0x02, 0x08, 0x10, 0x1a, 0x20, 0x28, 0x30, 0x38,
                                             0x84, 0x88, 0x8a})},
                              some_register());
        case 4:
        case 5: emit_modrm({0x83}, pick(8)); return emit({pick(256)});
        case 6:  // shifts and rotates by a constant
            emit_modrm({0xc1}, one_of({0, 1, 2, 3, 4, 4, 5, 5, 7, 7}));
            return emit({pick(4) ? pick(64) : 0u});
        case 7: return emit_modrm({one_of({0xd1, 0xd3})}, one_of({0, 1, 2, 3, 4, 5, 7}));
        case 8: return emit_modrm({0xff}, pick(2));                            // INC, DEC
        case 9: return emit_modrm({0xf7}, 2 + pick(2));                        // NOT, NEG
        case 10: return emit_modrm({0x0f, 0x40 | pick(16)}, some_register());  // CMOVcc
        case 11: return emit_modrm({0x0f, 0x90 | pick(16)}, 0);                // SETcc
        case 12:  // IMUL, MOVZX, MOVSX, MOVSXD
            if (pick(4) == 0) return emit_modrm({0x63}, some_register());
            return emit_modrm({0x0f, one_of({0xaf, 0xb6, 0xb7, 0xbe, 0xbf})}, some_register());
        case 13:  // LEA and BT of a constant
            if (pick(2)) return emit_lea();
            emit_modrm({0x0f, 0xba}, 4 + pick(4));
            return emit({pick(64)});
        case 14:
            switch (pick(5)) {
            case 0: return emit({0x48, 0x98 | pick(2)});                           // CDQE, CQO
            case 1: return emit({0x48, 0x0f, 0xc8 | one_of({0, 1, 2, 3, 6, 7})});  // BSWAP
            case 2: return emit_modrm({0x87}, some_register());                    // XCHG
            case 3: return emit({0x90});
            default: return emit({0x50 | one_of({0, 1, 2, 3}), 0x58 | one_of({0, 1, 2, 3})});
            }
        default: return emit({0x70 | pick(16), 0});  // Jcc to the next instruction
        }
    }

    void emit_lea() {
        const unsigned reg = some_register(), base = some_register(), index = some_register();
        if (pick(2))
            return emit({0x48 | reg >> 3 << 2 | base >> 3, 0x8d, 0x40 | (reg & 7) << 3 | (base & 7),
                         pick(256)});
        emit({0x48 | reg >> 3 << 2 | index >> 3 << 1 | base >> 3, 0x8d, 0x44 | (reg & 7) << 3,
              pick(4) << 6 | (index & 7) << 3 | (base & 7), pick(256)});
    }

    std::mt19937_64 random_;
    std::vector<std::uint8_t> bytes_;
};

struct Registers {
    std::array<std::uint64_t, 16> gpr;
    std::uint64_t rflags, rip;
    bool operator==(const Registers&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Registers& registers) {
    out << std::hex << "rip " << registers.rip << " rflags " << registers.rflags;
    for (const std::uint64_t value : registers.gpr)
        out << ' ' << value;
    return out;
}

class MissingFlags : public ::testing::Test {
protected:
    void set_up(std::uint64_t seed) {
        const IntegerSequence sequence{seed, 40};
        processor.place(code, sequence.bytes());
        processor.cpu.invalidate_physical(code, sequence.bytes().size());
        std::mt19937_64 random{seed};
        x86::CpuState& state = processor.cpu.state;
        for (std::uint64_t& value : first.gpr)
            value = random();
        first.gpr[RSP] = TestProcessor::stack;
        first.gpr[RBP] = data;
        first.rflags = 2 | (random() & x86::rflags::arithmetic);
        first.rip = code;
        for (unsigned i = 0; i < 128; i += 8)
            memory[i / 8] = random();
        state.halted = false;
    }

    void start(bool apart) {
        x86::CpuState& state = processor.cpu.state;
        state.gpr = first.gpr;
        state.set_full_rflags(first.rflags);
        state.rip = first.rip;
        state.halted = false;
        for (unsigned i = 0; i < memory.size(); ++i)
            processor.write(data + 8 * i, memory[i]);
        // A watched address that nobody touches: each instruction leaves everything behind.
        state.dr[0] = data + 0x800;
        state.dr[7] = apart ? 0x400 | 1 | 1 << 16 : 0x400;
        processor.cpu.state_replaced();
    }

    Registers registers() const {
        const x86::CpuState& state = processor.cpu.state;
        return {state.gpr, state.full_rflags(), state.rip};
    }

    // After each instruction, beginning with none.
    std::vector<Registers> one_by_one() {
        start(true);
        std::vector<Registers> all{registers()};
        while (!processor.cpu.state.halted && all.size() < 1000) {
            processor.cpu.run(1);
            all.push_back(registers());
        }
        return all;
    }

    TestProcessor processor;
    Registers first{};
    std::array<std::uint64_t, 16> memory{};
};

TEST_F(MissingFlags, AreThereWhereABudgetEnds) {
    const std::uint64_t seeds = is_engine_slow() ? 150 : 400;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        set_up(seed);
        const std::vector<Registers> expected = one_by_one();
        ASSERT_TRUE(processor.cpu.state.halted);
        for (std::size_t count = 1; count < expected.size(); ++count) {
            start(false);
            processor.cpu.run(static_cast<std::int64_t>(count));
            ASSERT_EQ(registers(), expected[count]) << "seed " << seed << " after " << count;
        }
    }
}

TEST_F(MissingFlags, AreThereForFaults) {
    std::optional<Registers> seen;
    processor.cpu.on_exception = [&](const x86::Fault&) { seen = registers(); };
    unsigned faults = 0;
    const unsigned seeds = is_engine_slow() ? 300 : 1500;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        set_up(seed);
        std::array<std::optional<Registers>, 2> found;
        for (const bool apart : {false, true}) {
            start(apart);
            processor.write<std::uint64_t>(TestProcessor::entry(data), 0);
            processor.cpu.flush_tlb();
            seen.reset();
            processor.cpu.run(1000);
            found[apart] = seen;
        }
        processor.write<std::uint64_t>(TestProcessor::entry(data),
                                       data | TestProcessor::entry_flags);
        ASSERT_EQ(found[0], found[1]) << "seed " << seed;
        if (seen) ++faults;
    }
    EXPECT_GT(faults, seeds * 2 / 3);
}

TEST_F(MissingFlags, AreThereWhenADeviceInterrupts) {
    processor.bus.on_read = [&](std::uint64_t, unsigned) {
        processor.cpu.request_attention();
        return 0x0123'4567'89ab'cdef;
    };
    processor.bus.on_write = [&](std::uint64_t, unsigned, std::uint64_t) {
        processor.cpu.request_attention();
    };
    unsigned compared = 0;
    processor.write(TestProcessor::entry(data), TestBus::device | TestProcessor::entry_flags);
    const unsigned seeds = is_engine_slow() ? 150 : 500;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        set_up(seed);
        const std::vector<Registers> expected = one_by_one();
        start(false);
        const std::uint64_t before = processor.cpu.instructions();
        while (!processor.cpu.state.halted) {
            const RunResult result = processor.cpu.run(1000);
            const std::uint64_t count = processor.cpu.instructions() - before;
            if (result != RunResult::Attention) continue;
            ASSERT_LT(count, expected.size());
            ASSERT_EQ(registers(), expected[count]) << "seed " << seed << " after " << count;
            ++compared;
        }
    }
    EXPECT_GT(compared, 2 * seeds);
}

}  // namespace
}  // namespace backplane::interp::testing
