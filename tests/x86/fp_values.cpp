#include "x86/fp_values.h"

namespace backplane::x86::testing {

std::uint32_t FpValues::single() {
    static constexpr std::uint32_t corners[] = {
        0x00000000, 0x00000001, 0x00400000, 0x007fffff, 0x00800000, 0x00800001, 0x3f800000,
        0x3f7fffff, 0x3f800001, 0x40000000, 0x3f000000, 0x3fc00000, 0x4b000000, 0x4b7fffff,
        0x4effffff, 0x4f000000, 0x5effffff, 0x5f000000, 0x7f7fffff, 0x7f800000, 0x7f800001,
        0x7fbfffff, 0x7fc00000, 0x7fc12345, 0x7fffffff, 0x3eaaaaab, 0x40490fdb, 0x1f800000,
        0x60000000, 0x47000000, 0x46fffe00, 0x7fa54321};
    const std::uint32_t sign = static_cast<std::uint32_t>(bits() & 0x80000000);
    switch (below(4)) {
    case 0: return static_cast<std::uint32_t>(bits());
    case 1: return sign | static_cast<std::uint32_t>((100 + below(56)) << 23 | (bits() & 0x7fffff));
    default: return sign | corners[below(std::size(corners))];
    }
}

std::uint64_t FpValues::real64() {
    static constexpr std::uint64_t corners[] = {
        0x0000000000000000, 0x0000000000000001, 0x0008000000000000, 0x000fffffffffffff,
        0x0010000000000000, 0x0010000000000001, 0x3ff0000000000000, 0x3fefffffffffffff,
        0x3ff0000000000001, 0x4000000000000000, 0x3fe0000000000000, 0x3ff8000000000000,
        0x41dfffffffc00000, 0x41dfffffffe00000, 0x41e0000000000000, 0x43dfffffffffffff,
        0x43e0000000000000, 0x7fefffffffffffff, 0x7ff0000000000000, 0x7ff0000000000001,
        0x7ff7ffffffffffff, 0x7ff8000000000000, 0x7ff8123456789abc, 0x7fffffffffffffff,
        0x3fd5555555555555, 0x400921fb54442d18, 0x36a0000000000000, 0x369fffffffffffff,
        0x3810000000000000, 0x380fffffffffffff, 0x47efffffe0000000, 0x47efffffefffffff,
        0x47eff00000000000, 0x40dfffc000000000};
    const std::uint64_t sign = bits() & 0x8000000000000000;
    switch (below(4)) {
    case 0: return bits();
    case 1: return sign | (990 + below(80)) << 52 | (bits() & 0xfffffffffffff);
    default: return sign | corners[below(std::size(corners))];
    }
}

std::uint64_t FpValues::integer() {
    static constexpr std::uint64_t corners[] = {0,
                                                1,
                                                0x7f,
                                                0x80,
                                                0xff,
                                                0x7fff,
                                                0x8000,
                                                0xffff,
                                                0x7fffffff,
                                                0x80000000,
                                                0xffffffff,
                                                0x7fffffffffffffff,
                                                0x8000000000000000,
                                                ~std::uint64_t{0},
                                                0x7fff7fff80008000,
                                                0x8000800080008000,
                                                0x80808080807f7f7f,
                                                15,
                                                16,
                                                31,
                                                32,
                                                63,
                                                64,
                                                0x0101010101010101};
    return one_in(2) ? bits() : corners[below(std::size(corners))];
}

FpState::Stack FpValues::extended() {
    constexpr std::uint64_t one = 0x8000000000000000;
    struct Corner {
        std::uint64_t significand;
        std::uint16_t exponent;
    };
    static constexpr Corner corners[] = {{0, 0},  // zero
                                         {1, 0},
                                         {one >> 1, 0},  // denormals
                                         {one, 0},
                                         {one | 5, 0},  // pseudo-denormals
                                         {one, 1},
                                         {~0ull, 1},  // smallest normals
                                         {one, 0x3fff},
                                         {~0ull, 0x3ffe},
                                         {one | 1, 0x3fff},
                                         {0xc000000000000000, 0x3fff},
                                         {one, 0x3ffe},
                                         {one, 0x4000},
                                         {0xa000000000000000, 0x4000},
                                         {0xc90fdaa22168c235, 0x4000},
                                         {0xb504f333f9de6484, 0x3ffe},
                                         {one, 0x4000 + 14},
                                         {one, 0x4000 + 30},
                                         {one, 0x4000 + 62},
                                         {~0ull, 0x4000 + 61},
                                         {one, 0x4000 + 63},
                                         {0xfffe000000000000, 0x4000 + 13},
                                         {0xfffffffe00000000, 0x4000 + 29},
                                         {0xde0b6b3a763ffff0, 0x4000 + 58},
                                         {~0ull, 0x7ffe},
                                         {one, 0x7ffe},
                                         {one, 0x3f81},
                                         {one, 0x3f6a},
                                         {one, 0x3c01},
                                         {one, 0x3bcd},
                                         {one, 0x43fe},
                                         {one, 0x407e},
                                         {one, 0x4062},
                                         {one, 0x3fc0},
                                         {one, 0x7fff},  // infinity
                                         {one | 1, 0x7fff},
                                         {0xbfffffffffffffff, 0x7fff},  // signalling NaNs
                                         {0xc000000000000000, 0x7fff},
                                         {0xc123456789abcdef, 0x7fff},
                                         {~0ull, 0x7fff},  // quiet NaNs
                                         {0, 0x7fff},
                                         {5, 0x7fff},  // pseudo-infinity and pseudo-NaN
                                         {one >> 1, 0x3fff},
                                         {0, 0x3fff},
                                         {7, 0x4010}};  // unnormals
    const auto sign = static_cast<std::uint16_t>(bits() & 0x8000);
    switch (below(6)) {
    case 0: return {bits(), static_cast<std::uint16_t>(bits()), {}};
    case 1: return {bits() | one, static_cast<std::uint16_t>(sign | (0x3fff - 40 + below(80))), {}};
    case 2: return {bits() | one, static_cast<std::uint16_t>(sign | (0x3fff - 5 + below(10))), {}};
    case 3: {  // small integers and halves
        const std::uint64_t value = 1 + below(64);
        const auto shift = static_cast<unsigned>(__builtin_clzll(value));
        return {value << shift,
                static_cast<std::uint16_t>(sign | (0x3fff + 62 - shift + below(2))),
                {}};
    }
    default: {
        const Corner& corner = corners[below(std::size(corners))];
        return {corner.significand, static_cast<std::uint16_t>(sign | corner.exponent), {}};
    }
    }
}

std::array<std::uint64_t, 2> FpValues::vector() {
    const auto singles = [&] { return single() | std::uint64_t{single()} << 32; };
    switch (below(4)) {
    case 0: return {singles(), singles()};
    case 1: return {real64(), real64()};
    case 2: return {integer(), integer()};
    default: return {bits(), bits()};
    }
}

FpState FpValues::state(Masks masks, Tags tags) {
    FpState state;
    const auto random_masks = [&] {
        return masks == Masks::AllSet ? 0x3fu : static_cast<unsigned>(bits() & 0x3f);
    };
    static constexpr unsigned precisions[] = {0, 2, 3, 3};
    const unsigned control = random_masks() | precisions[below(4)] << 8 |
                             static_cast<unsigned>(below(4)) << 10;
    state.control = static_cast<std::uint16_t>(control | 0x40);
    // Flags that are unmasked would be pending; those cases have their own test.
    const unsigned flags = static_cast<unsigned>(bits()) & control & 0x3f;
    state.status = static_cast<std::uint16_t>(flags | (bits() & 0x4740) | below(8) << 11);
    state.valid = tags == Tags::AllFull
                      ? 0xff
                      : static_cast<std::uint8_t>(one_in(4) ? bits() : bits() | bits());
    if (tags == Tags::Random && one_in(3)) state.valid = 0xff;
    for (auto& value : state.st)
        value = extended();
    const unsigned mask = random_masks();
    state.mxcsr = static_cast<std::uint32_t>(mask << 7 | below(4) << 13 | (bits() & 0x8040));
    state.mxcsr |= static_cast<std::uint32_t>(bits()) & (one_in(2) ? 0x3f : 0);
    for (auto& value : state.xmm)
        value = vector();
    for (auto& value : state.ymm_high)
        value = vector();
    state.rax = integer();
    state.rcx = integer();
    state.rdx = integer();
    state.rflags = 2 | (bits() & rflags::arithmetic);
    return state;
}

std::array<std::uint8_t, FpComparison::memory_size> FpValues::memory() {
    std::array<std::uint8_t, FpComparison::memory_size> bytes{};
    for (std::size_t i = 0; i < 64; i += 16) {
        const auto value = vector();
        std::memcpy(bytes.data() + i, value.data(), 16);
    }
    if (one_in(2)) {
        const auto value = extended();
        std::memcpy(bytes.data(), &value, 10);
    }
    return bytes;
}

}  // namespace backplane::x86::testing
