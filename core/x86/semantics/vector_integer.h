// The packed integer instructions of MMX and SSE2 (SDM 2), for either register width, and those of
// SSSE3 to SSE4.2 that treat each lane alone.
#pragma once

#include "x86/semantics/lanewise.h"

namespace backplane::x86::semantics {

// dst := operation(dst, count): every lane shifted by the same amount, the low 64 bits of the
// source or an immediate.
template <class T, auto operation>
inline constexpr auto lane_shift =
    vector<[](auto& m, auto dst, auto src) __attribute__((always_inline)) {
        const auto b = src.read(m);
        if (!b) return Outcome::Fault;
        std::uint64_t count;
        if constexpr (sizeof(*b) == sizeof(Bits128))
            count = (*b)[0];
        else
            count = *b;
        const auto half = [=](auto x) __attribute__((always_inline)) {
            return from_lanes<decltype(x)>(operation(to_lanes<T>(x), count));
        };
        dst.write(m, for_each_half(half, *dst.read(m)));
        return Outcome::Next;
    }>;

inline constexpr auto paddb = lanewise<std::uint8_t, lanes::add>;
inline constexpr auto paddw = lanewise<std::uint16_t, lanes::add>;
inline constexpr auto paddd = lanewise<std::uint32_t, lanes::add>;
inline constexpr auto paddq = lanewise<std::uint64_t, lanes::add>;
inline constexpr auto psubb = lanewise<std::uint8_t, lanes::subtract>;
inline constexpr auto psubw = lanewise<std::uint16_t, lanes::subtract>;
inline constexpr auto psubd = lanewise<std::uint32_t, lanes::subtract>;
inline constexpr auto psubq = lanewise<std::uint64_t, lanes::subtract>;
inline constexpr auto paddsb = lanewise<std::int8_t, lanes::add_saturated>;
inline constexpr auto paddsw = lanewise<std::int16_t, lanes::add_saturated>;
inline constexpr auto paddusb = lanewise<std::uint8_t, lanes::add_saturated>;
inline constexpr auto paddusw = lanewise<std::uint16_t, lanes::add_saturated>;
inline constexpr auto psubsb = lanewise<std::int8_t, lanes::subtract_saturated>;
inline constexpr auto psubsw = lanewise<std::int16_t, lanes::subtract_saturated>;
inline constexpr auto psubusb = lanewise<std::uint8_t, lanes::subtract_saturated>;
inline constexpr auto psubusw = lanewise<std::uint16_t, lanes::subtract_saturated>;

inline constexpr auto pmullw = lanewise<std::uint16_t, lanes::multiply_low>;
inline constexpr auto pmulhw = lanewise<std::int16_t, lanes::multiply_high>;
inline constexpr auto pmulhuw = lanewise<std::uint16_t, lanes::multiply_high>;
inline constexpr auto pmuludq = lanewise<std::uint64_t, lanes::multiply_low_halves>;
inline constexpr auto pmaddwd = lanewise<std::uint32_t, lanes::multiply_add_halves>;
inline constexpr auto psadbw = lanewise<std::uint8_t, lanes::sum_absolute_differences>;
inline constexpr auto pavgb = lanewise<std::uint8_t, lanes::average>;
inline constexpr auto pavgw = lanewise<std::uint16_t, lanes::average>;
inline constexpr auto pminub = lanewise<std::uint8_t, lanes::minimum>;
inline constexpr auto pmaxub = lanewise<std::uint8_t, lanes::maximum>;
inline constexpr auto pminsw = lanewise<std::int16_t, lanes::minimum>;
inline constexpr auto pmaxsw = lanewise<std::int16_t, lanes::maximum>;

inline constexpr auto pabsb = lane_unary<std::int8_t, lanes::absolute>;
inline constexpr auto pabsw = lane_unary<std::int16_t, lanes::absolute>;
inline constexpr auto pabsd = lane_unary<std::int32_t, lanes::absolute>;
inline constexpr auto psignb = lanewise<std::int8_t, lanes::apply_sign>;
inline constexpr auto psignw = lanewise<std::int16_t, lanes::apply_sign>;
inline constexpr auto psignd = lanewise<std::int32_t, lanes::apply_sign>;
inline constexpr auto pmulhrsw = lanewise<std::int16_t, lanes::multiply_rounded>;
inline constexpr auto pmuldq = lanewise<std::int64_t, lanes::multiply_low_halves_signed>;
inline constexpr auto pmulld = lanewise<std::uint32_t, lanes::multiply_low>;
inline constexpr auto pminsb = lanewise<std::int8_t, lanes::minimum>;
inline constexpr auto pmaxsb = lanewise<std::int8_t, lanes::maximum>;
inline constexpr auto pminuw = lanewise<std::uint16_t, lanes::minimum>;
inline constexpr auto pmaxuw = lanewise<std::uint16_t, lanes::maximum>;
inline constexpr auto pminud = lanewise<std::uint32_t, lanes::minimum>;
inline constexpr auto pmaxud = lanewise<std::uint32_t, lanes::maximum>;
inline constexpr auto pminsd = lanewise<std::int32_t, lanes::minimum>;
inline constexpr auto pmaxsd = lanewise<std::int32_t, lanes::maximum>;

inline constexpr auto pand = lanewise<std::uint64_t, lanes::bit_and>;
inline constexpr auto pandn = lanewise<std::uint64_t, lanes::bit_and_not>;
inline constexpr auto por = lanewise<std::uint64_t, lanes::bit_or>;
inline constexpr auto pxor = lanewise<std::uint64_t, lanes::bit_xor>;

inline constexpr auto pcmpeqb = lanewise<std::uint8_t, lanes::equal>;
inline constexpr auto pcmpeqw = lanewise<std::uint16_t, lanes::equal>;
inline constexpr auto pcmpeqd = lanewise<std::uint32_t, lanes::equal>;
inline constexpr auto pcmpeqq = lanewise<std::uint64_t, lanes::equal>;
inline constexpr auto pcmpgtb = lanewise<std::int8_t, lanes::greater>;
inline constexpr auto pcmpgtw = lanewise<std::int16_t, lanes::greater>;
inline constexpr auto pcmpgtd = lanewise<std::int32_t, lanes::greater>;
inline constexpr auto pcmpgtq = lanewise<std::int64_t, lanes::greater>;

inline constexpr auto packsswb = lanewise<std::int16_t, lanes::pack<std::int8_t>>;
inline constexpr auto packssdw = lanewise<std::int32_t, lanes::pack<std::int16_t>>;
inline constexpr auto packuswb = lanewise<std::int16_t, lanes::pack<std::uint8_t>>;
inline constexpr auto packusdw = lanewise<std::int32_t, lanes::pack<std::uint16_t>>;
inline constexpr auto punpcklbw = lanewise<std::uint8_t, lanes::interleave_low>;
inline constexpr auto punpcklwd = lanewise<std::uint16_t, lanes::interleave_low>;
inline constexpr auto punpckldq = lanewise<std::uint32_t, lanes::interleave_low>;
inline constexpr auto punpcklqdq = lanewise<std::uint64_t, lanes::interleave_low>;
inline constexpr auto punpckhbw = lanewise<std::uint8_t, lanes::interleave_high>;
inline constexpr auto punpckhwd = lanewise<std::uint16_t, lanes::interleave_high>;
inline constexpr auto punpckhdq = lanewise<std::uint32_t, lanes::interleave_high>;
inline constexpr auto punpckhqdq = lanewise<std::uint64_t, lanes::interleave_high>;

inline constexpr auto psllw = lane_shift<std::uint16_t, lanes::shift_left>;
inline constexpr auto pslld = lane_shift<std::uint32_t, lanes::shift_left>;
inline constexpr auto psllq = lane_shift<std::uint64_t, lanes::shift_left>;
inline constexpr auto psrlw = lane_shift<std::uint16_t, lanes::shift_right>;
inline constexpr auto psrld = lane_shift<std::uint32_t, lanes::shift_right>;
inline constexpr auto psrlq = lane_shift<std::uint64_t, lanes::shift_right>;
inline constexpr auto psraw = lane_shift<std::int16_t, lanes::shift_right>;
inline constexpr auto psrad = lane_shift<std::int32_t, lanes::shift_right>;
inline constexpr auto pslldq = lane_shift<std::uint64_t, lanes::shift_bytes_left>;
inline constexpr auto psrldq = lane_shift<std::uint64_t, lanes::shift_bytes_right>;

inline constexpr auto pshufd = lane_shuffle<std::uint32_t, lanes::shuffle>;
inline constexpr auto pshufw = lane_shuffle<std::uint16_t, lanes::shuffle>;
inline constexpr auto pshuflw = lane_shuffle<std::uint16_t, lanes::shuffle_low>;
inline constexpr auto pshufhw = lane_shuffle<std::uint16_t, lanes::shuffle_high>;

// The sign bits of the lanes of T, gathered in a general register.
template <class T>
inline constexpr auto move_mask = [](auto& m, auto dst, auto src) __attribute__((always_inline)) {
    constexpr auto gather = [](auto& m, auto src, auto dst) __attribute__((always_inline)) {
        const auto value = *src.read(m);
        std::uint32_t mask = lanes::sign_mask(to_lanes<T>(low_half(value)));
        if constexpr (sizeof value == sizeof(Bits256))
            mask |= lanes::sign_mask(to_lanes<T>(value.high)) << lane_count<T, Bits128>;
        dst.write(m, mask);
        return Outcome::Next;
    };
    return vector<gather>(m, src, dst);
};

inline constexpr auto pmovmskb = move_mask<std::int8_t>;
inline constexpr auto movmskps = move_mask<std::int32_t>;
inline constexpr auto movmskpd = move_mask<std::int64_t>;

// ZF: no bit is in both; CF: src has no bit that dst lacks (SDM 2, PTEST).
inline constexpr auto ptest = sse<[](auto& m, auto dst, auto src) __attribute__((always_inline)) {
    const auto b = src.read(m);
    if (!b) return Outcome::Fault;
    const auto a = *dst.read(m);
    Bits128 common = low_half(a) & low_half(*b), missing = ~low_half(a) & low_half(*b);
    if constexpr (sizeof a == sizeof(Bits256)) {
        common |= a.high & b->high;
        missing |= ~a.high & b->high;
    }
    m.flags().from_rflags(((common[0] | common[1]) == 0 ? rflags::zf : 0) |
                          ((missing[0] | missing[1]) == 0 ? rflags::cf : 0));
    return Outcome::Next;
}>;

// MASKMOVQ and MASKMOVDQU: the bytes of src whose mask byte is negative, stored one by one as other
// processors may write between them. The last one is tried first when it lies in another page, so
// that a fault leaves memory as it was.
inline constexpr auto masked_store =
    vector<[](auto& m, auto src, auto mask, auto memory) __attribute__((always_inline)) {
        using Bits = typename decltype(src)::Value;
        const auto bytes = to_lanes<std::uint8_t>(*src.read(m));
        const unsigned selected = lanes::sign_mask(to_lanes<std::int8_t>(*mask.read(m)));
        if (!selected) return Outcome::Next;
        const auto address = memory.address(m, sizeof(Bits));
        if (!address) return Outcome::Fault;
        const unsigned last = 31u - static_cast<unsigned>(std::countl_zero(selected));
        const bool two_pages = (*address ^ (*address + last)) >> 12 != 0;
        if (two_pages && !m.store(*address + last, static_cast<std::uint8_t>(bytes[last])))
            return Outcome::Fault;
        for (unsigned i = 0; i <= last; ++i)
            if ((selected >> i & 1) && !m.store(*address + i, static_cast<std::uint8_t>(bytes[i])))
                return Outcome::Fault;
        return Outcome::Next;
    }>;

}  // namespace backplane::x86::semantics
