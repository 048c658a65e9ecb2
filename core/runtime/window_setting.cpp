#include "runtime/window_setting.h"

#include "runtime/nearest_name.h"
#include "runtime/printable_text.h"
#include "runtime/units.h"

#include <backplane/abi/window.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

namespace backplane::runtime {

namespace {

const std::array<std::string, 2> spaces{memory_space, io_space};
const std::array<std::string, 4> parts{"at", "priority", "offset", "size"};

class WindowReader {
public:
    WindowReader(const DeviceSettings& device, std::uint32_t index,
                 std::vector<WindowMapping>& mappings, Diagnostics& diagnostics)
        : port_{device.type->ports[index]}, index_{index}, subject_{device.subject(port_.name)},
          space_{std::string_view{port_.interface_id} == BACKPLANE_PORT_WINDOW ? io_space
                                                                               : memory_space},
          mappings_{mappings}, diagnostics_{diagnostics} {}

    void read(const YamlNode& node);
    void report_unmapped(const DeviceSettings& device);

private:
    void read_one(const YamlNode& node);
    bool read_at(const YamlNode& node, WindowMapping& mapping);
    bool read_map(const YamlNode& node, WindowMapping& mapping);
    bool read_part(const YamlEntry& entry, WindowMapping& mapping);
    bool refuse(const YamlNode& node, const std::string& problem, std::string hint);
    [[nodiscard]] std::string example() const {
        return fmt::format("expected {}@{}", space_, space_ == io_space ? "0x3f8" : "0xFED10000");
    }

    const backplane_port& port_;
    std::uint32_t index_;
    std::string subject_;
    std::string space_;
    std::vector<WindowMapping>& mappings_;
    Diagnostics& diagnostics_;
};

bool WindowReader::refuse(const YamlNode& node, const std::string& problem, std::string hint) {
    diagnostics_.error(node.place, subject_ + ": " + problem, std::move(hint));
    return false;
}

void WindowReader::read(const YamlNode& node) {
    if (node.is_written_null()) return;
    if (!node.is_list()) return read_one(node);
    for (const YamlPointer& item : node.items)
        read_one(*item);
}

void WindowReader::read_one(const YamlNode& node) {
    WindowMapping mapping;
    mapping.port = index_;
    mapping.place = node.place;
    const bool is_good = node.is_map() ? read_map(node, mapping) : read_at(node, mapping);
    if (is_good) mappings_.push_back(std::move(mapping));
}

bool WindowReader::read_at(const YamlNode& node, WindowMapping& mapping) {
    if (!node.is_scalar())
        return refuse(
            node, fmt::format("a window is mapped at an address, and this is {}", node.kind_text()),
            example());
    const auto at = node.scalar.find('@');
    if (at == node.scalar.npos)
        return refuse(node, in_quotes(node.scalar) + " names no place", example());
    mapping.space = node.scalar.substr(0, at);
    if (mapping.space != memory_space && mapping.space != io_space) {
        std::string hint = did_you_mean(mapping.space, spaces);
        return refuse(node, "there is no address space " + in_quotes(mapping.space),
                      hint.empty() ? example() : hint);
    }
    if (mapping.space != space_)
        return refuse(
            node, fmt::format("{} holds no window of kind {}", mapping.space, port_.interface_id),
            example());
    const std::string address = node.scalar.substr(at + 1);
    const auto base = parse_address(address);
    if (!base)
        return refuse(node, fmt::format("{} {}", in_quotes(address), base.error().problem),
                      base.error().expected);
    mapping.base = *base;
    return true;
}

bool WindowReader::read_map(const YamlNode& node, WindowMapping& mapping) {
    bool is_good = true;
    for (const YamlEntry& entry : node.map.entries)
        is_good = read_part(entry, mapping) && is_good;
    if (node.map.find("at")) return is_good;
    return refuse(node, "the key 'at' is missing", "expected {at: " + example().substr(9) + ", …}");
}

bool WindowReader::read_part(const YamlEntry& entry, WindowMapping& mapping) {
    const YamlNode& node = *entry.value;
    if (entry.key == "at") {
        mapping.place = node.place;
        return read_at(node, mapping);
    }
    if (std::ranges::find(parts, entry.key) == parts.end()) {
        std::string hint = did_you_mean(entry.key, parts);
        diagnostics_.error(entry.key_place,
                           fmt::format("{}: unknown key {}", subject_, in_quotes(entry.key)),
                           hint.empty() ? "expected at, priority, offset or size" : hint);
        return false;
    }
    const std::string key = entry.key + " ";
    if (!node.is_scalar() || node.quoted)
        return refuse(node, key + "is not a number", "expected a number");
    if (entry.key == "priority") {
        const auto priority = parse_signed(node.scalar);
        if (!priority)
            return refuse(node, key + in_quotes(node.scalar) + " " + priority.error().problem,
                          priority.error().expected);
        if (*priority < std::numeric_limits<std::int32_t>::min() ||
            *priority > std::numeric_limits<std::int32_t>::max())
            return refuse(node, key + in_quotes(node.scalar) + " is out of range",
                          "expected 32 bits");
        mapping.priority = static_cast<std::int32_t>(*priority);
        return true;
    }
    const auto bytes = parse_address(node.scalar);
    if (!bytes)
        return refuse(node, key + in_quotes(node.scalar) + " " + bytes.error().problem,
                      bytes.error().expected);
    if (entry.key == "size" && *bytes == 0)
        return refuse(node, "size is 0", "leave it out to map the whole window");
    (entry.key == "size" ? mapping.size : mapping.offset) = *bytes;
    return true;
}

void WindowReader::report_unmapped(const DeviceSettings& device) {
    diagnostics_.error(device.blame(), subject_ + " is mapped nowhere",
                       fmt::format("{}, or `{}: null` to leave it out", example(), port_.name));
}

}  // namespace

void read_window(const DeviceSettings& device, std::uint32_t index,
                 std::vector<WindowMapping>& mappings, Diagnostics& diagnostics) {
    WindowReader reader{device, index, mappings, diagnostics};
    if (const YamlEntry* entry = device.ports[index])
        reader.read(*entry->value);
    else if ((device.type->ports[index].flags & BACKPLANE_OPTIONAL) == 0)
        reader.report_unmapped(device);
}

}  // namespace backplane::runtime
