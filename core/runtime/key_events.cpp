#include "runtime/key_events.h"

#include "runtime/printable_text.h"

#include <algorithm>
#include <array>
#include <optional>

namespace backplane::runtime {

namespace {

struct Typed {
    std::uint16_t code = 0;
    bool shift = false;
};

// Two characters on each key, without and with Shift.
struct UsKey {
    std::uint16_t code;
    char plain, shifted;
};

constexpr UsKey us_keys[] = {
    {BACKPLANE_KEY_GRAVE, '`', '~'},       {BACKPLANE_KEY_1, '1', '!'},
    {BACKPLANE_KEY_2, '2', '@'},           {BACKPLANE_KEY_3, '3', '#'},
    {BACKPLANE_KEY_4, '4', '$'},           {BACKPLANE_KEY_5, '5', '%'},
    {BACKPLANE_KEY_6, '6', '^'},           {BACKPLANE_KEY_7, '7', '&'},
    {BACKPLANE_KEY_8, '8', '*'},           {BACKPLANE_KEY_9, '9', '('},
    {BACKPLANE_KEY_0, '0', ')'},           {BACKPLANE_KEY_MINUS, '-', '_'},
    {BACKPLANE_KEY_EQUAL, '=', '+'},       {BACKPLANE_KEY_Q, 'q', 'Q'},
    {BACKPLANE_KEY_W, 'w', 'W'},           {BACKPLANE_KEY_E, 'e', 'E'},
    {BACKPLANE_KEY_R, 'r', 'R'},           {BACKPLANE_KEY_T, 't', 'T'},
    {BACKPLANE_KEY_Y, 'y', 'Y'},           {BACKPLANE_KEY_U, 'u', 'U'},
    {BACKPLANE_KEY_I, 'i', 'I'},           {BACKPLANE_KEY_O, 'o', 'O'},
    {BACKPLANE_KEY_P, 'p', 'P'},           {BACKPLANE_KEY_LEFT_BRACE, '[', '{'},
    {BACKPLANE_KEY_RIGHT_BRACE, ']', '}'}, {BACKPLANE_KEY_BACKSLASH, '\\', '|'},
    {BACKPLANE_KEY_A, 'a', 'A'},           {BACKPLANE_KEY_S, 's', 'S'},
    {BACKPLANE_KEY_D, 'd', 'D'},           {BACKPLANE_KEY_F, 'f', 'F'},
    {BACKPLANE_KEY_G, 'g', 'G'},           {BACKPLANE_KEY_H, 'h', 'H'},
    {BACKPLANE_KEY_J, 'j', 'J'},           {BACKPLANE_KEY_K, 'k', 'K'},
    {BACKPLANE_KEY_L, 'l', 'L'},           {BACKPLANE_KEY_SEMICOLON, ';', ':'},
    {BACKPLANE_KEY_APOSTROPHE, '\'', '"'}, {BACKPLANE_KEY_Z, 'z', 'Z'},
    {BACKPLANE_KEY_X, 'x', 'X'},           {BACKPLANE_KEY_C, 'c', 'C'},
    {BACKPLANE_KEY_V, 'v', 'V'},           {BACKPLANE_KEY_B, 'b', 'B'},
    {BACKPLANE_KEY_N, 'n', 'N'},           {BACKPLANE_KEY_M, 'm', 'M'},
    {BACKPLANE_KEY_COMMA, ',', '<'},       {BACKPLANE_KEY_DOT, '.', '>'},
    {BACKPLANE_KEY_SLASH, '/', '?'},       {BACKPLANE_KEY_SPACE, ' ', ' '},
    {BACKPLANE_KEY_ENTER, '\n', '\n'},     {BACKPLANE_KEY_TAB, '\t', '\t'},
    {BACKPLANE_KEY_BACKSPACE, '\b', '\b'}, {BACKPLANE_KEY_ESC, '\x1b', '\x1b'},
};

std::optional<Typed> typed(char character) {
    for (const UsKey& key : us_keys) {
        if (key.plain == character) return Typed{key.code, false};
        if (key.shifted == character) return Typed{key.code, true};
    }
    return std::nullopt;
}

// For messages; a byte that begins no character stands for itself.
std::string_view character_at(std::string_view text, std::size_t at) {
    return text.substr(at, std::max<std::size_t>(utf8_character_size(text.substr(at)), 1));
}

}  // namespace

std::vector<backplane_input_event> key_events(std::span<const std::uint16_t> codes) {
    std::vector<backplane_input_event> events;
    for (const std::uint16_t code : codes)
        events.push_back({BACKPLANE_INPUT_KEY, code, 1});
    for (std::size_t left = codes.size(); left > 0; --left)
        events.push_back({BACKPLANE_INPUT_KEY, codes[left - 1], 0});
    return events;
}

std::expected<std::vector<backplane_input_event>, std::string> text_events(std::string_view text) {
    std::vector<backplane_input_event> events;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto key = typed(text[at]);
        if (!key)
            return std::unexpected{"byte " + std::to_string(at) + " of the text, " +
                                   in_quotes(character_at(text, at)) +
                                   ", is on no key of a US keyboard"};
        const std::array<std::uint16_t, 2> both{BACKPLANE_KEY_LEFT_SHIFT, key->code};
        const auto pressed = key_events(std::span{both}.subspan(key->shift ? 0 : 1));
        events.insert(events.end(), pressed.begin(), pressed.end());
    }
    return events;
}

}  // namespace backplane::runtime
