// The lazy flags against their definitions, exhaustively for 8 bits.
#include "x86/flags.h"

#include <gtest/gtest.h>

#include <utility>

namespace backplane::x86 {
namespace {

std::uint64_t expected_flags(unsigned a, unsigned b, unsigned wide_result, bool overflow) {
    const auto result = static_cast<std::uint8_t>(wide_result);
    return ((wide_result & 0x100) ? rflags::cf : 0) | (__builtin_parity(result) ? 0 : rflags::pf) |
           (((a ^ b ^ result) & 0x10) ? rflags::af : 0) | (result == 0 ? rflags::zf : 0) |
           ((result & 0x80) ? rflags::sf : 0) | (overflow ? rflags::of : 0);
}

TEST(Flags, StartAsAfterReset) { EXPECT_EQ(LazyFlags{}.to_rflags(), 0u); }

TEST(Flags, OfAdditionFollowTheirDefinitions) {
    for (unsigned a = 0; a < 256; ++a)
        for (unsigned b = 0; b < 256; ++b)
            for (unsigned carry = 0; carry < 2; ++carry) {
                const unsigned result = a + b + carry;
                const int exact = static_cast<std::int8_t>(a) + static_cast<std::int8_t>(b) +
                                  static_cast<int>(carry);
                LazyFlags flags;
                flags.set_add(static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b),
                              static_cast<std::uint8_t>(result), result > 0xff);
                ASSERT_EQ(flags.to_rflags(),
                          expected_flags(a, b, result, exact < -128 || exact > 127));
            }
}

TEST(Flags, OfSubtractionFollowTheirDefinitions) {
    for (unsigned a = 0; a < 256; ++a)
        for (unsigned b = 0; b < 256; ++b) {
            const int exact = static_cast<std::int8_t>(a) - static_cast<std::int8_t>(b);
            LazyFlags flags;
            flags.set_sub(static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b));
            ASSERT_EQ(flags.to_rflags(), expected_flags(a, b, a - b, exact < -128 || exact > 127));
        }
}

TEST(Flags, SurviveTheWayThroughRflags) {
    for (std::uint64_t value = 0; value < 0x1000; ++value) {
        LazyFlags flags;
        flags.from_rflags(value);
        ASSERT_EQ(flags.to_rflags(), value & rflags::arithmetic);
    }
}

TEST(Flags, KeepTheOthersWhenOnlyTheCarryChanges) {
    for (std::uint64_t value = 0; value < 0x1000; ++value)
        for (const bool carry : {false, true}) {
            LazyFlags flags;
            flags.from_rflags(value);
            flags.set_carry_only(carry);
            ASSERT_EQ(flags.to_rflags(),
                      (value & rflags::arithmetic & ~rflags::cf) | (carry ? rflags::cf : 0));
        }
}

TEST(Flags, KeepTheOthersWhenCarryAndOverflowChange) {
    for (std::uint64_t value = 0; value < 0x1000; ++value)
        for (const bool carry : {false, true})
            for (const bool overflow : {false, true}) {
                LazyFlags flags;
                flags.from_rflags(value);
                flags.set_carry_and_overflow(carry, overflow);
                const std::uint64_t kept = value & rflags::arithmetic & ~(rflags::cf | rflags::of);
                ASSERT_EQ(flags.to_rflags(),
                          kept | (carry ? rflags::cf : 0) | (overflow ? rflags::of : 0));
            }
}

template <std::size_t... i>
void expect_conditions(const LazyFlags& flags, std::uint64_t value, std::index_sequence<i...>) {
    const bool o = value & rflags::of, c = value & rflags::cf, z = value & rflags::zf,
               s = value & rflags::sf, p = value & rflags::pf;
    const bool expected[] = {o, c, z, c || z, s, p, s != o, z || s != o};
    const bool held[] = {holds<static_cast<Condition>(i)>(flags)...};
    for (std::size_t n = 0; n < sizeof...(i); ++n)
        EXPECT_EQ(held[n], expected[n / 2] != (n % 2 == 1));
}

TEST(Flags, DecideTheSixteenConditions) {
    for (std::uint64_t value = 0; value < 0x1000; ++value) {
        LazyFlags flags;
        flags.from_rflags(value);
        expect_conditions(flags, value, std::make_index_sequence<16>{});
    }
}

}  // namespace
}  // namespace backplane::x86
