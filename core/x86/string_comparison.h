// What PCMPESTRI, PCMPESTRM, PCMPISTRI and PCMPISTRM compute (SDM 2 4.1): two strings of at most
// sixteen bytes compared, each element of one with each of the other.
#pragma once

#include "x86/lane_operations.h"

#include <algorithm>

namespace backplane::x86 {

// The control byte; bit 7 is ignored.
struct StringControl {
    std::uint8_t bits;

    bool words() const { return bits & 1; }
    bool is_signed() const { return bits & 2; }
    enum class Aggregation : std::uint8_t { EqualAny, Ranges, EqualEach, EqualOrdered };
    Aggregation aggregation() const { return static_cast<Aggregation>(bits >> 2 & 3); }
    bool negated() const { return bits & 0x10; }
    bool only_valid_negated() const { return bits & 0x20; }
    bool last_index() const { return bits & 0x40; }     // of PCMPxSTRI
    bool expanded_mask() const { return bits & 0x40; }  // of PCMPxSTRM
    unsigned elements() const { return words() ? 8 : 16; }
};

// One bit for each of `length` elements.
constexpr std::uint32_t elements_mask(unsigned length) { return (1u << length) - 1; }

// IntRes1. `first` is the set, the ranges or the substring; a bit of the result stands for an
// element of `second`. Elements beyond a length take no part, except as table 4-7 says.
template <class T>
std::uint32_t aggregate_strings(Bits128 first, unsigned first_length, Bits128 second,
                                unsigned second_length, StringControl::Aggregation aggregation) {
    using Elements = Lanes<T, Bits128>;
    constexpr unsigned count = lane_count<T, Bits128>;
    constexpr std::uint32_t all = elements_mask(count);
    const auto a = to_lanes<T>(first), b = to_lanes<T>(second);
    const std::uint32_t valid = elements_mask(second_length);
    const auto element = [&](unsigned i) { return Elements{} + static_cast<T>(a[i]); };
    const auto equal_to = [&](unsigned i) { return lanes::sign_mask(b == element(i)); };

    std::uint32_t result = 0;
    switch (aggregation) {
    case StringControl::Aggregation::EqualAny:
        for (unsigned i = 0; i < first_length; ++i)
            result |= equal_to(i);
        return result & valid;
    case StringControl::Aggregation::Ranges:
        for (unsigned i = 0; i + 1 < first_length; i += 2)
            result |= lanes::sign_mask((b >= element(i)) & (b <= element(i + 1)));
        return result & valid;
    case StringControl::Aggregation::EqualEach: {
        // Both behind their ends: equal. One of them: not.
        const std::uint32_t shorter = elements_mask(std::min(first_length, second_length));
        const std::uint32_t longer = elements_mask(std::max(first_length, second_length));
        return (lanes::sign_mask(a == b) & shorter) | (all & ~longer);
    }
    default:
        // Whether the substring begins here, or would if the register did not end.
        result = all;
        for (unsigned i = 0; i < first_length; ++i)
            result &= (equal_to(i) & valid) >> i | (all & ~(all >> i));
        return result;
    }
}

// IntRes2.
inline std::uint32_t compare_strings(Bits128 first, unsigned first_length, Bits128 second,
                                     unsigned second_length, StringControl control) {
    const auto aggregate = [&]<class T>(T) {
        return aggregate_strings<T>(first, first_length, second, second_length,
                                    control.aggregation());
    };
    std::uint32_t matches = control.words()       ? control.is_signed() ? aggregate(std::int16_t{})
                                                                        : aggregate(std::uint16_t{})
                                  : control.is_signed() ? aggregate(std::int8_t{})
                                                  : aggregate(std::uint8_t{});
    if (control.negated())
        matches ^= elements_mask(control.only_valid_negated() ? second_length : control.elements());
    return matches;
}

// The length of a string that ends with a zero or with the register.
inline unsigned implicit_length(Bits128 string, StringControl control) {
    const std::uint32_t zeros = control.words()
                                    ? lanes::sign_mask(to_lanes<std::uint16_t>(string) == 0)
                                    : lanes::sign_mask(to_lanes<std::uint8_t>(string) == 0);
    return zeros ? static_cast<unsigned>(std::countr_zero(zeros)) : control.elements();
}

// The absolute value of EAX or EDX (RAX or RDX with REX.W), at most the register's elements.
template <class Signed>
unsigned explicit_length(std::uint64_t value, StringControl control) {
    using Unsigned = std::make_unsigned_t<Signed>;
    const auto bits = static_cast<Unsigned>(value);
    const Unsigned magnitude = static_cast<Signed>(bits) < 0 ? static_cast<Unsigned>(-bits) : bits;
    return static_cast<unsigned>(std::min<std::uint64_t>(magnitude, control.elements()));
}

// What PCMPxSTRI leaves in ECX: the first or last match, or the number of elements.
inline std::uint32_t match_index(std::uint32_t matches, StringControl control) {
    if (!matches) return control.elements();
    return static_cast<std::uint32_t>(control.last_index() ? 31 - std::countl_zero(matches)
                                                           : std::countr_zero(matches));
}

// What PCMPxSTRM leaves in XMM0: the matches as bits, or as whole elements.
inline Bits128 match_mask(std::uint32_t matches, StringControl control) {
    if (!control.expanded_mask()) return Bits128{matches, 0};
    const auto expand = [&]<class T>(T) {
        Lanes<T, Bits128> mask{};
        for (int i = 0; i < lane_count<T, Bits128>; ++i)
            mask[i] = static_cast<T>(-(matches >> i & 1));
        return from_lanes<Bits128>(mask);
    };
    return control.words() ? expand(std::uint16_t{}) : expand(std::uint8_t{});
}

}  // namespace backplane::x86
