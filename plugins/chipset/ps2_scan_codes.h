// What each key of a PS/2 keyboard sends: the three sets of scan codes, for keys by their input
// codes. (IBM PS/2 Hardware Interface Technical Reference, "101- and 102-Key Keyboard"; Microsoft
// Keyboard Scan Code Specification 1.3a for the keys added later)
#pragma once

#include <cstdint>
#include <span>

namespace backplane::chipset {

// Set 3 sends one code for a key; what its release and holding it do can be chosen for each.
enum class Ps2KeyType : std::uint8_t { Typematic, TypematicMakeBreak, MakeBreak, MakeOnly };

// Keys whose codes in sets 1 and 2 depend on others. The 101-key keyboard doubled keys that the
// 84-key one had on its number pad, and undoes Shift and Num Lock around their codes, so that
// software which knows the older keyboard finds what it expects.
enum class Ps2KeyKind : std::uint8_t {
    Plain,
    Extended,     // after E0
    Navigation,   // after E0; with Shift or with Num Lock among fake shifts
    KeypadSlash,  // after E0; with Shift among fake shifts
    PrintScreen,
    Pause,
    NoBreak  // says nothing when released
};

struct Ps2Key {
    std::uint16_t code = 0;  // backplane_key
    std::uint8_t set2 = 0;   // set 1 is its translation
    std::uint8_t set3 = 0;   // 0: the key is unknown there
    Ps2KeyKind kind = Ps2KeyKind::Plain;
    Ps2KeyType type = Ps2KeyType::Typematic;  // in set 3, to begin with
};

// Null for what is no key of such a keyboard.
const Ps2Key* find_ps2_key(std::uint16_t code);

std::span<const Ps2Key> ps2_keys();

}  // namespace backplane::chipset
