// A PS/2 mouse, with the wheel of the IntelliMouse and the five buttons of the IntelliMouse
// Explorer once a driver has asked for them. (IBM PS/2 Hardware Interface Technical Reference,
// "Mouse"; Microsoft, "Mouse Protocols" for the wheel; Synaptics PS/2 TouchPad Interfacing Guide,
// section 2.3, for the timing of commands)
//
// Movement comes in counts, whatever resolution the driver chose. It hangs on a plug, so the
// machine's reset does not reach it; the guest resets it by command.
#pragma once

#include "byte_queue.h"
#include "ps2_mouse_motion.h"

#include <backplane/sdk.h>

#include <array>

namespace backplane::chipset {

class Ps2Mouse final : public Device {
public:
    static void declare(Declaration<Ps2Mouse>& d);

    void reset(ResetKind kind);

    // backplane.ps2/1
    void attach(const backplane_ps2_host* host) { host_ = *host; }
    std::int32_t read();
    void write(std::uint8_t value);

    // backplane.input/1
    std::uint32_t accepts() const { return BACKPLANE_INPUT_ACCEPTS_RELATIVE; }
    std::uint32_t room() const { return static_cast<std::uint32_t>(motion_.room()); }
    void send(const backplane_input_event* events, std::uint32_t count);
    std::uint32_t leds() const { return 0; }

private:
    // As the property `model` and as command F2 tells the protocol.
    enum class Model : std::uint8_t { Ps2, IntelliMouse, Explorer };
    enum class Id : std::uint8_t { Standard = 0, Wheel = 3, FiveButtons = 4 };
    enum class Mode : std::uint8_t { Stream, Remote };

    void set_defaults();
    void end_self_test();
    void respond(std::initializer_list<std::uint8_t> bytes);
    void tell_host();
    void command(std::uint8_t value);
    void parameter(std::uint8_t command, std::uint8_t value);
    void set_sample_rate(std::uint8_t rate);
    void refuse();
    void resend_packet();

    void sample();
    void put_packet();
    bool sends_by_itself() const;

    Model model_ = Model::Explorer;
    backplane_ps2_host host_{};
    Timer self_test_, sampling_;

    Id id_ = Id::Standard;
    Mode mode_ = Mode::Stream;
    bool wrap_ = false;
    bool reporting_ = false;
    bool scaling_2_1_ = false;
    bool testing_ = false;
    bool refused_ = false;  // the last byte was no command: the next such is an error
    std::uint8_t resolution_ = 2, sample_rate_ = 100;
    std::uint8_t pending_command_ = 0;
    std::array<std::uint8_t, 3> rates_{};  // the last three set, the latest at the end
    Ps2MouseMotion motion_;
    ByteQueue<8> output_;
    ByteQueue<4> last_packet_;  // for resending

    std::uint64_t packets_ = 0;
};

}  // namespace backplane::chipset
