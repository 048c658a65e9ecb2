// Keys as they are pressed and released, one event after another, for an input device
// (backplane/abi/input.h): of a combination, and of text as typed on a US keyboard.
#pragma once

#include <backplane/abi/input.h>

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::runtime {

// Presses all in order, then releases them in the opposite one.
[[nodiscard]] std::vector<backplane_input_event> key_events(std::span<const std::uint16_t> codes);

// Types printable ASCII, newline (Enter), tab, backspace and escape, with Shift where it takes one.
// Or which character no key of a US keyboard gives, and where it stands.
[[nodiscard]] std::expected<std::vector<backplane_input_event>, std::string>
text_events(std::string_view text);

}  // namespace backplane::runtime
