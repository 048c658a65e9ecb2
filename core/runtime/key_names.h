// The names that people give keys: "a", "ret", "f12", "ctrl-alt-delete".
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::runtime {

// The code (backplane/abi/input_codes.h) of a key, by name in any case; most have several: "ret",
// "enter".
[[nodiscard]] std::optional<std::uint16_t> key_code(std::string_view name);

// Keys held together, in the order they are pressed: names joined by "-", as in "ctrl-alt-f1" and
// "shift-minus". Or why that is none, with the nearest names.
[[nodiscard]] std::expected<std::vector<std::uint16_t>, std::string>
parse_key_combination(std::string_view text);

// Every name, for completion and documentation; sorted.
[[nodiscard]] std::vector<std::string> key_names();

}  // namespace backplane::runtime
