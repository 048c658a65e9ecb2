#include "runtime/control/input_commands.h"

#include "runtime/control/argument.h"
#include "runtime/control/argument_values.h"
#include "runtime/control/context.h"
#include "runtime/control/typist.h"
#include "runtime/key_events.h"
#include "runtime/key_names.h"
#include "runtime/printable_text.h"

#include <fmt/format.h>

#include <sstream>

namespace backplane::runtime::control {

namespace {

using Milliseconds = std::chrono::milliseconds;
using Input = Connection<backplane_input>;

constexpr std::uint64_t milliseconds = 1'000'000, seconds = 1'000 * milliseconds;
// A pointer's device gets it in steps of its own size.
constexpr std::int64_t furthest = 10'000;
constexpr std::size_t most_keys = 10'000;

struct InputDevice {
    std::string name;
    Input input;
};

// The device called `name`, or the first that takes such events.
std::expected<InputDevice, Error> input_device(const Call& call, std::uint32_t accepts,
                                               const char* what) {
    const std::string name = call.arguments.text("device");
    const auto accepted = [&](const Context::Provider& provider) {
        const MachineGuard guard{call.context.machine().lock()};
        return (Input{provider.link}.call<&backplane_input::accepts>() & accepts) != 0;
    };
    if (!name.empty()) {
        const auto provider = call.context.provider(BACKPLANE_INPUT, name, "", "input device");
        if (!provider) return std::unexpected{provider.error()};
        if (!accepted(*provider))
            return refuse(ErrorKind::BadArgument, fmt::format("{} is not a {}", name, what));
        return InputDevice{name, Input{provider->link}};
    }
    for (const auto& provider : call.context.providers(BACKPLANE_INPUT))
        if (accepted(provider))
            return InputDevice{provider.component->name(), Input{provider.link}};
    return refuse(ErrorKind::NotAvailable,
                  fmt::format("this machine has no {}: none of its devices that provide {} is one",
                              what, BACKPLANE_INPUT));
}

Milliseconds rounded(std::chrono::nanoseconds time) {
    return std::chrono::ceil<Milliseconds>(time);
}

constexpr backplane_property keyboard_argument = text_argument(
    "device", "Which keyboard; empty: the machine's first");
constexpr backplane_property between_argument = duration_argument(
    "between", "The pause behind each key", 20 * milliseconds, 60 * seconds);
constexpr backplane_property patience_argument = duration_argument(
    "patience", "How long to wait for a guest that does not read its keyboard", 5 * seconds,
    3600 * seconds);

constexpr ResultField typed_fields[] = {
    {"keys", ResultKind::Count, "keys or combinations that were typed"},
};

Answer type_keys(const Call& call, std::vector<InputEvents> keys, Milliseconds hold) {
    const auto keyboard = input_device(call, BACKPLANE_INPUT_ACCEPTS_KEYS, "keyboard");
    if (!keyboard) return std::unexpected{keyboard.error()};
    if (keys.size() > most_keys)
        return refuse(ErrorKind::BadArgument,
                      fmt::format("these are {} keys; at most {} at once", keys.size(), most_keys));
    const Typist::Pace pace{.between = rounded(call.arguments.duration("between")),
                            .hold = hold,
                            .patience = rounded(call.arguments.duration("patience"))};
    return Typist::go_on(
        std::make_unique<Typist>(call.context, keyboard->input, "typing", std::move(keys), pace));
}

constexpr backplane_property send_key_arguments[] = {
    required(text_argument("keys", "What is pressed: 'ctrl-alt-del', or several in turn: 'esc "
                                   "down down ret'")),
    duration_argument("hold", "How long each is held", 50 * milliseconds, 60 * seconds),
    between_argument,
    patience_argument,
    keyboard_argument,
};

Answer send_key(const Call& call) {
    std::istringstream words{call.arguments.text("keys")};
    std::vector<InputEvents> keys;
    for (std::string word; words >> word;) {
        const auto codes = parse_key_combination(word);
        if (!codes) return refuse(ErrorKind::BadArgument, "send-key: keys: " + codes.error());
        keys.push_back(key_events(*codes));
    }
    if (keys.empty())
        return refuse(ErrorKind::BadArgument, "send-key: keys: expected the name of a key");
    return type_keys(call, std::move(keys), rounded(call.arguments.duration("hold")));
}

constexpr backplane_property type_arguments[] = {
    required(text_argument("text", "What is typed, on a US keyboard; \\n is the Enter key")),
    between_argument,
    patience_argument,
    keyboard_argument,
};

Answer type(const Call& call) {
    const auto events = text_events(call.arguments.text("text"));
    if (!events) return refuse(ErrorKind::BadArgument, "type: text: " + events.error());
    return type_keys(call, key_groups(*events), Milliseconds{0});
}

constexpr backplane_property pointer_argument = text_argument(
    "device", "Which mouse or tablet; empty: the machine's first");

constexpr ResultField pointed_fields[] = {
    {"device", ResultKind::Text, "which it was"},
};

Answer send(const Call& call, const InputDevice& device, const InputEvents& events) {
    const auto done = call.context.change("pointing", [&] {
        device.input.call<&backplane_input::send>(events.data(),
                                                  static_cast<std::uint32_t>(events.size()));
    });
    if (!done) return std::unexpected{done.error()};
    return ordered_json{{"device", device.name}};
}

constexpr backplane_property move_arguments[] = {
    signed_argument("x", "Counts to the right", -furthest, furthest),
    signed_argument("y", "Counts down", -furthest, furthest),
    signed_argument("wheel", "Notches, away from the user", -furthest, furthest),
    pointer_argument,
};

Answer move_pointer(const Call& call) {
    const auto device = input_device(call, BACKPLANE_INPUT_ACCEPTS_RELATIVE, "mouse");
    if (!device) return std::unexpected{device.error()};
    InputEvents events;
    const auto add = [&](const char* argument, std::uint16_t axis) {
        if (const std::int64_t value = call.arguments.signed_number(argument); value != 0)
            events.push_back({BACKPLANE_INPUT_RELATIVE, axis, static_cast<std::int32_t>(value)});
    };
    add("x", BACKPLANE_RELATIVE_X);
    add("y", BACKPLANE_RELATIVE_Y);
    add("wheel", BACKPLANE_RELATIVE_WHEEL);
    return send(call, *device, events);
}

constexpr backplane_property place_arguments[] = {
    required(number_argument("x", "From 0, the left edge", 0, 0, BACKPLANE_INPUT_ABSOLUTE_MAXIMUM)),
    required(
        number_argument("y", "From 0, the upper edge", 0, 0, BACKPLANE_INPUT_ABSOLUTE_MAXIMUM)),
    pointer_argument,
};

Answer place_pointer(const Call& call) {
    const auto device = input_device(call, BACKPLANE_INPUT_ACCEPTS_ABSOLUTE, "tablet");
    if (!device) return std::unexpected{device.error()};
    const auto at = [&](const char* argument, std::uint16_t axis) {
        return backplane_input_event{BACKPLANE_INPUT_ABSOLUTE, axis,
                                     static_cast<std::int32_t>(call.arguments.number(argument))};
    };
    return send(call, *device, {at("x", BACKPLANE_ABSOLUTE_X), at("y", BACKPLANE_ABSOLUTE_Y)});
}

constexpr const char* buttons[] = {"left", "right", "middle", "side", "extra"};
constexpr const char* actions[] = {"click", "press", "release"};

constexpr backplane_property button_arguments[] = {
    choice_argument("button", "Which", buttons),
    choice_argument("action", "What is done with it", actions),
    pointer_argument,
};

Answer press_button(const Call& call) {
    const auto device = input_device(
        call, BACKPLANE_INPUT_ACCEPTS_RELATIVE | BACKPLANE_INPUT_ACCEPTS_ABSOLUTE,
        "mouse or tablet");
    if (!device) return std::unexpected{device.error()};
    const auto button = std::ranges::find(buttons, call.arguments.choice("button")) - buttons;
    const std::string_view action = call.arguments.choice("action");
    const auto code = static_cast<std::uint16_t>(BACKPLANE_BUTTON_LEFT + button);
    // Two instants, or the guest would see nothing of a click.
    const backplane_input_event pressed{BACKPLANE_INPUT_KEY, code, 1},
        released{BACKPLANE_INPUT_KEY, code, 0};
    if (action == "release") return send(call, *device, {released});
    Answer answer = send(call, *device, {pressed});
    if (action == "press" || !answer.result()) return answer;
    return send(call, *device, {released});
}

}  // namespace

constinit const Command send_key_command{
    .name = "send-key",
    .summary = "press keys by their names",
    .details = "Keys of a combination are joined by '-', and pressed together. A wrong name is "
               "answered with the nearest ones.",
    .effect = Effect::ChangesGuest,
    .arguments = send_key_arguments,
    .returns = typed_fields,
    .run = send_key,
};

constinit const Command type_command{
    .name = "type",
    .summary = "type a text",
    .details = "Answers when all of it is typed.",
    .effect = Effect::ChangesGuest,
    .arguments = type_arguments,
    .returns = typed_fields,
    .run = type,
};

constinit const Command move_pointer_command{
    .name = "move-pointer",
    .summary = "move the mouse, or turn its wheel",
    .details = "",
    .effect = Effect::ChangesGuest,
    .arguments = move_arguments,
    .returns = pointed_fields,
    .run = move_pointer,
};

constinit const Command place_pointer_command{
    .name = "place-pointer",
    .summary = "put the pointer of a tablet somewhere",
    .details = "The right and the lower edge are at 32767.",
    .effect = Effect::ChangesGuest,
    .arguments = place_arguments,
    .returns = pointed_fields,
    .run = place_pointer,
};

constinit const Command press_button_command{
    .name = "press-button",
    .summary = "press a button of the pointer",
    .details = "",
    .effect = Effect::ChangesGuest,
    .arguments = button_arguments,
    .returns = pointed_fields,
    .run = press_button,
};

}  // namespace backplane::runtime::control
