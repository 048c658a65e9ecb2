#include "ps2_mouse.h"

#include <span>
#include <utility>

namespace backplane::chipset {

namespace {

using namespace std::chrono_literals;

enum Command : std::uint8_t {
    scaling_1_1 = 0xe6,
    scaling_2_1 = 0xe7,
    set_resolution = 0xe8,
    status_request = 0xe9,
    set_stream_mode = 0xea,
    read_data = 0xeb,
    reset_wrap_mode = 0xec,
    set_wrap_mode = 0xee,
    set_remote_mode = 0xf0,
    read_id = 0xf2,
    set_sample_rate_command = 0xf3,
    enable = 0xf4,
    disable = 0xf5,
    set_default = 0xf6,
    resend = 0xfe,
    reset_command = 0xff
};

constexpr std::uint8_t acknowledge = 0xfa, self_test_passed = 0xaa;
constexpr std::uint8_t invalid = 0xfe, error = 0xfc;

namespace button {
constexpr std::uint8_t left = 0x01, right = 0x02, middle = 0x04, fourth = 0x08, fifth = 0x10;
constexpr std::uint8_t first_three = 0x07;
}  // namespace button

namespace packet {
constexpr std::uint8_t always = 0x08, x_sign = 0x10, y_sign = 0x20;
constexpr std::uint8_t fourth = 0x10, fifth = 0x20;  // in the fourth byte
}  // namespace packet

namespace status {
constexpr std::uint8_t right = 0x01, middle = 0x02, left = 0x04;
constexpr std::uint8_t scaling_2_1 = 0x10, enabled = 0x20, remote = 0x40;
}  // namespace status

// Nine bits with a sign, but some drivers take -256 for an overflow.
constexpr std::int32_t longest_move = 255;
constexpr std::int32_t longest_wheel = 7;
constexpr Duration self_test_time = 2ms;

constexpr backplane_ps2 ps2_functions{sizeof(backplane_ps2), 0, thunk<&Ps2Mouse::attach>,
                                      thunk<&Ps2Mouse::read>, thunk<&Ps2Mouse::write>};
constexpr backplane_input input_functions{sizeof(backplane_input),   0,
                                          thunk<&Ps2Mouse::accepts>, thunk<&Ps2Mouse::room>,
                                          thunk<&Ps2Mouse::send>,    thunk<&Ps2Mouse::leds>};

std::uint8_t button_bit(std::uint16_t code) {
    switch (code) {
    case BACKPLANE_BUTTON_LEFT: return button::left;
    case BACKPLANE_BUTTON_RIGHT: return button::right;
    case BACKPLANE_BUTTON_MIDDLE: return button::middle;
    case BACKPLANE_BUTTON_SIDE: return button::fourth;
    case BACKPLANE_BUTTON_EXTRA: return button::fifth;
    default: return 0;
    }
}

// 2:1 scaling doubles what is more than five counts, and slows down below.
std::int32_t scaled(std::int32_t counts) {
    constexpr std::array<std::int32_t, 6> small{0, 1, 1, 3, 6, 9};
    const std::int32_t size = counts < 0 ? -counts : counts;
    const std::int32_t result = size < 6 ? small[static_cast<std::size_t>(size)] : 2 * size;
    return counts < 0 ? -result : result;
}

}  // namespace

void Ps2Mouse::declare(Declaration<Ps2Mouse>& d) {
    d.type("chipset.ps2-mouse", "PS/2 mouse with wheel and five buttons");
    d.property("model", &Ps2Mouse::model_, {"ps2", "intellimouse", "explorer"},
               "What it can become: three buttons, a wheel with them, or five and a wheel");
    d.provides("plug", ps2_functions, "Goes into a keyboard controller's mouse port");
    d.provides("input", input_functions, "Movement, wheel and buttons");
    d.timer<&Ps2Mouse::end_self_test>("self-test", &Ps2Mouse::self_test_);
    d.timer<&Ps2Mouse::sample>("sampling", &Ps2Mouse::sampling_);
    d.counter("packets", &Ps2Mouse::packets_, "packets", "Reports of movement and buttons");
    d.saved("id", &Ps2Mouse::id_);
    d.saved("mode", &Ps2Mouse::mode_);
    d.saved("wrap", &Ps2Mouse::wrap_);
    d.saved("reporting", &Ps2Mouse::reporting_);
    d.saved("scaling-2-1", &Ps2Mouse::scaling_2_1_);
    d.saved("testing", &Ps2Mouse::testing_);
    d.saved("refused", &Ps2Mouse::refused_);
    d.saved("resolution", &Ps2Mouse::resolution_);
    d.saved("sample-rate", &Ps2Mouse::sample_rate_);
    d.saved("pending-command", &Ps2Mouse::pending_command_);
    d.saved("rates", &Ps2Mouse::rates_);
    const auto save_motion = [&d](const char* name, auto member) {
        d.saved(std::string{"motion."} + name,
                [member](Ps2Mouse& mouse) -> auto& { return mouse.motion_.*member; });
    };
    save_motion("buttons", &Ps2MouseMotion::buttons);
    save_motion("count", &Ps2MouseMotion::count);
    save_motion("x", &Ps2MouseMotion::xs);
    save_motion("y", &Ps2MouseMotion::ys);
    save_motion("wheel", &Ps2MouseMotion::wheels);
    save_motion("states", &Ps2MouseMotion::states);
    save_byte_queue(d, "output", &Ps2Mouse::output_);
    save_byte_queue(d, "last-packet", &Ps2Mouse::last_packet_);
}

// The self-test of power-on is over and its result gone, as if firmware had taken it: whoever opens
// the port takes a byte that comes unasked for an answer (Linux: for that of its interrupt test).
void Ps2Mouse::reset(ResetKind kind) {
    if (kind != ResetKind::PowerOn) return;
    motion_ = {};
    rates_ = {};
    id_ = Id::Standard;
    pending_command_ = 0;
    output_.clear();
    last_packet_.clear();
    set_defaults();
}

void Ps2Mouse::set_defaults() {
    mode_ = Mode::Stream;
    wrap_ = reporting_ = scaling_2_1_ = testing_ = refused_ = false;
    resolution_ = 2;  // 4 counts per millimetre
    sample_rate_ = 100;
    motion_.clear();
    self_test_.stop();
    sampling_.stop();
}

void Ps2Mouse::end_self_test() {
    testing_ = false;
    respond({self_test_passed, static_cast<std::uint8_t>(Id::Standard)});
}

// ---- The wire ----

void Ps2Mouse::tell_host() {
    if (host_.byte_ready != nullptr) host_.byte_ready(host_.user);
}

void Ps2Mouse::respond(std::initializer_list<std::uint8_t> bytes) {
    output_.push(bytes);
    tell_host();
}

std::int32_t Ps2Mouse::read() { return output_.is_empty() ? -1 : output_.pop(); }

// A command ends whatever the mouse was about to send.
void Ps2Mouse::write(std::uint8_t value) {
    output_.clear();
    if (testing_) {
        testing_ = false;
        self_test_.stop();
    }
    if (wrap_ && value != reset_wrap_mode && value != reset_command) return respond({value});
    const std::uint8_t pending = std::exchange(pending_command_, std::uint8_t{0});
    if (pending != 0)
        parameter(pending, value);
    else
        command(value);
    if (!sampling_.is_running()) sample();  // what happened meanwhile
}

void Ps2Mouse::command(std::uint8_t value) {
    if (value == resend) return resend_packet();
    const bool was_refused = std::exchange(refused_, false);
    switch (value) {
    case scaling_1_1: scaling_2_1_ = false; break;
    case scaling_2_1: scaling_2_1_ = true; break;
    case set_resolution:
    case set_sample_rate_command: pending_command_ = value; break;
    case status_request: {
        const std::uint8_t buttons = motion_.buttons;
        const auto flag = [](bool is_set, std::uint8_t bit) { return is_set ? bit : 0; };
        const auto bits = flag((buttons & button::right) != 0, status::right) |
                          flag((buttons & button::middle) != 0, status::middle) |
                          flag((buttons & button::left) != 0, status::left) |
                          flag(scaling_2_1_, status::scaling_2_1) |
                          flag(reporting_, status::enabled) |
                          flag(mode_ == Mode::Remote, status::remote);
        return respond({acknowledge, static_cast<std::uint8_t>(bits), resolution_, sample_rate_});
    }
    case set_stream_mode:
        mode_ = Mode::Stream;
        motion_.clear();
        break;
    case read_data: output_.push(acknowledge); return put_packet();
    case reset_wrap_mode:
        wrap_ = false;
        motion_.clear();
        break;
    case set_wrap_mode:
        wrap_ = true;
        motion_.clear();
        break;
    case set_remote_mode:
        mode_ = Mode::Remote;
        motion_.clear();
        break;
    case read_id: return respond({acknowledge, static_cast<std::uint8_t>(id_)});
    case enable:
        reporting_ = true;
        motion_.clear();
        break;
    case disable: reporting_ = false; break;
    case set_default: set_defaults(); break;
    case reset_command:
        set_defaults();
        id_ = Id::Standard;
        rates_ = {};
        testing_ = true;
        self_test_.start_after(self_test_time);
        break;
    default: refused_ = was_refused; return refuse();
    }
    respond({acknowledge});
}

void Ps2Mouse::parameter(std::uint8_t command, std::uint8_t value) {
    if (command == set_resolution) {
        if (value > 3) return refuse();
        resolution_ = value;
        refused_ = false;
        return respond({acknowledge});
    }
    set_sample_rate(value);
}

// The wheel, and then the fourth and fifth button, answer to three rates in a row that no driver
// sets otherwise.
void Ps2Mouse::set_sample_rate(std::uint8_t rate) {
    constexpr std::array<std::uint8_t, 7> rates{10, 20, 40, 60, 80, 100, 200};
    if (std::ranges::find(rates, rate) == rates.end()) return refuse();
    refused_ = false;
    sample_rate_ = rate;
    rates_ = {rates_[1], rates_[2], rate};
    if (rates_ == std::array<std::uint8_t, 3>{200, 100, 80} && model_ >= Model::IntelliMouse &&
        id_ == Id::Standard)
        id_ = Id::Wheel;
    if (rates_ == std::array<std::uint8_t, 3>{200, 200, 80} && model_ == Model::Explorer)
        id_ = Id::FiveButtons;
    respond({acknowledge});
}

// "FE: send it again"; twice in a row: "FC: it is wrong".
void Ps2Mouse::refuse() {
    respond({refused_ ? error : invalid});
    refused_ = !refused_;
}

void Ps2Mouse::resend_packet() {
    for (std::size_t at = 0; at < last_packet_.count; ++at)
        output_.push(last_packet_.values[at]);
    tell_host();
}

// ---- Reports ----

void Ps2Mouse::send(const backplane_input_event* events, std::uint32_t count) {
    for (const auto& event : std::span{events, count}) {
        if (event.type == BACKPLANE_INPUT_KEY) {
            const std::uint8_t bit = button_bit(event.code), now = motion_.buttons;
            motion_.press(static_cast<std::uint8_t>(event.value != 0 ? now | bit : now & ~bit));
        } else if (event.type == BACKPLANE_INPUT_RELATIVE) {
            if (event.code == BACKPLANE_RELATIVE_X) motion_.move(event.value, 0, 0);
            if (event.code == BACKPLANE_RELATIVE_Y) motion_.move(0, event.value, 0);
            if (event.code == BACKPLANE_RELATIVE_WHEEL && id_ != Id::Standard)
                motion_.move(0, 0, event.value);
        }
    }
    // Nobody is going to ask for what happens now, and at `enable` all is forgotten.
    if (mode_ == Mode::Stream && !reporting_) motion_.clear();
    if (!sampling_.is_running()) sample();
}

bool Ps2Mouse::sends_by_itself() const {
    return mode_ == Mode::Stream && reporting_ && !wrap_ && !testing_ && pending_command_ == 0;
}

// At most as many packets a second as the sample rate says, and none on top of one that the host
// has not fetched.
void Ps2Mouse::sample() {
    if (motion_.is_empty() || !sends_by_itself()) return;
    sampling_.start_after(Duration{1s} / sample_rate_);
    if (output_.is_empty()) put_packet();
}

void Ps2Mouse::put_packet() {
    const bool doubled = scaling_2_1_ && mode_ == Mode::Stream;
    const auto report = motion_.take(doubled ? longest_move / 2 : longest_move,
                                     id_ == Id::Standard ? Ps2MouseMotion::limit : longest_wheel);
    const std::int32_t x = doubled ? scaled(report.x) : report.x;
    const std::int32_t y = doubled ? scaled(-report.y) : -report.y;  // up is positive
    last_packet_.clear();
    last_packet_.push(
        static_cast<std::uint8_t>(packet::always | (report.buttons & button::first_three) |
                                  (x < 0 ? packet::x_sign : 0) | (y < 0 ? packet::y_sign : 0)));
    last_packet_.push(static_cast<std::uint8_t>(x));
    last_packet_.push(static_cast<std::uint8_t>(y));
    if (id_ == Id::Wheel) {
        last_packet_.push(static_cast<std::uint8_t>(-report.wheel));
    } else if (id_ == Id::FiveButtons) {
        const auto wheel = static_cast<std::uint8_t>(-report.wheel & 0x0f);
        last_packet_.push(static_cast<std::uint8_t>(
            wheel | ((report.buttons & button::fourth) != 0 ? packet::fourth : 0) |
            ((report.buttons & button::fifth) != 0 ? packet::fifth : 0)));
    }
    ++packets_;
    resend_packet();
}

}  // namespace backplane::chipset
