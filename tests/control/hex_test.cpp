#include "runtime/control/hex.h"

#include <gtest/gtest.h>

namespace backplane::runtime::control {
namespace {

std::vector<std::byte> bytes(std::initializer_list<int> values) {
    std::vector<std::byte> result;
    for (const int value : values)
        result.push_back(static_cast<std::byte>(value));
    return result;
}

TEST(Hex, WritesAndReadsBytes) {
    EXPECT_EQ(hex_text(bytes({0, 0x1f, 0xff})), "001fff");
    EXPECT_EQ(parse_hex("00 1F ff"), bytes({0, 0x1f, 0xff}));
    EXPECT_EQ(parse_hex(""), bytes({}));
    EXPECT_FALSE(parse_hex("0"));
    EXPECT_FALSE(parse_hex("0 0"));
    EXPECT_FALSE(parse_hex("0x00"));
}

TEST(Hex, WritesAndReadsNumbersOfAnyWidth) {
    EXPECT_EQ(hex_number(bytes({0x34, 0x12, 0, 0})), "0x1234");
    EXPECT_EQ(hex_number(bytes({0, 0})), "0x0");
    EXPECT_EQ(parse_number("0x1234", 4), bytes({0x34, 0x12, 0, 0}));
    EXPECT_EQ(parse_number("0x0000001", 1), bytes({1}));
    EXPECT_EQ(parse_number("258", 2), bytes({2, 1}));
    EXPECT_EQ(parse_number("0xabc", 2), bytes({0xbc, 0x0a}));
    EXPECT_EQ(parse_number("1", 10), bytes({1, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
    EXPECT_FALSE(parse_number("256", 1));
    EXPECT_FALSE(parse_number("0x100", 1));
    EXPECT_FALSE(parse_number("0x", 1));
    EXPECT_FALSE(parse_number("", 1));
}

// RFC 4648, 10.
TEST(Base64, HasTheVectorsOfItsStandard) {
    const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                           {"f", "Zg=="},
                                                           {"fo", "Zm8="},
                                                           {"foo", "Zm9v"},
                                                           {"foob", "Zm9vYg=="},
                                                           {"fooba", "Zm9vYmE="},
                                                           {"foobar", "Zm9vYmFy"}};
    for (const auto& [plain, coded] : vectors) {
        const auto raw = std::as_bytes(std::span{plain, std::char_traits<char>::length(plain)});
        EXPECT_EQ(base64_text(raw), coded);
        EXPECT_EQ(parse_base64(coded), std::vector(raw.begin(), raw.end()));
    }
    EXPECT_FALSE(parse_base64("Zg="));
    EXPECT_FALSE(parse_base64("Z!=="));
}

}  // namespace
}  // namespace backplane::runtime::control
