// The x87 environment in memory, in the four layouts of FLDENV, FNSTENV, FNSAVE and FRSTOR (SDM
// 1 8.1.10).
#pragma once

#include "x86/cpu_model.h"
#include "x86/system_services.h"
#include "x86/x87_stack.h"

#include <array>
#include <cstdint>

namespace backplane::x86 {

// What FXAM would call each register, as the two-bit tags of the full tag word.
inline std::uint16_t full_tag_word(const X87State& x87) {
    enum : unsigned { Valid, Zero, Special, Empty };
    unsigned word = 0;
    for (unsigned i = 0; i < 8; ++i) {
        const Float80& value = x87.registers[i];
        const unsigned exponent = value.sign_exponent & 0x7fff;
        unsigned tag = Valid;
        if (!(x87.valid >> i & 1))
            tag = Empty;
        else if (exponent == 0 && value.significand == 0)
            tag = Zero;
        else if (exponent == 0 || exponent == 0x7fff || !(value.significand >> 63))
            tag = Special;
        word |= tag << (2 * i);
    }
    return static_cast<std::uint16_t>(word);
}

inline std::uint8_t abridged_tags(std::uint16_t word) {
    unsigned valid = 0;
    for (unsigned i = 0; i < 8; ++i)
        if ((word >> (2 * i) & 3) != 3) valid |= 1u << i;
    return static_cast<std::uint8_t>(valid);
}

struct X87Selectors {
    std::uint16_t instruction = 0, data = 0;
};

// FCS and FDS as images have them: zero where CPUID says that they are deprecated (SDM 1 8.1.8).
template <class M>
X87Selectors x87_selectors(M& m) {
    if (m.system().model().has(Feature::FcsFdsDeprecated)) return {};
    const X87State& x87 = m.state().x87;
    return {x87.last_instruction_selector, x87.last_data_selector};
}

// Word is the operand size. The protected layout has selectors and offsets, the real one linear
// addresses.
template <class Word>
struct X87Environment {
    std::array<Word, 7> words;

    static constexpr bool wide = sizeof(Word) == 4;

    static X87Environment of(const X87State& x87, X87Selectors selectors, bool real_layout) {
        // The unused halves of a 32-bit image read as ones.
        const auto half = [](std::uint64_t value) {
            return static_cast<Word>((value & 0xffff) | (wide ? 0xffff0000u : 0u));
        };
        const auto high_part = [](std::uint64_t linear) {
            return static_cast<Word>((linear >> 16 & (wide ? 0xffff : 0xf)) << 12);
        };
        const auto address = [&](std::uint64_t offset, std::uint16_t selector) {
            return real_layout ? offset + (std::uint64_t{selector} << 4) : offset;
        };
        const std::uint64_t ip = address(x87.last_instruction, selectors.instruction);
        const std::uint64_t data = address(x87.last_data, selectors.data);
        const Word opcode = x87.last_opcode;
        const std::array<Word, 3> status{half(x87.control), half(x87.status),
                                         half(full_tag_word(x87))};
        if (real_layout)
            return {{status[0], status[1], status[2], half(ip),
                     static_cast<Word>(high_part(ip) | opcode), half(data), high_part(data)}};
        const Word opcode_part = wide ? static_cast<Word>(std::uint32_t{opcode} << 16) : Word{0};
        return {{status[0], status[1], status[2], static_cast<Word>(ip),
                 static_cast<Word>(opcode_part | selectors.instruction), static_cast<Word>(data),
                 half(selectors.data)}};
    }

    void load_into(X87State& x87, bool real_layout) const {
        x87.control = static_cast<std::uint16_t>((words[0] & x87_control::writable) |
                                                 x87_control::reserved_one);
        x87.status = static_cast<std::uint16_t>(words[1]);
        x87.valid = abridged_tags(static_cast<std::uint16_t>(words[2]));
        const auto linear = [](std::uint64_t low, std::uint64_t high) {
            return (low & 0xffff) | (high >> 12 & 0xffff) << 16;
        };
        x87.last_instruction = real_layout ? linear(words[3], words[4]) : words[3];
        x87.last_data = real_layout ? linear(words[5], words[6]) : words[5];
        x87.last_instruction_selector = real_layout ? 0 : static_cast<std::uint16_t>(words[4]);
        x87.last_data_selector = real_layout ? 0 : static_cast<std::uint16_t>(words[6]);
        if (real_layout)
            x87.last_opcode = words[4] & 0x7ff;
        else
            x87.last_opcode = wide ? static_cast<std::uint32_t>(words[4]) >> 16 & 0x7ff : 0;
    }
};

}  // namespace backplane::x86
