// Random programs of x87 instructions, among others, leave the same whether they are compiled or
// interpreted.
#include "both_engines.h"
#include "x86/decoder.h"
#include "x86/disassembler.h"
#include "x86/instruction_set.h"
#include "x86/x87_stack.h"

#include <cstdlib>
#include <random>
#include <sstream>
#include <string>

namespace backplane::jit::testing {
namespace {

using x86::RBP, x86::RBX, x86::RCX, x86::RDI, x86::RDX, x86::RSI, x86::RSP;

class X87Sequences : public BothEngines {
protected:
    // The page behind the first two is not there.
    static constexpr std::uint64_t missing = data + 0x2000, words = data + 0x3000;

    X87Sequences() {
        on_both([](TestProcessor& processor) {
            processor.write<std::uint64_t>(processor.entry(missing), 0);
        });
    }

    unsigned pick(unsigned count) { return static_cast<unsigned>(random() % count); }
    bool chance(unsigned percent) { return pick(100) < percent; }

    // ---- The state before ----

    x86::Float80 number() {
        static constexpr x86::Float80 interesting[]{
            {0, 0},          {0, 0x8000},     {1ull << 63, 0x3fff}, {1ull << 63, 0xbfff},
            {1, 0},          {1ull << 63, 0}, {1ull << 63, 0x7fff}, {1ull << 63, 0xffff},
            {3ull << 62, 0}, {1, 0x3fff},     {3ull << 62, 0x7fff}, {5ull << 61, 0x7fff},
            {~0ull, 0x7ffe}, {~0ull, 0x401d}, {0x80000001, 0x3fff}, x86::x87_indefinite};
        if (chance(40)) return interesting[pick(std::size(interesting))];
        const auto exponent = static_cast<std::uint16_t>(0x3fff - 40 + pick(80));
        return {random() | 1ull << 63, static_cast<std::uint16_t>(exponent | (random() & 0x8000))};
    }

    void choose_state() {
        x86::X87State x87;
        for (x86::Float80& value : x87.registers)
            value = number();
        x87.control = control_word();
        x87.status = static_cast<std::uint16_t>(random() & 0x7f7f);
        if (chance(80)) x87.status &= ~x86::x87_status::flags;
        x87.valid = static_cast<std::uint8_t>(random() | random() | (chance(50) ? 0xff : 0));
        const std::uint64_t seed = random();
        on_both([&](TestProcessor& processor) {
            x86::CpuState& state = processor.cpu.state;
            std::mt19937_64 values{seed};
            state.x87 = x87;
            x86::X87Stack{state}.update_summary();
            for (std::uint64_t& value : state.gpr)
                value = values();
            state.gpr[RCX] = 3;
            state.gpr[RSI] = data + values() % 0x800;
            state.gpr[RDI] = data + (values() % 3 ? values() % 0x2000 : 0x1ff0 + values() % 16);
            state.gpr[RBP] = data + 0x1000 + values() % 0x800;
            state.gpr[x86::R11] = data + 0x800;
            state.gpr[RBX] = values() % 16;
            state.gpr[RSP] = TestProcessor::stack;
            state.segments[x86::FS].base = 0x40;
            state.set_full_rflags(0x2 | (values() & x86::rflags::arithmetic));
            state.cr0 = 0x8001'0033;
            for (std::uint64_t at = data; at < missing; at += 8)
                processor.write(at, values() % 2 ? values() : std::uint64_t{0x3ff0} << 48);
            for (unsigned i = 0; i < 16; ++i)
                processor.write(words + 2 * i, control_words[i]);
            processor.cpu.state_replaced();
        });
    }

    std::uint16_t control_word() {
        const std::uint16_t masks = chance(90) ? 0x7f : 0x40 | pick(0x40);
        return static_cast<std::uint16_t>(masks | (chance(50) ? 0x300 : pick(16) << 8));
    }

    // ---- The program ----

    void emit(std::initializer_list<unsigned> bytes) {
        for (const unsigned byte : bytes)
            program_.push_back(static_cast<std::uint8_t>(byte));
    }

    // ModRM and what is behind it.
    void memory(unsigned extension) {
        static constexpr unsigned bases[]{6, 7, 5};  // RSI, RDI, RBP
        const unsigned base = bases[pick(3)];
        const unsigned displacement = pick(128);
        if (chance(20))
            emit({0x44 | extension << 3, 0xd8 | base, displacement});  // with RBX * 8
        else
            emit({0x40 | extension << 3 | base, displacement});
    }
    void prefixes() {
        if (chance(5)) emit({0x64});  // FS
        if (chance(5)) emit({0x67});
        if (chance(10)) emit({0x41});  // REX.B
    }

    void x87_instruction() {
        const unsigned opcode = 0xd8 | pick(8);
        if (chance(70)) {
            emit({opcode, 0xc0 | pick(64)});
            return;
        }
        if (chance(10)) {  // [R11 + displacement]
            emit({0x41, opcode, 0x43 | pick(8) << 3, pick(128)});
            return;
        }
        prefixes();
        unsigned extension = pick(8);
        // What takes environments from anywhere is rare.
        const bool image = (opcode == 0xd9 || opcode == 0xdd) && extension == 4;
        if (image && chance(90)) extension = 0;
        emit({opcode});
        memory(extension);
    }

    void load_control() {
        emit({0xd9, 0x2c, 0x25});
        const std::uint64_t address = words + 2 * pick(16);
        for (unsigned i = 0; i < 4; ++i)
            emit({static_cast<unsigned>(address >> 8 * i) & 0xff});
    }

    void other_instruction() {
        switch (pick(19)) {
        case 0: emit({0x48, 0x83, 0xc6, pick(64)}); break;           // add rsi, n
        case 1: emit({0x48, 0x83, 0xef, pick(64)}); break;           // sub rdi, n
        case 2: emit({0x49, 0x83, 0xc3, pick(64)}); break;           // add r11, n
        case 3: emit({0x83, 0xe3, 0x07}); break;                     // and ebx, 7
        case 4: emit({0x39, 0xd0}); break;                           // cmp eax, edx
        case 5: emit({0x11, 0xc2}); break;                           // adc edx, eax
        case 6: emit({0x0f, 0x90 | pick(16), 0xc0}); break;          // setcc al
        case 7: emit({0x9f, 0x9e}); break;                           // lahf;  sahf
        case 8: emit({0x9e}); break;                                 // sahf
        case 9: emit({0x50, 0x5a}); break;                           // push rax;  pop rdx
        case 10: emit({0x0f, 0x10, 0x06, 0x0f, 0x58, 0xc1}); break;  // movups;  addps
        case 11: emit({0x0f, 0x6f, 0x06, 0x0f, 0xfe, 0xc1}); break;  // movq mm0;  paddd
        case 12: emit({0x0f, 0x77}); break;                          // emms
        case 13: emit({0xac}); break;                                // lodsb
        case 14: emit({0xe8, 0x00, 0x00, 0x00, 0x00, 0x5a}); break;  // call;  pop rdx
        case 15: emit({0xdf, 0xe0, 0x80, 0xe4, 0x45}); break;        // fnstsw ax;  and ah
        case 16: emit({0x9b}); break;                                // fwait
        case 17: load_control(); break;
        case 18:
            if (chance(85)) break;
            emit({0xb8, 0x3b, 0x00, 0x01, 0x80, 0x0f, 0x22, 0xc0});  // CR0.TS
            break;
        }
    }

    bool is_known(std::size_t at) const {
        static const x86::Decoder decoder{x86::decoder_features(interp::testing::test_model())};
        const std::span<const std::uint8_t> bytes{program_.begin() + static_cast<long>(at),
                                                  program_.end()};
        x86::Instruction instruction;
        return decoder.decode(std::as_bytes(bytes), x86::CodeSize::Bits64, at, instruction) ==
                   x86::DecodeStatus::Complete &&
               x86::has_instruction(interp::testing::test_model(), instruction);
    }

    // Three times around.
    void make_program(unsigned instructions) {
        program_.clear();
        for (unsigned i = 0; i < instructions; ++i) {
            const std::size_t at = program_.size();
            const bool jumps = chance(8);
            if (jumps) emit({0x70 | pick(16), 0});  // over the next one
            const std::size_t behind = program_.size();
            chance(65) ? x87_instruction() : other_instruction();
            if (program_.size() != behind && !is_known(behind)) program_.resize(at);
            if (jumps && program_.size() > behind)
                program_[behind - 1] = static_cast<std::uint8_t>(program_.size() - behind);
        }
        emit({0xff, 0xc9});  // dec ecx
        emit({0x0f, 0x85});  // jnz
        const auto back = static_cast<std::uint32_t>(-static_cast<int>(program_.size() + 4));
        for (unsigned i = 0; i < 4; ++i)
            emit({back >> 8 * i & 0xff});
    }

    std::string listing() const {
        std::ostringstream text;
        const auto bytes = std::as_bytes(std::span{program_});
        for (std::size_t at = 0; at < bytes.size();) {
            x86::Instruction instruction;
            if (x86::Decoder{}.decode(bytes.subspan(at), x86::CodeSize::Bits64, code + at,
                                      instruction) != x86::DecodeStatus::Complete)
                break;
            text << std::hex << code + at << "  " << x86::disassemble(instruction) << '\n';
            at += instruction.decoded.length;
        }
        return text.str();
    }

    std::uint64_t random() { return generator_(); }

    // Masked, but for one.
    static constexpr std::uint16_t control_words[16]{0x37f, 0x27f,  0x07f,  0x77f, 0xb7f, 0xf7f,
                                                     0x37f, 0xc7f,  0x67f,  0xa7f, 0x47f, 0x37f,
                                                     0x17f, 0x137f, 0xffff, 0x37b};
    std::mt19937_64 generator_;
    std::vector<std::uint8_t> program_;
};

// BACKPLANE_SEQUENCES and BACKPLANE_SEED make longer or other runs.
std::uint64_t setting(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 0) : otherwise;
}

TEST_F(X87Sequences, LeaveTheSameInBothEngines) {
    const std::uint64_t count = setting("BACKPLANE_SEQUENCES", 5'000);
    const std::uint64_t first_seed = setting("BACKPLANE_SEED", 1);
    unsigned complete = 0;
    for (std::uint64_t seed = first_seed; seed < first_seed + count; ++seed) {
        generator_.seed(seed);
        choose_state();
        make_program(2 + pick(24));
        const bool in_pieces = chance(30);
        run(program_, [&] { return in_pieces ? 1 + pick(20) : limit; });
        if (HasFailure()) FAIL() << "seed " << seed << '\n' << listing();
        if (interpreted.stopped_in_vector() < 0) ++complete;
    }
    EXPECT_GT(complete, count / 4) << "without an exception";
}

}  // namespace
}  // namespace backplane::jit::testing
