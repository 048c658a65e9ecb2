// What a command does to the guest. It matters in deterministic machines, whose runs repeat as long
// as nothing comes from outside.
#pragma once

#include <cstdint>

namespace backplane::runtime::control {

enum class Effect : std::uint8_t {
    Looks,         // the guest cannot tell
    Steers,        // nor here: it stands still, or ends, between two instructions
    ChangesGuest,  // it may notice
};

[[nodiscard]] constexpr const char* name_of(Effect effect) {
    constexpr const char* names[] = {"looks", "steers", "changes-guest"};
    return names[static_cast<unsigned>(effect)];
}

}  // namespace backplane::runtime::control
