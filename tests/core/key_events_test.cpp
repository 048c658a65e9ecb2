#include "runtime/key_events.h"

#include <gtest/gtest.h>

namespace backplane::runtime {
namespace {

// Codes as they are pressed, negative as they are released.
std::vector<int> codes(const std::vector<backplane_input_event>& events) {
    std::vector<int> list;
    for (const auto& event : events) {
        EXPECT_EQ(event.type, BACKPLANE_INPUT_KEY);
        list.push_back(event.value != 0 ? event.code : -int{event.code});
    }
    return list;
}

TEST(KeyEvents, ACombinationIsReleasedInTheOppositeOrder) {
    const std::vector<std::uint16_t> keys{29, 56, 111};
    EXPECT_EQ(codes(key_events(keys)), (std::vector<int>{29, 56, 111, -111, -56, -29}));
    EXPECT_TRUE(key_events({}).empty());
}

TEST(KeyEvents, TextIsTypedOnAUsKeyboard) {
    EXPECT_EQ(codes(text_events("aB\n").value()),
              (std::vector<int>{30, -30, 42, 48, -48, -42, 28, -28}));
    EXPECT_EQ(codes(text_events("/?").value()), (std::vector<int>{53, -53, 42, 53, -53, -42}));
}

TEST(KeyEvents, EveryPrintableCharacterIsOnAKeyOfItsOwn) {
    std::vector<std::vector<int>> seen;
    for (char character = ' '; character <= '~'; ++character) {
        const auto events = text_events(std::string(1, character));
        ASSERT_TRUE(events) << character;
        for (const auto& other : seen)
            EXPECT_NE(codes(*events), other) << character;
        seen.push_back(codes(*events));
    }
    EXPECT_EQ(seen.size(), 95u);
}

TEST(KeyEvents, ACharacterThatIsOnNoKeyIsNamed) {
    EXPECT_EQ(text_events("na\xc3\xafve").error(),
              "byte 2 of the text, '\xc3\xaf', is on no key of a US keyboard");
    EXPECT_FALSE(text_events(std::string(1, '\0')));
    EXPECT_FALSE(text_events("\r\n"));
    EXPECT_FALSE(text_events("\xff"));
}

}  // namespace
}  // namespace backplane::runtime
