#include "runtime/machine_settings.h"

#include "runtime/nearest_name.h"
#include "runtime/printable_text.h"
#include "runtime/units.h"

#include <backplane/abi/host.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace backplane::runtime {

namespace {

const std::array<std::string, 5> keys{"name", "description", "clock", "frequency", "log"};
const std::array<std::string, 5> levels{"error", "warning", "info", "debug",
                                        "trace"};  // from BACKPLANE_LOG_ERROR on
const std::array<std::string, 2> clocks{"realtime", "deterministic"};  // as in ClockMode

class MachineSettings {
public:
    MachineSettings(MachineDescription& machine, Diagnostics& diagnostics)
        : machine_{machine}, diagnostics_{diagnostics} {}

    void read(const YamlEntry& entry);

private:
    bool is_value(const YamlEntry& entry);
    void read_clock(const YamlNode& node);
    void read_frequency(const YamlNode& node);

    MachineDescription& machine_;
    Diagnostics& diagnostics_;
};

bool MachineSettings::is_value(const YamlEntry& entry) {
    if (entry.value->is_scalar()) return true;
    if (entry.value->is_written_null()) return false;  // the default
    diagnostics_.error(
        entry.value->place,
        entry.value->is_null()
            ? fmt::format("machine.{}: nothing follows it", entry.key)
            : fmt::format("machine.{} cannot be {}", entry.key, entry.value->kind_text()));
    return false;
}

void MachineSettings::read_clock(const YamlNode& node) {
    const auto found = std::ranges::find(clocks, node.scalar);
    if (found == clocks.end()) {
        std::string hint = did_you_mean(node.scalar, clocks);
        if (hint.empty()) hint = "expected realtime or deterministic";
        diagnostics_.error(node.place, "machine.clock: there is no clock " + in_quotes(node.scalar),
                           std::move(hint));
        return;
    }
    machine_.clock = static_cast<ClockMode>(found - clocks.begin());
}

void MachineSettings::read_frequency(const YamlNode& node) {
    const auto hertz = parse_hertz(node.scalar);
    if (!hertz)
        diagnostics_.error(
            node.place,
            fmt::format("machine.frequency: {} {}", in_quotes(node.scalar), hertz.error().problem),
            hertz.error().expected);
    else if (*hertz == 0)
        diagnostics_.error(node.place, "machine.frequency: guest time would stand still",
                           "expected 1 Hz or more");
    else
        machine_.frequency = *hertz;
}

void MachineSettings::read(const YamlEntry& entry) {
    if (std::ranges::find(keys, entry.key) == keys.end()) {
        std::string hint = did_you_mean(entry.key, keys);
        if (hint.empty()) hint = fmt::format("expected {}", fmt::join(keys, ", "));
        diagnostics_.error(entry.key_place, "machine has no setting " + in_quotes(entry.key),
                           std::move(hint));
        return;
    }
    if (!is_value(entry)) return;
    const YamlNode& node = *entry.value;
    if (entry.key == "name") machine_.name = printable(node.scalar);
    if (entry.key == "description") machine_.description = node.scalar;
    if (entry.key == "clock") read_clock(node);
    if (entry.key == "frequency") read_frequency(node);
    if (entry.key == "log")
        if (const auto level = read_log_level(node, "machine.log", diagnostics_))
            machine_.log_level = *level;
}

}  // namespace

std::optional<std::uint32_t> read_log_level(const YamlNode& node, const std::string& subject,
                                            Diagnostics& diagnostics) {
    const auto found = std::ranges::find(levels, node.scalar);
    if (node.is_scalar() && found != levels.end())
        return static_cast<std::uint32_t>(found - levels.begin()) + BACKPLANE_LOG_ERROR;
    diagnostics.error(
        node.place,
        node.is_scalar()
            ? fmt::format("{}: there is no level {}", subject, in_quotes(node.scalar))
            : fmt::format("{}: expected a level, and this is {}", subject, node.kind_text()),
        fmt::format("expected {}", fmt::join(levels, ", ")));
    return std::nullopt;
}

const char* log_level_text(std::uint32_t level) {
    const std::uint32_t index = level - BACKPLANE_LOG_ERROR;
    return index < levels.size() ? levels[index].c_str() : "?";
}

const char* clock_text(ClockMode clock) { return clocks[static_cast<std::size_t>(clock)].c_str(); }

void read_machine_settings(const MachineDocument& document, MachineDescription& machine,
                           Diagnostics& diagnostics) {
    machine.name = printable(document.file.stem().string());
    machine.log_level = BACKPLANE_LOG_INFO;
    MachineSettings settings{machine, diagnostics};
    for (const YamlEntry& entry : document.machine.entries)
        settings.read(entry);
}

}  // namespace backplane::runtime
