#include "runtime/control/device_commands.h"

#include "runtime/control/argument.h"
#include "runtime/control/argument_values.h"
#include "runtime/control/context.h"
#include "runtime/control/device_inspection.h"
#include "runtime/control/inspection_fields.h"
#include "runtime/printable_text.h"
#include "runtime/statistics_report.h"

namespace backplane::runtime::control {

namespace {

constexpr ResultField device_fields[] = {
    {"name", ResultKind::Text, "in the machine file"},
    {"type", ResultKind::Text, "chipset.pit8254 ..."},
    {"summary", ResultKind::Text, "what this type is"},
};

constexpr ResultField devices_fields[] = {
    {"devices", ResultKind::List, "in the machine file's order", Presence::Always, device_fields},
};

// What a device is does not change while the machine runs, so this waits for nobody.
Answer list_devices(const Call& call) {
    auto list = ordered_json::array();
    for (const auto& component : call.context.machine().components()) {
        const char* summary = component->type().summary;
        list.push_back({{"name", component->name()},
                        {"type", printable(component->type().name)},
                        {"summary", printable(summary != nullptr ? summary : "")}});
    }
    return ordered_json{{"devices", std::move(list)}};
}

constexpr backplane_property inspect_arguments[] = {
    required(text_argument("device", "Its name in the machine file")),
};

Answer inspect(const Call& call) {
    Context& context = call.context;
    const auto component = context.component(call.arguments.text("device"));
    if (!component) return std::unexpected{component.error()};
    ordered_json report;
    const auto done = context.at_rest([&] {
        report = inspect_device(context.machine(), **component,
                                context.description_of(**component));
    });
    if (!done) return std::unexpected{done.error()};
    return report;
}

constexpr ResultField statistics_fields[] = {
    {"machine", ResultKind::Text, "its name"},
    {"guest_seconds", ResultKind::Real, "guest time since power-on"},
    {"instructions", ResultKind::Count, "retired by all CPUs"},
    {"rep_iterations", ResultKind::Count, "of string instructions"},
    {"host", ResultKind::Any, "processor time and memory that the program has used"},
    {"components", ResultKind::Any, "from each device's name to its type and statistics"},
    {"guest_memory_committed_bytes", ResultKind::Count, "host memory behind guest memory"},
    {"accesses", ResultKind::Any, "accesses to each window that called its device"},
};

Answer statistics(const Call& call) {
    Context& context = call.context;
    ordered_json report;
    const auto done = context.at_rest([&] { report = machine_statistics(context.machine()); });
    if (!done) return std::unexpected{done.error()};
    return report;
}

}  // namespace

constinit const Command list_devices_command{
    .name = "list-devices",
    .summary = "the devices of the machine",
    .details = "",
    .returns = devices_fields,
    .run = list_devices,
};

constinit const Command inspect_device_command{
    .name = "inspect-device",
    .summary = "a device's settings, connections, registers, statistics and state",
    .details = "Nothing in the guest notices: registers are shown from what a snapshot would keep, "
               "so those that are computed when they are read have no value here.",
    .arguments = inspect_arguments,
    .returns = inspection_fields,
    .run = inspect,
};

constinit const Command statistics_command{
    .name = "statistics",
    .summary = "all that the machine has counted",
    .details = "What `run --stats` writes at the end.",
    .returns = statistics_fields,
    .run = statistics,
};

}  // namespace backplane::runtime::control
