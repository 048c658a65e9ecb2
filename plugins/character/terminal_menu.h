// Finds the keys that are meant for Backplane among those typed for the guest: Ctrl-A and one more.
#pragma once

#include <cstdint>
#include <optional>

namespace backplane::character {

class TerminalMenu {
public:
    enum class Action : std::uint8_t { None, Quit, Help, Break, Unknown };

    struct Key {
        std::optional<std::uint8_t> for_guest;
        Action action = Action::None;
    };

    Key type(std::uint8_t byte);

    static constexpr const char* help = "\r\n"
                                        "Ctrl-A H       this help\r\n"
                                        "Ctrl-A X       quit\r\n"
                                        "Ctrl-A B       send a break\r\n"
                                        "Ctrl-A Ctrl-A  send Ctrl-A\r\n";

private:
    bool after_prefix_ = false;
};

}  // namespace backplane::character
