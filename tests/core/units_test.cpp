#include "runtime/units.h"

#include <gtest/gtest.h>

namespace backplane::test {
namespace {

using namespace backplane::runtime;

TEST(Units, AreReadExactly) {
    EXPECT_EQ(parse_bytes("512 MiB").value(), std::uint64_t{512} << 20);
    EXPECT_EQ(parse_bytes("1.5KiB").value(), 1536u);
    EXPECT_EQ(parse_bytes("0x10 B").value(), 16u);
    EXPECT_EQ(parse_bytes("0").value(), 0u);
    EXPECT_EQ(parse_bytes("0.5 KiB").value(), 512u);
    EXPECT_EQ(parse_bytes("16777215 TiB").value(), 16777215ull << 40);
    EXPECT_EQ(parse_hertz("1.193182 MHz").value(), 1'193'182u);
    EXPECT_EQ(parse_duration("2.5 us").value(), 2500u);
    EXPECT_EQ(parse_duration("1_000 s").value(), 1'000'000'000'000u);
    EXPECT_EQ(parse_address("4 GiB").value(), std::uint64_t{1} << 32);
    EXPECT_EQ(parse_address("0xFED1_0000").value(), 0xFED10000u);
}

TEST(Units, AreWrittenSoThatTheyCanBeReadAgain) {
    for (const std::uint64_t value : {0ull, 1ull, 1000ull, 1024ull, 1536ull, 5ull << 40, ~0ull}) {
        EXPECT_EQ(parse_bytes(bytes_text(value)).value(), value) << bytes_text(value);
        EXPECT_EQ(parse_hertz(hertz_text(value)).value(), value) << hertz_text(value);
        EXPECT_EQ(parse_duration(duration_text(value)).value(), value) << duration_text(value);
    }
    EXPECT_EQ(bytes_text(64 << 20), "64 MiB");
    EXPECT_EQ(hertz_text(1'193'182), "1193182 Hz");
}

TEST(Units, RefuseWhatCouldBeMeantOtherwise) {
    for (const char* text :
         {"", "5", "-5 B", "5 kb", "5B B", "05 B", "5 MiB ", "1e3 B", "0.1 B", "5_ B", "_5 B",
          ". B", "5. B", "0x B", "99999999999999999999999999999999999999999999 B", "16777216 TiB",
          "KiB"})
        EXPECT_FALSE(parse_bytes(text)) << text;
    for (const char* text : {"", "-1", "1.0", "0o17", "017", "1 ", " 1", "0b2", "0xg", "1__0",
                             "18446744073709551616", "+1", "1e3"})
        EXPECT_FALSE(parse_unsigned(text)) << text;
}

TEST(Units, KnowTheEndsOfSignedNumbers) {
    EXPECT_EQ(parse_signed("-9223372036854775808").value(), INT64_MIN);
    EXPECT_EQ(parse_signed("9223372036854775807").value(), INT64_MAX);
    EXPECT_EQ(parse_signed("-0x10").value(), -16);
    EXPECT_FALSE(parse_signed("9223372036854775808"));
    EXPECT_FALSE(parse_signed("--1"));
    EXPECT_FALSE(parse_signed("-"));
}

}  // namespace
}  // namespace backplane::test
