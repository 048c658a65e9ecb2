#include "runtime/key_names.h"

#include "runtime/nearest_name.h"
#include "runtime/printable_text.h"

#include <backplane/abi/input_codes.h>

#include <algorithm>
#include <cctype>

namespace backplane::runtime {

namespace {

struct NamedKey {
    std::string_view name;
    std::uint16_t code;
};

// The first name of each code is the usual one.
constexpr NamedKey named_keys[] = {
    {"esc", BACKPLANE_KEY_ESC},
    {"escape", BACKPLANE_KEY_ESC},
    {"1", BACKPLANE_KEY_1},
    {"2", BACKPLANE_KEY_2},
    {"3", BACKPLANE_KEY_3},
    {"4", BACKPLANE_KEY_4},
    {"5", BACKPLANE_KEY_5},
    {"6", BACKPLANE_KEY_6},
    {"7", BACKPLANE_KEY_7},
    {"8", BACKPLANE_KEY_8},
    {"9", BACKPLANE_KEY_9},
    {"0", BACKPLANE_KEY_0},
    {"minus", BACKPLANE_KEY_MINUS},
    {"equal", BACKPLANE_KEY_EQUAL},
    {"backspace", BACKPLANE_KEY_BACKSPACE},
    {"bksp", BACKPLANE_KEY_BACKSPACE},
    {"tab", BACKPLANE_KEY_TAB},
    {"a", BACKPLANE_KEY_A},
    {"b", BACKPLANE_KEY_B},
    {"c", BACKPLANE_KEY_C},
    {"d", BACKPLANE_KEY_D},
    {"e", BACKPLANE_KEY_E},
    {"f", BACKPLANE_KEY_F},
    {"g", BACKPLANE_KEY_G},
    {"h", BACKPLANE_KEY_H},
    {"i", BACKPLANE_KEY_I},
    {"j", BACKPLANE_KEY_J},
    {"k", BACKPLANE_KEY_K},
    {"l", BACKPLANE_KEY_L},
    {"m", BACKPLANE_KEY_M},
    {"n", BACKPLANE_KEY_N},
    {"o", BACKPLANE_KEY_O},
    {"p", BACKPLANE_KEY_P},
    {"q", BACKPLANE_KEY_Q},
    {"r", BACKPLANE_KEY_R},
    {"s", BACKPLANE_KEY_S},
    {"t", BACKPLANE_KEY_T},
    {"u", BACKPLANE_KEY_U},
    {"v", BACKPLANE_KEY_V},
    {"w", BACKPLANE_KEY_W},
    {"x", BACKPLANE_KEY_X},
    {"y", BACKPLANE_KEY_Y},
    {"z", BACKPLANE_KEY_Z},
    {"left-brace", BACKPLANE_KEY_LEFT_BRACE},
    {"bracket_left", BACKPLANE_KEY_LEFT_BRACE},
    {"right-brace", BACKPLANE_KEY_RIGHT_BRACE},
    {"bracket_right", BACKPLANE_KEY_RIGHT_BRACE},
    {"enter", BACKPLANE_KEY_ENTER},
    {"ret", BACKPLANE_KEY_ENTER},
    {"return", BACKPLANE_KEY_ENTER},
    {"ctrl", BACKPLANE_KEY_LEFT_CTRL},
    {"control", BACKPLANE_KEY_LEFT_CTRL},
    {"ctrl_l", BACKPLANE_KEY_LEFT_CTRL},
    {"ctrl_r", BACKPLANE_KEY_RIGHT_CTRL},
    {"right-ctrl", BACKPLANE_KEY_RIGHT_CTRL},
    {"semicolon", BACKPLANE_KEY_SEMICOLON},
    {"apostrophe", BACKPLANE_KEY_APOSTROPHE},
    {"grave", BACKPLANE_KEY_GRAVE},
    {"grave_accent", BACKPLANE_KEY_GRAVE},
    {"shift", BACKPLANE_KEY_LEFT_SHIFT},
    {"shift_l", BACKPLANE_KEY_LEFT_SHIFT},
    {"shift_r", BACKPLANE_KEY_RIGHT_SHIFT},
    {"right-shift", BACKPLANE_KEY_RIGHT_SHIFT},
    {"backslash", BACKPLANE_KEY_BACKSLASH},
    {"comma", BACKPLANE_KEY_COMMA},
    {"dot", BACKPLANE_KEY_DOT},
    {"period", BACKPLANE_KEY_DOT},
    {"slash", BACKPLANE_KEY_SLASH},
    {"alt", BACKPLANE_KEY_LEFT_ALT},
    {"alt_l", BACKPLANE_KEY_LEFT_ALT},
    {"alt_r", BACKPLANE_KEY_RIGHT_ALT},
    {"right-alt", BACKPLANE_KEY_RIGHT_ALT},
    {"altgr", BACKPLANE_KEY_RIGHT_ALT},
    {"space", BACKPLANE_KEY_SPACE},
    {"spc", BACKPLANE_KEY_SPACE},
    {"caps-lock", BACKPLANE_KEY_CAPS_LOCK},
    {"caps_lock", BACKPLANE_KEY_CAPS_LOCK},
    {"num-lock", BACKPLANE_KEY_NUM_LOCK},
    {"num_lock", BACKPLANE_KEY_NUM_LOCK},
    {"scroll-lock", BACKPLANE_KEY_SCROLL_LOCK},
    {"scroll_lock", BACKPLANE_KEY_SCROLL_LOCK},
    {"f1", BACKPLANE_KEY_F1},
    {"f2", BACKPLANE_KEY_F2},
    {"f3", BACKPLANE_KEY_F3},
    {"f4", BACKPLANE_KEY_F4},
    {"f5", BACKPLANE_KEY_F5},
    {"f6", BACKPLANE_KEY_F6},
    {"f7", BACKPLANE_KEY_F7},
    {"f8", BACKPLANE_KEY_F8},
    {"f9", BACKPLANE_KEY_F9},
    {"f10", BACKPLANE_KEY_F10},
    {"f11", BACKPLANE_KEY_F11},
    {"f12", BACKPLANE_KEY_F12},
    {"f13", BACKPLANE_KEY_F13},
    {"f14", BACKPLANE_KEY_F14},
    {"f15", BACKPLANE_KEY_F15},
    {"f16", BACKPLANE_KEY_F16},
    {"f17", BACKPLANE_KEY_F17},
    {"f18", BACKPLANE_KEY_F18},
    {"f19", BACKPLANE_KEY_F19},
    {"f20", BACKPLANE_KEY_F20},
    {"f21", BACKPLANE_KEY_F21},
    {"f22", BACKPLANE_KEY_F22},
    {"f23", BACKPLANE_KEY_F23},
    {"f24", BACKPLANE_KEY_F24},
    {"kp_0", BACKPLANE_KEY_KEYPAD_0},
    {"kp_1", BACKPLANE_KEY_KEYPAD_1},
    {"kp_2", BACKPLANE_KEY_KEYPAD_2},
    {"kp_3", BACKPLANE_KEY_KEYPAD_3},
    {"kp_4", BACKPLANE_KEY_KEYPAD_4},
    {"kp_5", BACKPLANE_KEY_KEYPAD_5},
    {"kp_6", BACKPLANE_KEY_KEYPAD_6},
    {"kp_7", BACKPLANE_KEY_KEYPAD_7},
    {"kp_8", BACKPLANE_KEY_KEYPAD_8},
    {"kp_9", BACKPLANE_KEY_KEYPAD_9},
    {"kp_add", BACKPLANE_KEY_KEYPAD_PLUS},
    {"kp_comma", BACKPLANE_KEY_KEYPAD_COMMA},
    {"kp_decimal", BACKPLANE_KEY_KEYPAD_DOT},
    {"kp_divide", BACKPLANE_KEY_KEYPAD_SLASH},
    {"kp_enter", BACKPLANE_KEY_KEYPAD_ENTER},
    {"kp_equals", BACKPLANE_KEY_KEYPAD_EQUAL},
    {"kp_multiply", BACKPLANE_KEY_KEYPAD_ASTERISK},
    {"kp_subtract", BACKPLANE_KEY_KEYPAD_MINUS},
    {"102nd", BACKPLANE_KEY_102ND},
    {"less", BACKPLANE_KEY_102ND},
    {"ro", BACKPLANE_KEY_RO},
    {"yen", BACKPLANE_KEY_YEN},
    {"henkan", BACKPLANE_KEY_HENKAN},
    {"muhenkan", BACKPLANE_KEY_MUHENKAN},
    {"hiragana", BACKPLANE_KEY_HIRAGANA},
    {"katakana", BACKPLANE_KEY_KATAKANA},
    {"katakanahiragana", BACKPLANE_KEY_KATAKANA_HIRAGANA},
    {"zenkakuhankaku", BACKPLANE_KEY_ZENKAKU_HANKAKU},
    {"hangeul", BACKPLANE_KEY_HANGEUL},
    {"hanja", BACKPLANE_KEY_HANJA},
    {"print-screen", BACKPLANE_KEY_PRINT_SCREEN},
    {"print", BACKPLANE_KEY_PRINT_SCREEN},
    {"sysrq", BACKPLANE_KEY_PRINT_SCREEN},
    {"pause", BACKPLANE_KEY_PAUSE},
    {"break", BACKPLANE_KEY_PAUSE},
    {"home", BACKPLANE_KEY_HOME},
    {"end", BACKPLANE_KEY_END},
    {"up", BACKPLANE_KEY_UP},
    {"down", BACKPLANE_KEY_DOWN},
    {"left", BACKPLANE_KEY_LEFT},
    {"right", BACKPLANE_KEY_RIGHT},
    {"page-up", BACKPLANE_KEY_PAGE_UP},
    {"pgup", BACKPLANE_KEY_PAGE_UP},
    {"page-down", BACKPLANE_KEY_PAGE_DOWN},
    {"pgdn", BACKPLANE_KEY_PAGE_DOWN},
    {"insert", BACKPLANE_KEY_INSERT},
    {"ins", BACKPLANE_KEY_INSERT},
    {"delete", BACKPLANE_KEY_DELETE},
    {"del", BACKPLANE_KEY_DELETE},
    {"meta", BACKPLANE_KEY_LEFT_META},
    {"meta_l", BACKPLANE_KEY_LEFT_META},
    {"win", BACKPLANE_KEY_LEFT_META},
    {"super", BACKPLANE_KEY_LEFT_META},
    {"right-meta", BACKPLANE_KEY_RIGHT_META},
    {"meta_r", BACKPLANE_KEY_RIGHT_META},
    {"menu", BACKPLANE_KEY_MENU},
    {"compose", BACKPLANE_KEY_MENU},
    {"power", BACKPLANE_KEY_POWER},
    {"sleep", BACKPLANE_KEY_SLEEP},
    {"wake", BACKPLANE_KEY_WAKE},
    {"mute", BACKPLANE_KEY_MUTE},
    {"audiomute", BACKPLANE_KEY_MUTE},
    {"volume-down", BACKPLANE_KEY_VOLUME_DOWN},
    {"volumedown", BACKPLANE_KEY_VOLUME_DOWN},
    {"volume-up", BACKPLANE_KEY_VOLUME_UP},
    {"volumeup", BACKPLANE_KEY_VOLUME_UP},
    {"next-song", BACKPLANE_KEY_NEXT_SONG},
    {"audionext", BACKPLANE_KEY_NEXT_SONG},
    {"previous-song", BACKPLANE_KEY_PREVIOUS_SONG},
    {"audioprev", BACKPLANE_KEY_PREVIOUS_SONG},
    {"play-pause", BACKPLANE_KEY_PLAY_PAUSE},
    {"audioplay", BACKPLANE_KEY_PLAY_PAUSE},
    {"stop-cd", BACKPLANE_KEY_STOP_CD},
    {"audiostop", BACKPLANE_KEY_STOP_CD},
    {"calculator", BACKPLANE_KEY_CALCULATOR},
    {"computer", BACKPLANE_KEY_COMPUTER},
    {"mail", BACKPLANE_KEY_MAIL},
    {"media", BACKPLANE_KEY_MEDIA},
    {"home-page", BACKPLANE_KEY_HOME_PAGE},
    {"search", BACKPLANE_KEY_SEARCH},
    {"bookmarks", BACKPLANE_KEY_BOOKMARKS},
    {"refresh", BACKPLANE_KEY_REFRESH},
    {"stop", BACKPLANE_KEY_STOP},
    {"back", BACKPLANE_KEY_BACK},
    {"forward", BACKPLANE_KEY_FORWARD},
};

std::string lower_case(std::string_view text) {
    std::string lower{text};
    std::ranges::transform(lower, lower.begin(), [](unsigned char character) {
        return static_cast<char>(std::tolower(character));
    });
    return lower;
}

// The longest name that `rest` begins with and that ends at a "-" or at the end: names have dashes
// of their own.
const NamedKey* first_key(std::string_view rest) {
    const NamedKey* longest = nullptr;
    for (const NamedKey& key : named_keys) {
        if (!rest.starts_with(key.name)) continue;
        if (rest.size() > key.name.size() && rest[key.name.size()] != '-') continue;
        if (longest == nullptr || key.name.size() > longest->name.size()) longest = &key;
    }
    return longest;
}

}  // namespace

std::optional<std::uint16_t> key_code(std::string_view name) {
    const std::string lower = lower_case(name);
    const auto found = std::ranges::find(named_keys, lower, &NamedKey::name);
    if (found == std::end(named_keys)) return std::nullopt;
    return found->code;
}

std::expected<std::vector<std::uint16_t>, std::string>
parse_key_combination(std::string_view text) {
    const std::string lower = lower_case(text);
    std::string_view rest = lower;
    std::vector<std::uint16_t> codes;
    do {
        const NamedKey* key = first_key(rest);
        if (key == nullptr) {
            const std::string wanted{rest.substr(0, rest.find('-'))};
            std::string message = "no key is called " + in_quotes(wanted);
            const auto known = key_names();
            if (const std::string hint = did_you_mean(wanted, known); !hint.empty())
                message += "; " + hint;
            return std::unexpected{std::move(message)};
        }
        if (std::ranges::find(codes, key->code) != codes.end())
            return std::unexpected{in_quotes(key->name) + " twice in " + in_quotes(text)};
        codes.push_back(key->code);
        const bool was_last = rest.size() == key->name.size();
        rest.remove_prefix(key->name.size());
        if (was_last) return codes;
        rest.remove_prefix(1);
    } while (true);
}

std::vector<std::string> key_names() {
    std::vector<std::string> names;
    for (const NamedKey& key : named_keys)
        names.emplace_back(key.name);
    std::ranges::sort(names);
    return names;
}

}  // namespace backplane::runtime
