// Types keys no faster than the guest reads them, and never leaves one pressed.
#pragma once

#include "runtime/control/context.h"

#include <backplane/connection.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace backplane::runtime::control {

using InputEvents = std::vector<backplane_input_event>;

class Typist {
public:
    struct Pace {
        std::chrono::milliseconds between{20};     // keys
        std::chrono::milliseconds hold{0};         // each
        std::chrono::milliseconds patience{5000};  // with a guest that does not read its keyboard
    };

    // `keys` are pressed in turn; each presses what belongs together, and releases it all.
    Typist(Context& context, Connection<backplane_input> keyboard, std::string command,
           std::span<const InputEvents> keys, Pace pace);
    Typist(const Typist&) = delete;
    Typist& operator=(const Typist&) = delete;
    ~Typist();

    // Types what it can now, and answers later until all is typed: {"keys": how many}.
    static Answer go_on(std::unique_ptr<Typist> typist);

private:
    // What is sent at once, and how long to wait then.
    struct Step {
        InputEvents events;
        std::chrono::milliseconds after{0};
        bool ends_key = false;
    };
    void add_steps(const InputEvents& key);
    std::expected<bool, Error> send(const InputEvents& events);

    Context& context_;
    Connection<backplane_input> keyboard_;
    std::string command_;
    Pace pace_;
    std::deque<Step> steps_;
    std::size_t total_, typed_ = 0;  // keys
    std::vector<std::uint16_t> held_;
    std::chrono::milliseconds waited_{0};
};

// Events cut behind each point where no key is held any more.
[[nodiscard]] std::vector<InputEvents> key_groups(const InputEvents& events);

}  // namespace backplane::runtime::control
