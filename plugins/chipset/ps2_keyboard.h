// A PS/2 keyboard: 101 keys and those that came later, scan code sets 1 to 3, typematic repeat.
// (IBM PS/2 Hardware Interface Technical Reference, "101- and 102-Key Keyboard")
//
// It hangs on a plug, so the machine's reset does not reach it; the guest resets it by command.
#pragma once

#include "byte_queue.h"
#include "ps2_scan_codes.h"

#include <backplane/sdk.h>

#include <array>

namespace backplane::chipset {

class Ps2Keyboard final : public Device {
public:
    static void declare(Declaration<Ps2Keyboard>& d);

    void reset(ResetKind kind);

    // backplane.ps2/1
    void attach(const backplane_ps2_host* host) { host_ = *host; }
    std::int32_t read();
    void write(std::uint8_t value);

    // backplane.input/1
    std::uint32_t accepts() const { return BACKPLANE_INPUT_ACCEPTS_KEYS; }
    std::uint32_t room() const;
    void send(const backplane_input_event* events, std::uint32_t count);
    std::uint32_t leds() const;

private:
    using ScanCodes = ByteQueue<12>;

    void set_defaults();
    void end_self_test();
    void respond(std::initializer_list<std::uint8_t> bytes);
    void tell_host();

    void command(std::uint8_t value);
    void parameter(std::uint8_t command, std::uint8_t value);
    void set_all_keys(Ps2KeyType type);

    void key(const Ps2Key& key, bool pressed);
    void press(const Ps2Key& key);
    void release(const Ps2Key& key);
    void repeat();
    Ps2KeyType type(const Ps2Key& key) const;
    bool is_typematic(const Ps2Key& key) const;
    bool is_down(std::uint16_t code) const { return down_[code]; }
    bool shift_is_down() const;
    bool control_is_down() const;
    bool alt_is_down() const;

    // Parts of what a key sends, in the chosen set.
    void add_code(ScanCodes& codes, std::uint8_t set2, bool released) const;
    void add_extended(ScanCodes& codes, std::uint8_t set2, bool released) const;
    void add_key(ScanCodes& codes, const Ps2Key& key, bool released) const;
    void add_fake_shifts(ScanCodes& codes, const Ps2Key& key, bool released) const;
    void add_pause(ScanCodes& codes) const;
    bool put(const ScanCodes& codes);

    backplane_ps2_host host_{};
    Timer self_test_, typematic_;

    bool scanning_ = true;
    bool testing_ = false;
    std::uint8_t set_ = 2;
    std::uint8_t led_bits_ = 0;
    std::uint8_t typematic_rate_ = 0;
    std::uint8_t pending_command_ = 0;  // whose parameter comes next; 0 = none
    std::uint8_t last_sent_ = 0;
    std::array<Ps2KeyType, 256> types_{};  // in set 3, by its codes
    std::array<bool, 256> down_{};         // by input code
    bool system_request_ = false;          // Print Screen was pressed with Alt
    std::uint16_t repeating_ = 0;          // input code of the key that repeats; 0 = none
    ByteQueue<4> responses_;
    ByteQueue<17> buffer_;  // 16 scan codes, and one place for the overrun code

    std::uint64_t presses_ = 0, overruns_ = 0;
};

}  // namespace backplane::chipset
