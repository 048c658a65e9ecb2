#include "ps2_keyboard.h"

#include "ps2_translation.h"

#include <algorithm>
#include <utility>

namespace backplane::chipset {

namespace {

using namespace std::chrono_literals;

enum Command : std::uint8_t {
    set_leds = 0xed,
    echo = 0xee,
    select_set = 0xf0,
    read_id = 0xf2,
    set_typematic = 0xf3,
    enable = 0xf4,
    default_disable = 0xf5,
    set_default = 0xf6,
    all_typematic = 0xf7,
    all_make_break = 0xf8,
    all_make = 0xf9,
    all_typematic_make_break = 0xfa,
    key_typematic = 0xfb,
    key_make_break = 0xfc,
    key_make = 0xfd,
    resend = 0xfe,
    reset_command = 0xff
};

constexpr std::uint8_t acknowledge = 0xfa, self_test_passed = 0xaa;
constexpr std::uint8_t extended = 0xe0, extended_1 = 0xe1;
constexpr std::uint8_t fake_left_shift = 0x12, fake_right_shift = 0x59, system_request = 0x84;

namespace led {
constexpr std::uint8_t scroll_lock = 0x01, num_lock = 0x02, caps_lock = 0x04;
constexpr std::uint8_t all = 0x07;
}  // namespace led

constexpr std::size_t scan_code_room = 16;  // of the buffer, less the place of the overrun code
constexpr std::uint8_t default_typematic = 0x2b;  // 10.9 characters a second after 500 ms
// Real ones take half a second, for which nobody has to wait here.
constexpr Duration self_test_time = 2ms;

constexpr backplane_ps2 ps2_functions{sizeof(backplane_ps2), 0, thunk<&Ps2Keyboard::attach>,
                                      thunk<&Ps2Keyboard::read>, thunk<&Ps2Keyboard::write>};
constexpr backplane_input input_functions{sizeof(backplane_input),      0,
                                          thunk<&Ps2Keyboard::accepts>, thunk<&Ps2Keyboard::room>,
                                          thunk<&Ps2Keyboard::send>,    thunk<&Ps2Keyboard::leds>};

constexpr Duration typematic_delay(std::uint8_t setting) {
    return 250ms * ((setting >> 5 & 3) + 1);
}

// (8 + A) * 2^B * 4.17 ms
constexpr Duration typematic_period(std::uint8_t setting) {
    const auto units = (8 + (setting & 7)) << (setting >> 3 & 3);
    return Duration{1s} * units / 240;
}

}  // namespace

void Ps2Keyboard::declare(Declaration<Ps2Keyboard>& d) {
    d.type("chipset.ps2-keyboard", "PS/2 keyboard");
    d.provides("plug", ps2_functions, "Goes into a keyboard controller's keyboard port");
    d.provides("input", input_functions, "Keys as they are pressed and released");
    d.timer<&Ps2Keyboard::end_self_test>("self-test", &Ps2Keyboard::self_test_);
    d.timer<&Ps2Keyboard::repeat>("typematic", &Ps2Keyboard::typematic_);
    d.counter("presses", &Ps2Keyboard::presses_, "keys", "Keys pressed");
    d.counter("overruns", &Ps2Keyboard::overruns_, "keys",
              "Presses and releases that found the buffer full");
    d.saved("scanning", &Ps2Keyboard::scanning_);
    d.saved("testing", &Ps2Keyboard::testing_);
    d.saved("set", &Ps2Keyboard::set_);
    d.saved("leds", &Ps2Keyboard::led_bits_);
    d.saved("typematic-rate", &Ps2Keyboard::typematic_rate_);
    d.saved("pending-command", &Ps2Keyboard::pending_command_);
    d.saved("last-sent", &Ps2Keyboard::last_sent_);
    d.saved("key-types", &Ps2Keyboard::types_);
    d.saved("keys-down", &Ps2Keyboard::down_);
    d.saved("system-request", &Ps2Keyboard::system_request_);
    d.saved("repeating", &Ps2Keyboard::repeating_);
    save_byte_queue(d, "responses", &Ps2Keyboard::responses_);
    save_byte_queue(d, "buffer", &Ps2Keyboard::buffer_);
}

// The self-test of power-on is over and its result gone, as if firmware had taken it: whoever opens
// the port takes a byte that comes unasked for an answer (Linux: for that of its interrupt test).
void Ps2Keyboard::reset(ResetKind kind) {
    if (kind != ResetKind::PowerOn) return;
    down_ = {};
    system_request_ = false;
    pending_command_ = last_sent_ = 0;
    led_bits_ = 0;
    responses_.clear();
    set_defaults();
}

// What commands F5, F6 and FF restore; the lamps stay as they are.
void Ps2Keyboard::set_defaults() {
    typematic_rate_ = default_typematic;
    set_ = 2;
    scanning_ = true;
    types_ = {};
    for (const Ps2Key& key : ps2_keys())
        types_[key.set3] = key.type;
    buffer_.clear();
    repeating_ = 0;
    typematic_.stop();
    testing_ = false;
    self_test_.stop();
}

void Ps2Keyboard::end_self_test() {
    testing_ = false;
    respond({self_test_passed});
}

// ---- The wire ----

void Ps2Keyboard::tell_host() {
    if (host_.byte_ready != nullptr) host_.byte_ready(host_.user);
}

void Ps2Keyboard::respond(std::initializer_list<std::uint8_t> bytes) {
    responses_.push(bytes);
    tell_host();
}

// Answers do not wait behind scan codes, and scan codes wait for a command's parameter.
std::int32_t Ps2Keyboard::read() {
    if (!responses_.is_empty())
        last_sent_ = responses_.pop();
    else if (pending_command_ == 0 && !testing_ && !buffer_.is_empty())
        last_sent_ = buffer_.pop();
    else
        return -1;
    return last_sent_;
}

// A command ends whatever the keyboard was about to answer.
void Ps2Keyboard::write(std::uint8_t value) {
    if (value == resend) {
        responses_.push_front(last_sent_);
        return tell_host();
    }
    responses_.clear();
    if (testing_) {
        testing_ = false;
        self_test_.stop();
    }
    const std::uint8_t pending = std::exchange(pending_command_, std::uint8_t{0});
    if (pending != 0 && value < set_leds)
        parameter(pending, value);
    else
        command(value);
}

void Ps2Keyboard::command(std::uint8_t value) {
    switch (value) {
    case echo: return respond({echo});
    case read_id: return respond({acknowledge, 0xab, 0x83});
    case set_leds:
    case select_set:
    case set_typematic: pending_command_ = value; break;
    case key_typematic:
    case key_make_break:
    case key_make:
        pending_command_ = value;
        buffer_.clear();
        break;
    case enable:
        buffer_.clear();
        scanning_ = true;
        break;
    case default_disable:
        set_defaults();
        scanning_ = false;
        break;
    case set_default: {
        const bool scanned = scanning_;
        set_defaults();
        scanning_ = scanned;
        break;
    }
    case all_typematic: set_all_keys(Ps2KeyType::Typematic); break;
    case all_make_break: set_all_keys(Ps2KeyType::MakeBreak); break;
    case all_make: set_all_keys(Ps2KeyType::MakeOnly); break;
    case all_typematic_make_break: set_all_keys(Ps2KeyType::TypematicMakeBreak); break;
    case reset_command:
        led_bits_ = 0;
        set_defaults();
        testing_ = true;
        self_test_.start_after(self_test_time);
        break;
    default: return respond({resend});
    }
    respond({acknowledge});
}

void Ps2Keyboard::parameter(std::uint8_t command, std::uint8_t value) {
    switch (command) {
    case set_leds: led_bits_ = value & led::all; break;
    case set_typematic: typematic_rate_ = value & 0x7f; break;
    case select_set:
        if (value == 0) return respond({acknowledge, set_});
        if (value > 3) return respond({resend});
        set_ = value;
        buffer_.clear();
        repeating_ = 0;
        typematic_.stop();
        break;
    case key_typematic: types_[value] = Ps2KeyType::Typematic; break;
    case key_make_break: types_[value] = Ps2KeyType::MakeBreak; break;
    default: types_[value] = Ps2KeyType::MakeOnly; break;
    }
    // Any number of keys may follow the three commands for single keys.
    if (command >= key_typematic) pending_command_ = command;
    respond({acknowledge});
}

void Ps2Keyboard::set_all_keys(Ps2KeyType type) {
    types_.fill(type);
    buffer_.clear();
}

// ---- Keys ----

// Two and a half codes for a press or a release, which is what pressing and releasing an extended
// key takes. An empty buffer takes whatever is pressed at once: it cannot become emptier.
std::uint32_t Ps2Keyboard::room() const {
    if (!scanning_ || testing_ || pending_command_ != 0) return 0;
    if (buffer_.is_empty()) return scan_code_room;
    const std::size_t used = std::min<std::size_t>(buffer_.count, scan_code_room);
    return static_cast<std::uint32_t>((scan_code_room - used) * 2 / 5);
}

std::uint32_t Ps2Keyboard::leds() const {
    std::uint32_t lit = 0;
    if ((led_bits_ & led::num_lock) != 0) lit |= 1u << BACKPLANE_LED_NUM_LOCK;
    if ((led_bits_ & led::caps_lock) != 0) lit |= 1u << BACKPLANE_LED_CAPS_LOCK;
    if ((led_bits_ & led::scroll_lock) != 0) lit |= 1u << BACKPLANE_LED_SCROLL_LOCK;
    return lit;
}

void Ps2Keyboard::send(const backplane_input_event* events, std::uint32_t count) {
    for (const auto& event : std::span{events, count}) {
        if (event.type != BACKPLANE_INPUT_KEY) continue;
        if (const Ps2Key* found = find_ps2_key(event.code)) key(*found, event.value != 0);
    }
}

void Ps2Keyboard::key(const Ps2Key& key, bool pressed) {
    if (is_down(key.code) == pressed) return;
    presses_ += pressed;
    // The key itself is not among those that its codes depend on.
    if (pressed) press(key);
    down_[key.code] = pressed;
    if (!pressed) release(key);
}

Ps2KeyType Ps2Keyboard::type(const Ps2Key& key) const {
    return set_ == 3 ? types_[key.set3] : Ps2KeyType::TypematicMakeBreak;
}

bool Ps2Keyboard::is_typematic(const Ps2Key& key) const {
    if (set_ != 3) return key.kind != Ps2KeyKind::Pause && key.kind != Ps2KeyKind::NoBreak;
    return key.set3 != 0 && type(key) <= Ps2KeyType::TypematicMakeBreak;
}

void Ps2Keyboard::press(const Ps2Key& key) {
    if (key.kind == Ps2KeyKind::PrintScreen) system_request_ = alt_is_down();
    repeating_ = 0;
    typematic_.stop();
    if (!scanning_ || testing_) return;
    ScanCodes codes;
    if (set_ != 3) add_fake_shifts(codes, key, false);
    add_key(codes, key, false);
    if (!put(codes)) return;
    if (!is_typematic(key)) return;
    repeating_ = key.code;
    typematic_.start_after(typematic_delay(typematic_rate_));
}

void Ps2Keyboard::release(const Ps2Key& key) {
    if (repeating_ == key.code) {
        repeating_ = 0;
        typematic_.stop();
    }
    if (!scanning_ || testing_) return;
    if (type(key) == Ps2KeyType::Typematic || type(key) == Ps2KeyType::MakeOnly) return;
    if (set_ != 3 && (key.kind == Ps2KeyKind::Pause || key.kind == Ps2KeyKind::NoBreak)) return;
    ScanCodes codes;
    add_key(codes, key, true);
    if (set_ != 3) add_fake_shifts(codes, key, true);
    put(codes);
}

// A repeated code for which there is no room is no loss.
void Ps2Keyboard::repeat() {
    const Ps2Key* held = find_ps2_key(repeating_);
    if (held == nullptr) return;
    ScanCodes codes;
    add_key(codes, *held, false);
    if (buffer_.count + std::size_t{codes.count} <= scan_code_room) put(codes);
    typematic_.start_at(typematic_.deadline() + typematic_period(typematic_rate_));
}

// A sequence is stored whole or not at all. The overrun code in the seventeenth place tells that
// one was lost.
bool Ps2Keyboard::put(const ScanCodes& codes) {
    if (codes.is_empty()) return false;
    if (buffer_.count + std::size_t{codes.count} > scan_code_room) {
        ++overruns_;
        const std::uint8_t overrun = set_ == 1 ? 0xff : 0x00;
        const std::size_t last = (buffer_.first + buffer_.count - 1u) % buffer_.capacity;
        if (buffer_.values[last] != overrun) buffer_.push(overrun);
        return false;
    }
    for (std::size_t at = 0; at < codes.count; ++at)
        buffer_.push(codes.values[at]);
    tell_host();
    return true;
}

// ---- Scan codes ----

bool Ps2Keyboard::shift_is_down() const {
    return is_down(BACKPLANE_KEY_LEFT_SHIFT) || is_down(BACKPLANE_KEY_RIGHT_SHIFT);
}
bool Ps2Keyboard::control_is_down() const {
    return is_down(BACKPLANE_KEY_LEFT_CTRL) || is_down(BACKPLANE_KEY_RIGHT_CTRL);
}
bool Ps2Keyboard::alt_is_down() const {
    return is_down(BACKPLANE_KEY_LEFT_ALT) || is_down(BACKPLANE_KEY_RIGHT_ALT);
}

void Ps2Keyboard::add_code(ScanCodes& codes, std::uint8_t set2, bool released) const {
    if (set_ == 1) {
        codes.push(static_cast<std::uint8_t>(set2_to_set1(set2) | (released ? set1_break : 0)));
        return;
    }
    if (released) codes.push(set2_break);
    codes.push(set2);
}

void Ps2Keyboard::add_extended(ScanCodes& codes, std::uint8_t set2, bool released) const {
    codes.push(extended);
    add_code(codes, set2, released);
}

void Ps2Keyboard::add_key(ScanCodes& codes, const Ps2Key& key, bool released) const {
    if (set_ == 3) {
        if (key.set3 == 0) return;
        if (released) codes.push(set2_break);
        codes.push(key.set3);
        return;
    }
    switch (key.kind) {
    case Ps2KeyKind::Plain:
    case Ps2KeyKind::NoBreak: return add_code(codes, key.set2, released);
    case Ps2KeyKind::Pause: return add_pause(codes);
    case Ps2KeyKind::PrintScreen:
        if (system_request_) return add_code(codes, system_request, released);
        [[fallthrough]];
    default: return add_extended(codes, key.set2, released);
    }
}

// Before the key's own codes when it is pressed, after them when it is released.
void Ps2Keyboard::add_fake_shifts(ScanCodes& codes, const Ps2Key& key, bool released) const {
    const bool num_lock = (led_bits_ & led::num_lock) != 0;
    bool shift = false;    // down: undo it
    bool unshift = false;  // not down: pretend that it were
    switch (key.kind) {
    case Ps2KeyKind::Navigation:
        shift = shift_is_down() && !num_lock;
        unshift = !shift_is_down() && num_lock;
        break;
    case Ps2KeyKind::KeypadSlash: shift = shift_is_down(); break;
    case Ps2KeyKind::PrintScreen:
        unshift = !system_request_ && !shift_is_down() && !control_is_down();
        break;
    default: break;
    }
    if (unshift) add_extended(codes, fake_left_shift, released);
    if (!shift) return;
    if (is_down(BACKPLANE_KEY_LEFT_SHIFT)) add_extended(codes, fake_left_shift, !released);
    if (is_down(BACKPLANE_KEY_RIGHT_SHIFT)) add_extended(codes, fake_right_shift, !released);
}

// Num Lock after Ctrl, or Scroll Lock after Ctrl, as the 84-key keyboard had it; both at once
// released.
void Ps2Keyboard::add_pause(ScanCodes& codes) const {
    constexpr std::uint8_t control = 0x14, num_lock = 0x77, scroll_lock = 0x7e;
    if (control_is_down()) {
        add_extended(codes, scroll_lock, false);
        add_extended(codes, scroll_lock, true);
        return;
    }
    codes.push(extended_1);
    add_code(codes, control, false);
    add_code(codes, num_lock, false);
    codes.push(extended_1);
    add_code(codes, control, true);
    add_code(codes, num_lock, true);
}

}  // namespace backplane::chipset
