// AES-NI, PCLMULQDQ and the SHA extensions, executed by the host's own instructions.
#pragma once

#include "x86/constant_argument.h"
#include "x86/vector.h"

#include <cstdint>

namespace backplane::x86::host {

#define BACKPLANE_CRYPTO_BINARY(name)                                                              \
    inline constexpr auto name = [](Bits128 a, Bits128 b) {                                        \
        asm(#name " %1, %0" : "+x"(a) : "x"(b));                                                   \
        return a;                                                                                  \
    };

BACKPLANE_CRYPTO_BINARY(aesenc)
BACKPLANE_CRYPTO_BINARY(aesenclast)
BACKPLANE_CRYPTO_BINARY(aesdec)
BACKPLANE_CRYPTO_BINARY(aesdeclast)
BACKPLANE_CRYPTO_BINARY(sha1nexte)
BACKPLANE_CRYPTO_BINARY(sha1msg1)
BACKPLANE_CRYPTO_BINARY(sha1msg2)
BACKPLANE_CRYPTO_BINARY(sha256msg1)
BACKPLANE_CRYPTO_BINARY(sha256msg2)

#undef BACKPLANE_CRYPTO_BINARY

inline constexpr auto aesimc = [](Bits128 b) {
    Bits128 result;
    asm("aesimc %1, %0" : "=x"(result) : "x"(b));
    return result;
};

// SDM 2: the round constant comes last, into the two lanes that hold rotated words.
inline constexpr auto aeskeygenassist = [](Bits128 b, std::uint8_t round_constant) {
    Bits128 result;
    asm("aeskeygenassist $0, %1, %0" : "=x"(result) : "x"(b));
    const std::uint64_t constant = std::uint64_t{round_constant} << 32;
    return result ^ Bits128 { constant, constant };
};

// Bits 0 and 4 of the control byte choose the halves that are multiplied.
inline constexpr auto pclmulqdq = [](Bits128 a, Bits128 b, std::uint8_t control) {
    Bits128 result{a[control & 1]};
    asm("pclmulqdq $0, %1, %0" : "+x"(result) : "x"(Bits128{b[control >> 4 & 1]}));
    return result;
};

// The function and the constant of a group of twenty rounds are chosen by the low two bits.
inline constexpr auto sha1rnds4 = [](Bits128 a, Bits128 b, std::uint8_t control) {
    constexpr auto execute = []<unsigned group>(Bits128& state, Bits128 words) {
        asm("sha1rnds4 %2, %1, %0" : "+x"(state) : "x"(words), "i"(group));
    };
    with_constant<4>(control & 3, execute, a, b);
    return a;
};

// The words and constants of the two rounds come in XMM0.
inline constexpr auto sha256rnds2 = [](Bits128 a, Bits128 b, Bits128 words) {
    asm("sha256rnds2 %2, %1, %0" : "+x"(a) : "x"(b), "Yz"(words));
    return a;
};

}  // namespace backplane::x86::host
