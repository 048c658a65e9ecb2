// PCMPESTRI, PCMPESTRM, PCMPISTRI and PCMPISTRM against the processor, with every control byte.
#include "x86/fp_values.h"

#include <gtest/gtest.h>

namespace backplane::x86::testing {
namespace {

using Masks = FpValues::Masks;
using Tags = FpValues::Tags;

// Texts over a few characters, so that they match in places; ends anywhere, sign bits among them.
class Texts {
public:
    explicit Texts(std::uint64_t seed) : values_(seed) {}

    std::array<std::uint64_t, 2> text() {
        static constexpr std::uint8_t alphabets[][4] = {
            {'a', 'a', 'a', 'b'}, {'a', 'b', 'c', 'd'}, {0x7f, 0x80, 0xff, 0x01}, {'a', 'z', 0, 0}};
        const auto& alphabet = alphabets[values_.below(4)];
        std::array<std::uint8_t, 16> bytes;
        for (std::uint8_t& byte : bytes)
            byte = values_.one_in(24)
                       ? static_cast<std::uint8_t>(values_.one_in(2) ? values_.bits() : 0)
                       : alphabet[values_.below(4)];
        if (values_.one_in(3))  // words of the same character
            for (unsigned i = 1; i < 16; i += 2)
                bytes[i] = values_.one_in(8) ? bytes[i] : 0;
        if (values_.one_in(3)) std::fill(bytes.begin() + values_.below(16), bytes.end(), 0);
        std::array<std::uint64_t, 2> result;
        std::memcpy(result.data(), bytes.data(), sizeof bytes);
        return result;
    }

    std::uint64_t length() {
        const std::uint64_t value = values_.one_in(8) ? values_.integer() : values_.below(20);
        return values_.one_in(3) ? 0 - value : value;
    }

    FpState state() {
        FpState state = values_.state(Masks::AllSet, Tags::AllFull);
        for (auto& value : state.xmm)
            value = text();
        if (values_.one_in(4)) state.xmm[1] = state.xmm[0];
        state.rax = length();
        state.rdx = length();
        return state;
    }

    std::array<std::uint8_t, FpComparison::memory_size> memory() {
        std::array<std::uint8_t, FpComparison::memory_size> bytes{};
        const auto value = text();
        std::memcpy(bytes.data(), value.data(), sizeof value);
        return bytes;
    }

private:
    FpValues values_;
};

void check_all_controls(const Code& opcode) {
    Texts texts(opcode.back());
    for (unsigned control = 0; control < 256; ++control)
        for (const std::uint8_t modrm : {0xc1, 0xd2, 0xcf, 0x06}) {
            Code code = opcode;
            code.insert(code.end(), {modrm, static_cast<std::uint8_t>(control)});
            FpComparison comparison(code);
            for (int i = 0; i < 60; ++i)
                ASSERT_EQ(comparison.difference(texts.state(), texts.memory()), "");
        }
}

TEST(StringCompare, MatchesTheProcessorWithExplicitLengths) {
    check_all_controls({0x66, 0x0f, 0x3a, 0x60});
    check_all_controls({0x66, 0x0f, 0x3a, 0x61});
}

TEST(StringCompare, MatchesTheProcessorWithLengthsOf64Bits) {
    check_all_controls({0x66, 0x48, 0x0f, 0x3a, 0x60});
    check_all_controls({0x66, 0x48, 0x0f, 0x3a, 0x61});
}

TEST(StringCompare, MatchesTheProcessorWithImplicitLengths) {
    check_all_controls({0x66, 0x0f, 0x3a, 0x62});
    check_all_controls({0x66, 0x0f, 0x3a, 0x63});
}

}  // namespace
}  // namespace backplane::x86::testing
