#include "terminal_menu.h"

#include <utility>

namespace backplane::character {

namespace {

constexpr std::uint8_t prefix = 0x01;  // Ctrl-A

}  // namespace

TerminalMenu::Key TerminalMenu::type(std::uint8_t byte) {
    if (!std::exchange(after_prefix_, false)) {
        if (byte != prefix) return {.for_guest = byte};
        after_prefix_ = true;
        return {};
    }
    switch (byte) {
    case prefix: return {.for_guest = prefix};
    case 'x':
    case 'X': return {.for_guest = {}, .action = Action::Quit};
    case 'h':
    case 'H':
    case '?': return {.for_guest = {}, .action = Action::Help};
    case 'b':
    case 'B': return {.for_guest = {}, .action = Action::Break};
    default: return {.for_guest = {}, .action = Action::Unknown};
    }
}

}  // namespace backplane::character
