// Types keys no faster than the guest reads them, and never leaves one pressed.
#pragma once

#include "runtime/control/context.h"

#include <backplane/connection.h>

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
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

    // `keys` are in groups that are held together: each presses its keys and releases them all.
    Typist(Context& context, Connection<backplane_input> keyboard, std::string command,
           std::deque<InputEvents> keys, Pace pace);
    Typist(const Typist&) = delete;
    Typist& operator=(const Typist&) = delete;
    ~Typist();

    // Types what it can now, and answers later until all is typed: {"keys": groups}.
    static Answer go_on(std::unique_ptr<Typist> typist);

private:
    std::expected<bool, Error> send(const InputEvents& events);

    Context& context_;
    Connection<backplane_input> keyboard_;
    std::string command_;
    std::deque<InputEvents> keys_;
    Pace pace_;
    std::size_t total_;
    InputEvents releases_;  // of the keys that are held
    std::chrono::milliseconds waited_{0};
};

// Events cut behind each point where no key is held any more.
[[nodiscard]] std::deque<InputEvents> key_groups(const InputEvents& events);

}  // namespace backplane::runtime::control
