#include "runtime/key_names.h"

#include <backplane/abi/input_codes.h>

#include <gtest/gtest.h>

#include <set>

namespace backplane::runtime {
namespace {

using Codes = std::vector<std::uint16_t>;

TEST(KeyNames, KeysHaveSeveralNamesInAnyCase) {
    EXPECT_EQ(key_code("a"), 30);
    EXPECT_EQ(key_code("A"), 30);
    EXPECT_EQ(key_code("ret"), 28);
    EXPECT_EQ(key_code("enter"), 28);
    EXPECT_EQ(key_code("F12"), 88);
    EXPECT_EQ(key_code("del"), 111);
    EXPECT_EQ(key_code("Page-Up"), 104);
    EXPECT_EQ(key_code("f25"), std::nullopt);
    EXPECT_EQ(key_code(""), std::nullopt);
}

TEST(KeyNames, NoNameStandsForTwoKeys) {
    const auto names = key_names();
    const std::set<std::string> unique{names.begin(), names.end()};
    EXPECT_EQ(unique.size(), names.size());
    for (const auto& name : names)
        EXPECT_EQ(parse_key_combination(name), Codes{key_code(name).value()}) << name;
}

TEST(KeyNames, ACombinationIsNamesJoinedByDashes) {
    EXPECT_EQ(parse_key_combination("ctrl-alt-del"), (Codes{29, 56, 111}));
    EXPECT_EQ(parse_key_combination("Shift-A"), (Codes{42, 30}));
    EXPECT_EQ(parse_key_combination("shift-page-down"), (Codes{42, 109}))
        << "dashes inside names are no joints";
    EXPECT_EQ(parse_key_combination("right-alt-right"), (Codes{100, 106}));
    EXPECT_EQ(parse_key_combination("left-right"), (Codes{105, 106}));
}

TEST(KeyNames, AWrongNameIsToldWithTheNearest) {
    const auto result = parse_key_combination("ctrl-atl-del");
    ASSERT_FALSE(result);
    EXPECT_NE(result.error().find("'atl'"), std::string::npos) << result.error();
    EXPECT_NE(result.error().find("'alt'"), std::string::npos) << result.error();
    for (const char* text : {"", "-", "a-", "-a", "a--b", "ctrl-\xff", "a+b"})
        EXPECT_FALSE(parse_key_combination(text)) << text;
    EXPECT_EQ(parse_key_combination("shift-a-shift").error(), "'shift' twice in 'shift-a-shift'");
}

}  // namespace
}  // namespace backplane::runtime
