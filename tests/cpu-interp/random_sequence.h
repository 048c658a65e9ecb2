// Makes random instruction sequences whose outcome the architecture defines completely, but for the
// flags it names.
#pragma once

#include "support/encode.h"
#include "x86/flags.h"

#include <cstdint>
#include <random>
#include <vector>

namespace backplane::interp::testing {

// Where a sequence runs and what it may touch: 16 KiB of data, below 2 GiB.
struct SequencePlace {
    std::uint64_t code = 0, data = 0;

    // Parts of the data. Memory operands lie between `first` and `last`, 128 bytes inside.
    static constexpr std::uint64_t size = 0x4000, vectors = 0, mxcsr = 0x100, mxcsr_after = 0x104,
                                   mxcsr_default = 0x108, vectors_after = 0x200, first = 0x1000,
                                   last = 0x2800, stack = 0x3000;
    // R12, R13 and RBP point into the data and R14 is a small index; sequences leave them alone.
    std::uint64_t r12() const { return data + 0x1800; }
    std::uint64_t r13() const { return data + 0x1c00; }
    std::uint64_t rbp() const { return data + 0x2000; }
};

// The arithmetic flags that an instruction needs, leaves undefined, and defines.
struct FlagUse {
    std::uint64_t reads = 0, undefined = 0, defines = 0;
};

class RandomSequence {
public:
    RandomSequence(const SequencePlace& place, std::uint64_t seed, unsigned instructions);

    const std::vector<std::uint8_t>& code() const { return code_; }
    // Arithmetic flags that are undefined at the end.
    std::uint64_t undefined() const { return undefined_; }
    unsigned instructions() const { return instructions_; }

private:
    using Operands = std::vector<ZydisEncoderOperand>;
    struct Jump {
        std::size_t behind;
        unsigned bytes, items_left;
        std::uint64_t undefined;
    };

    unsigned pick(unsigned count) { return static_cast<unsigned>(random_() % count); }
    bool chance(unsigned percent) { return pick(100) < percent; }
    template <class T>
    T one_of(std::initializer_list<T> list) {
        return list.begin()[pick(static_cast<unsigned>(list.size()))];
    }

    bool emit(ZydisMnemonic mnemonic, const Operands& operands, FlagUse flags = {});
    void emit_bytes(std::initializer_list<unsigned> bytes);
    void emit32(std::uint64_t value);

    unsigned free_register();
    ZydisEncoderOperand register_of(unsigned width);
    ZydisEncoderOperand vector();
    ZydisEncoderOperand memory(unsigned width);
    ZydisEncoderOperand aligned_memory(unsigned width = 128);
    ZydisEncoderOperand any(unsigned width) {
        return chance(50) ? register_of(width) : memory(width);
    }
    ZydisEncoderOperand immediate(unsigned width);

    void item();
    void arithmetic();
    void one_operand();
    void shift();
    void multiply();
    void moves();
    void bits();
    void conditional();
    void jump();
    void stack();
    void string();
    void loop();
    void vector_integer();
    void vector_float();
    void convert();
    void settle_jumps();

    SequencePlace place_;
    std::mt19937_64 random_;
    std::vector<std::uint8_t> code_;
    std::vector<Jump> jumps_;
    std::uint64_t undefined_ = 0;
    unsigned instructions_ = 0;
};

}  // namespace backplane::interp::testing
