#include "runtime/control/run_commands.h"

#include "runtime/control/argument.h"
#include "runtime/control/argument_values.h"
#include "runtime/control/context.h"
#include "runtime/machine_settings.h"

#include <fmt/format.h>

#include <algorithm>

namespace backplane::runtime::control {

namespace {

constexpr std::chrono::milliseconds soon{1};
constexpr std::uint64_t largest_exit_code = 255;

// The machine's controller is about to do something; answers once it is done, or the run is over.
template <class Done>
Answer once(Done done, Context& context) {
    if (done() || context.run_state().has_ended())
        return ordered_json{{"state", context.run_state().name()}};
    return {soon, [done, &context] { return once(done, context); }};
}

constexpr ResultField instant_fields[] = {
    {"instructions", ResultKind::Count, "retired by all CPUs since power-on"},
    {"guest_nanoseconds", ResultKind::Count, "guest time since power-on"},
};

constexpr ResultField status_fields[] = {
    {"state", ResultKind::Text, "running, paused or ended"},
    {"why", ResultKind::Text, "why it is paused", Presence::Sometimes},
    {"machine", ResultKind::Text, "its name in the machine file"},
    {"clock", ResultKind::Text, "realtime or deterministic"},
    {"cpus", ResultKind::Count, "how many"},
    {"instructions", ResultKind::Count, "retired by all CPUs since power-on"},
    {"guest_nanoseconds", ResultKind::Count, "guest time since power-on"},
    {"repeatable", ResultKind::Boolean,
     "deterministic machines: whether nothing has changed the guest from outside",
     Presence::Sometimes},
    {"first_change", ResultKind::Object, "when something first did", Presence::Sometimes,
     instant_fields},
};

Answer status(const Call& call) {
    Context& context = call.context;
    Context::Instant instant;
    if (const auto done = context.at_rest([&] { instant = context.instant(); }); !done)
        return std::unexpected{done.error()};
    ordered_json reply{{"state", context.run_state().name()}};
    if (const std::string why = context.run_state().why(); !why.empty()) reply["why"] = why;
    reply["machine"] = context.machine().name();
    reply["clock"] = clock_text(context.description().clock);
    reply["cpus"] = context.machine().cpus().size();
    reply["instructions"] = instant.instructions;
    reply["guest_nanoseconds"] = instant.guest_nanoseconds;
    if (context.machine().is_deterministic()) {
        reply["repeatable"] = !context.first_change().has_value();
        if (context.first_change())
            reply["first_change"] = Context::to_json(*context.first_change());
    }
    return reply;
}

constexpr ResultField state_fields[] = {
    {"state", ResultKind::Text, "what the machine is now: running, paused or ended"},
};

Answer stop(const Call& call) {
    Context& context = call.context;
    const auto before = context.run_state().stopped();
    if (context.machine().control().is_paused())
        return ordered_json{{"state", context.run_state().name()}};
    context.machine().control().pause("stopped by a control client");
    return once([&context, before] { return context.run_state().stopped() != before; }, context);
}

Answer cont(const Call& call) {
    Context& context = call.context;
    const auto before = context.run_state().resumed();
    if (!context.machine().control().is_paused())
        return ordered_json{{"state", context.run_state().name()}};
    context.machine().control().resume();
    return once([&context, before] { return context.run_state().resumed() != before; }, context);
}

Answer reset(const Call& call) {
    Context& context = call.context;
    const auto before = context.run_state().resets();
    const auto asked = context.change(
        "reset", [&] { context.machine().request_reset("reset by a control client"); });
    if (!asked) return std::unexpected{asked.error()};
    return once([&context, before] { return context.run_state().resets() != before; }, context);
}

constexpr backplane_property button_arguments[] = {
    text_argument("device", "Whose button; empty: the machine's only one, or acpi0's"),
};

constexpr ResultField button_fields[] = {
    {"device", ResultKind::Text, "whose button was pressed"},
    {"interrupts", ResultKind::Boolean,
     "whether the guest is told by an interrupt: it has enabled that"},
};

Answer press_power_button(const Call& call) {
    Context& context = call.context;
    const auto provider = context.provider(BACKPLANE_POWER_BUTTON, call.arguments.text("device"),
                                           "acpi0", "power button");
    if (!provider) return std::unexpected{provider.error()};
    const Connection<backplane_power_button> button{provider->link};
    bool interrupts = false;
    const auto done = context.change(
        "power-button", [&] { interrupts = button.call<&backplane_power_button::press>() != 0; });
    if (!done) return std::unexpected{done.error()};
    return ordered_json{{"device", provider->component->name()}, {"interrupts", interrupts}};
}

constexpr backplane_property quit_arguments[] = {
    number_argument("exit-code", "What `backplane run` ends with", 0, 0, largest_exit_code),
};

// Carried out by the controller, when this reply is on its way.
Answer quit(const Call& call) {
    const std::uint64_t code = call.arguments.number("exit-code");
    call.context.machine().request_power_off(static_cast<int>(code), "ended by a control client");
    return ordered_json::object();
}

}  // namespace

constinit const Command status_command{
    .name = "status",
    .summary = "what the machine is doing",
    .details = "",
    .returns = status_fields,
    .run = status,
};

constinit const Command stop_command{
    .name = "stop",
    .summary = "stop the guest at an instruction boundary",
    .details = "Guest time stands still until `cont`. Answers when it stands.",
    .effect = Effect::Steers,
    .returns = state_fields,
    .run = stop,
};

constinit const Command cont_command{
    .name = "cont",
    .summary = "let a stopped guest go on",
    .details = "Answers when it goes on; at once when it runs already.",
    .effect = Effect::Steers,
    .returns = state_fields,
    .run = cont,
};

constinit const Command reset_command{
    .name = "reset",
    .summary = "press the reset button",
    .details = "Answers when the machine was reset. A stopped machine stays stopped. With "
               "`run --no-reboot` the run ends instead.",
    .effect = Effect::ChangesGuest,
    .returns = state_fields,
    .run = reset,
};

constinit const Command power_button_command{
    .name = "power-button",
    .summary = "press the power button, as a user does to shut down",
    .details = "What follows is the guest's decision. To end the run whatever the guest does, "
               "use `quit`.",
    .effect = Effect::ChangesGuest,
    .arguments = button_arguments,
    .returns = button_fields,
    .run = press_power_button,
};

constinit const Command quit_command{
    .name = "quit",
    .summary = "end the run, as if the power cord were pulled",
    .details = "The connection is closed behind the reply.",
    .effect = Effect::Steers,
    .arguments = quit_arguments,
    .run = quit,
};

}  // namespace backplane::runtime::control
