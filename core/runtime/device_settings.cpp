#include "runtime/device_settings.h"

#include "runtime/nearest_name.h"
#include "runtime/printable_text.h"

#include <backplane/abi/window.h>

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string_view>

namespace backplane::runtime {

namespace {

// The entry by which a less specific text gave the device another type; null when none did.
const YamlEntry* other_type_before(const YamlEntry& type) {
    for (const YamlEntry* older = type.replaced.get(); older; older = older->replaced.get())
        if (older->layer < type.layer && older->value->scalar != type.value->scalar) return older;
    return nullptr;
}

class Sorter {
public:
    Sorter(const MachineDocument& document, const TypeCatalog& types, Diagnostics& diagnostics)
        : document_{document}, types_{types}, diagnostics_{diagnostics} {}

    DeviceSettings sort(const YamlEntry& device);

private:
    void report_no_type(const DeviceSettings& settings);
    void find_type(DeviceSettings& settings);
    void sort_keys(DeviceSettings& settings, const YamlMap& map);
    void report_unknown_key(const DeviceSettings& settings, const YamlEntry& entry);

    const MachineDocument& document_;
    const TypeCatalog& types_;
    Diagnostics& diagnostics_;
};

void Sorter::report_no_type(const DeviceSettings& settings) {
    std::vector<std::string> others;
    for (const YamlEntry& device : document_.devices.entries)
        if (device.value->map.find("type")) others.push_back(device.key);
    std::string hint = did_you_mean(settings.name, others);
    if (hint.empty()) hint = "expected `type: FAMILY.CHIP` among its settings";
    diagnostics_.error(settings.place, settings.name + " has no type", std::move(hint));
}

void Sorter::find_type(DeviceSettings& settings) {
    const YamlNode& node = *settings.type_entry->value;
    if (!node.is_scalar()) {
        diagnostics_.error(
            node.place, fmt::format("{}.type: expected the name of a device type, and this is {}",
                                    settings.name, node.kind_text()));
        return;
    }
    if (const TypeCatalog::Entry* entry = types_.find(node.scalar)) {
        settings.type = entry->type;
        return;
    }
    if (document_.plugins_missing) return;
    std::string hint = did_you_mean(node.scalar, types_.names());
    Diagnostic& error = diagnostics_.error(
        node.place,
        fmt::format("{}.type: no loaded plugin offers {}", settings.name, in_quotes(node.scalar)),
        std::move(hint));
    if (const std::string why = types_.why_missing(node.scalar); !why.empty())
        error.notes.push_back({{}, why});
    else if (document_.plugins.empty())
        error.notes.push_back({{}, "the machine file names no plugins"});
}

void Sorter::report_unknown_key(const DeviceSettings& settings, const YamlEntry& entry) {
    std::vector<std::string> known{"type", "log"};
    for (const backplane_property& property :
         std::span{settings.type->properties, settings.type->property_count})
        known.emplace_back(property.name);
    for (const backplane_port& port : std::span{settings.type->ports, settings.type->port_count})
        if (port.role == BACKPLANE_REQUIRES || is_window(port)) known.emplace_back(port.name);
    std::string hint = did_you_mean(entry.key, known);
    if (hint.empty())
        hint = fmt::format("expected {}",
                           shortened(fmt::format("{}", fmt::join(known, ", ")), 200));
    diagnostics_.error(entry.key_place,
                       fmt::format("{}: {} has no setting {}", settings.name, settings.type->name,
                                   in_quotes(entry.key)),
                       std::move(hint));
}

void Sorter::sort_keys(DeviceSettings& settings, const YamlMap& map) {
    const backplane_device_type& type = *settings.type;
    settings.properties.assign(type.property_count, nullptr);
    settings.ports.assign(type.port_count, nullptr);
    const std::span properties{type.properties, type.property_count};
    const std::span ports{type.ports, type.port_count};
    const YamlEntry* other_type = other_type_before(*settings.type_entry);
    for (const YamlEntry& entry : map.entries) {
        if (entry.key == "type") continue;
        if (entry.key == "log") {
            settings.log = &entry;
            continue;
        }
        const auto is_named = [&](const auto& declared) { return entry.key == declared.name; };
        if (const auto found = std::ranges::find_if(properties, is_named);
            found != properties.end())
            settings.properties[static_cast<std::size_t>(found - properties.begin())] = &entry;
        else if (const auto port = std::ranges::find_if(ports, is_named); port != ports.end())
            settings.ports[static_cast<std::size_t>(port - ports.begin())] = &entry;
        else if (other_type != nullptr && entry.layer < settings.type_entry->layer)
            settings.dropped.push_back(&entry);
        else
            report_unknown_key(settings, entry);
    }
}

DeviceSettings Sorter::sort(const YamlEntry& device) {
    DeviceSettings settings;
    settings.name = device.key;
    settings.place = device.key_place;
    settings.type_entry = device.value->map.find("type");
    if (settings.type_entry == nullptr) {
        report_no_type(settings);
        return settings;
    }
    find_type(settings);
    if (settings.type != nullptr) sort_keys(settings, device.value->map);
    return settings;
}

}  // namespace

bool is_window(const backplane_port& port) {
    const std::string_view interface_id = port.interface_id;
    return port.role == BACKPLANE_PROVIDES &&
           (interface_id == BACKPLANE_MEMORY_WINDOW || interface_id == BACKPLANE_PORT_WINDOW);
}

std::vector<DeviceSettings> device_settings(const MachineDocument& document,
                                            const TypeCatalog& types, Diagnostics& diagnostics) {
    Sorter sorter{document, types, diagnostics};
    std::vector<DeviceSettings> result;
    for (const YamlEntry& device : document.devices.entries)
        result.push_back(sorter.sort(device));
    return result;
}

}  // namespace backplane::runtime
