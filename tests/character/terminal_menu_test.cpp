#include "terminal_menu.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace backplane::character {
namespace {

using Action = TerminalMenu::Action;

struct Typed {
    std::string for_guest;
    std::vector<Action> actions;
    bool operator==(const Typed&) const = default;
};

Typed type(std::string_view keys) {
    TerminalMenu menu;
    Typed typed;
    for (const char key : keys) {
        const auto [byte, action] = menu.type(static_cast<std::uint8_t>(key));
        if (byte) typed.for_guest += static_cast<char>(*byte);
        if (action != Action::None) typed.actions.push_back(action);
    }
    return typed;
}

TEST(TerminalMenu, LeavesEverythingButCtrlAToTheGuest) {
    EXPECT_EQ(type("xhb\x02\x03\x1a\x1b[A"), (Typed{"xhb\x02\x03\x1a\x1b[A", {}}));
}

TEST(TerminalMenu, ActsOnTheKeyAfterCtrlAWhateverItsCase) {
    EXPECT_EQ(type("\x01x"), (Typed{"", {Action::Quit}}));
    EXPECT_EQ(type("\x01X"), (Typed{"", {Action::Quit}}));
    EXPECT_EQ(type("a\x01"
                   "hb\x01"
                   "Bc"),
              (Typed{"abc", {Action::Help, Action::Break}}));
}

TEST(TerminalMenu, SendsCtrlAWhenItIsTypedTwice) {
    EXPECT_EQ(type("\x01\x01x"), (Typed{"\x01x", {}}));
}

TEST(TerminalMenu, KeepsAnUnknownKeyFromTheGuest) {
    EXPECT_EQ(type("\x01"
                   "c!"),
              (Typed{"!", {Action::Unknown}}));
}

}  // namespace
}  // namespace backplane::character
