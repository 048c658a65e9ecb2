#include "runtime/control/activity_command.h"

#include "runtime/control/argument.h"
#include "runtime/control/argument_values.h"
#include "runtime/control/context.h"
#include "runtime/control/hex.h"
#include "runtime/statistics_report.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <iterator>
#include <span>

namespace backplane::runtime::control {

namespace {

constexpr backplane_property arguments[] = {
    number_argument("since", "What `next` of the last reply's samples was; 0: all that are kept"),
};

constexpr ResultField window_fields[] = {
    {"window", ResultKind::Text, "its name"},
    {"space", ResultKind::Text, "the bus that it is on"},
    {"reads", ResultKind::Count, "that called its device, since power-on"},
    {"writes", ResultKind::Count, "likewise"},
};

constexpr ResultField place_fields[] = {
    {"cpu", ResultKind::Count, "which, from 0"},
    {"pc", ResultKind::Hex, "linear address of the instruction"},
    {"address_space", ResultKind::Hex, "its page tables; 0 for the kernel, which all share"},
    {"activity", ResultKind::Text,
     "interpreter, compiled_code, memory, device, compiler or waiting"},
    {"tier", ResultKind::Count, "what executed: 0 an interpreter, 1 and up compiled code"},
    {"privilege", ResultKind::Count, "0 for a kernel, 3 for a program"},
    {"code_size", ResultKind::Count, "of its instructions: 16, 32 or 64 bits"},
    {"samples", ResultKind::Count, "how many found it there"},
    {"code", ResultKind::Bytes, "of the guest, from pc on"},
};

constexpr ResultField sample_fields[] = {
    {"why", ResultKind::Text, "why there are none", Presence::Sometimes},
    {"period_nanoseconds", ResultKind::Count, "of each CPU"},
    {"next", ResultKind::Count, "the argument `since` of the next time"},
    {"lost", ResultKind::Count, "samples that were forgotten because nobody asked for too long"},
    {"idle", ResultKind::Count, "that found a CPU with nothing to do, of all time"},
    {"places", ResultKind::List, "where the others were", Presence::Always, place_fields},
};

constexpr ResultField activity_fields[] = {
    {"state", ResultKind::Text, "running, paused or ended"},
    {"host_nanoseconds", ResultKind::Count, "of a steady clock, when this was true"},
    {"cpus", ResultKind::Count, "how many"},
    {"statistics", ResultKind::Any, "the CPUs' statistics by name, all of them added up"},
    {"windows", ResultKind::List, "those that were accessed", Presence::Always, window_fields},
    {"samples", ResultKind::Object, "of the CPUs", Presence::Always, sample_fields},
};

const char* name_of(std::uint8_t activity) {
    constexpr const char* names[] = {"outside", "interpreter", "compiled_code", "memory",
                                     "device",  "compiler",    "waiting"};
    static_assert(std::size(names) == BACKPLANE_CPU_ACTIVITIES);
    return activity < std::size(names) ? names[activity] : "unknown";
}

void add_windows(ordered_json& list, const AddressSpace& space, const char* name) {
    for (const auto& mapping : space.mappings())
        if (mapping->reads != 0 || mapping->writes != 0)
            list.push_back({{"window", mapping->owner},
                            {"space", name},
                            {"reads", mapping->reads},
                            {"writes", mapping->writes}});
}

ordered_json json_of(const CpuWatch::Findings& findings) {
    const auto hex = [](std::uint64_t value) { return fmt::format("{:#x}", value); };
    ordered_json json = ordered_json::object();
    if (!findings.why.empty()) json["why"] = findings.why;
    json["period_nanoseconds"] = static_cast<std::uint64_t>(findings.period.count());
    json["next"] = findings.next;
    json["lost"] = findings.lost;
    json["idle"] = findings.idle;
    auto& places = json["places"] = ordered_json::array();
    for (const auto& [place, seen] : findings.places)
        places.push_back({{"cpu", place.cpu},
                          {"pc", hex(place.pc)},
                          {"address_space", hex(place.address_space)},
                          {"activity", name_of(place.activity)},
                          {"tier", place.tier},
                          {"privilege", place.privilege},
                          {"code_size", place.code_size},
                          {"samples", seen.samples},
                          {"code", hex_text(std::span{seen.code}.first(seen.code_length))}});
    return json;
}

Answer activity(const Call& call) {
    Context& context = call.context;
    Machine& machine = context.machine();
    const CpuWatch::Findings findings = context.watch().take(call.arguments.number("since"));
    ordered_json reply{{"state", context.run_state().name()}};
    auto windows = ordered_json::array();
    {
        const MachineGuard guard{machine.lock()};
        add_windows(windows, machine.memory(), memory_space);
        add_windows(windows, machine.ports(), io_space);
    }
    const std::chrono::nanoseconds now = std::chrono::steady_clock::now().time_since_epoch();
    reply["host_nanoseconds"] = static_cast<std::uint64_t>(now.count());
    reply["cpus"] = machine.cpus().size();
    reply["statistics"] = cpu_statistics(machine);
    reply["windows"] = std::move(windows);
    reply["samples"] = json_of(findings);
    return reply;
}

}  // namespace

constinit const Command activity_command{
    .name = "activity",
    .summary = "what keeps the machine busy: counters, and samples of its CPUs",
    .details = "For programs that ask several times a second, as `backplane top` does: the CPUs "
               "stand still for the first question only. From then on they are sampled, until "
               "nobody has asked for three seconds. A CPU can have one profiler: where there is a "
               "device profiler.sampling, there are no samples here.",
    .arguments = arguments,
    .returns = activity_fields,
    .run = activity,
};

}  // namespace backplane::runtime::control
