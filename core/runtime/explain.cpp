#include "runtime/explain.h"

#include "runtime/device_settings.h"
#include "runtime/machine_settings.h"
#include "runtime/printable_text.h"
#include "runtime/property_value.h"
#include "runtime/text_table.h"
#include "runtime/units.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace backplane::runtime {

namespace {

std::string origin_of(const YamlEntry& entry) { return entry.value->place.short_text(); }

std::string replaced_by(const YamlEntry& entry) {
    if (entry.replaced == nullptr) return {};
    return fmt::format("replaces {} ({})", yaml_text(*entry.replaced->value),
                       origin_of(*entry.replaced));
}

class Explainer {
public:
    Explainer(const MachineDocument& document, const MachineDescription& machine)
        : document_{document}, machine_{machine} {}

    void explain_machine();
    void explain_device(const DeviceSettings& device);
    [[nodiscard]] std::vector<ExplainedSetting> take() { return std::move(settings_); }

private:
    void add_machine(const char* key, std::string value);
    void add_property(const DeviceSettings& device, const ComponentDescription& component,
                      std::uint32_t index);
    void add_port(const DeviceSettings& device, const ComponentDescription& component,
                  std::uint32_t index);
    void add(std::string path, std::string value, const YamlEntry* entry,
             const std::string& otherwise);

    const MachineDocument& document_;
    const MachineDescription& machine_;
    std::vector<ExplainedSetting> settings_;
};

void Explainer::add(std::string path, std::string value, const YamlEntry* entry,
                    const std::string& otherwise) {
    ExplainedSetting setting{std::move(path), std::move(value), otherwise, {}, true};
    if (entry != nullptr) {
        setting.origin = origin_of(*entry);
        setting.remark = replaced_by(*entry);
        setting.is_default = false;
    }
    settings_.push_back(std::move(setting));
}

void Explainer::add_machine(const char* key, std::string value) {
    add(std::string{"machine."} + key, std::move(value), document_.machine.find(key), "default");
}

void Explainer::explain_machine() {
    add_machine("name", machine_.name);
    if (!machine_.description.empty()) add_machine("description", machine_.description);
    add_machine("clock", clock_text(machine_.clock));
    if (machine_.clock == ClockMode::Deterministic)
        add_machine("frequency", hertz_text(machine_.frequency));
    add_machine("log", log_level_text(machine_.log_level));
    for (const PluginRequest& plugin : machine_.plugins) {
        const std::string what = plugin.name.empty() ? plugin.path.string() : plugin.name;
        settings_.push_back({"plugins", what, plugin.place.short_text(), {}, false});
    }
}

void Explainer::add_property(const DeviceSettings& device, const ComponentDescription& component,
                             std::uint32_t index) {
    const backplane_property& property = device.type->properties[index];
    std::string value = value_text(property, component.values[index]);
    if (is_text(property)) value = '"' + value + '"';
    add(device.subject(property.name), std::move(value), device.properties[index],
        fmt::format("default of {}", device.type->name));
}

void Explainer::add_port(const DeviceSettings& device, const ComponentDescription& component,
                         std::uint32_t index) {
    const backplane_port& port = device.type->ports[index];
    if (port.role == BACKPLANE_PROVIDES && !is_window(port)) return;
    if ((port.flags & BACKPLANE_PLACED) != 0) return;
    const YamlEntry* entry = device.ports[index];
    const bool is_connected = std::ranges::any_of(
        component.links, [&](const LinkDescription& link) { return link.port == index; });
    if (entry != nullptr)
        return add(device.subject(port.name), yaml_text(*entry->value, 200), entry, {});
    if (port.connect_to != nullptr && is_connected)
        return add(device.subject(port.name), port.connect_to, nullptr,
                   fmt::format("default of {}", device.type->name));
    add(device.subject(port.name), is_window(port) ? "not mapped" : "not connected", nullptr,
        "optional");
}

void Explainer::explain_device(const DeviceSettings& device) {
    const auto component = std::ranges::find(machine_.components, device.name,
                                             &ComponentDescription::name);
    if (component == machine_.components.end()) return;
    add(device.subject("type"), device.type->name, device.type_entry, {});
    for (std::uint32_t index = 0; index < device.type->property_count; ++index)
        add_property(device, *component, index);
    for (std::uint32_t index = 0; index < device.type->port_count; ++index)
        add_port(device, *component, index);
    add(device.subject("log"), log_level_text(component->log_level), device.log, "machine.log");
    for (const YamlEntry* entry : device.dropped)
        settings_.push_back({device.name + "." + entry->key, yaml_text(*entry->value),
                             origin_of(*entry),
                             fmt::format("dropped: {} does not know it (type changed by {})",
                                         device.type->name, origin_of(*device.type_entry)),
                             false});
}

}  // namespace

std::vector<ExplainedSetting> explain(const MachineDocument& document,
                                      const MachineDescription& machine, const TypeCatalog& types) {
    Diagnostics nothing_new;
    Explainer explainer{document, machine};
    explainer.explain_machine();
    for (const DeviceSettings& device : device_settings(document, types, nothing_new))
        if (device.type != nullptr) explainer.explain_device(device);
    return explainer.take();
}

std::string explain_text(const std::vector<ExplainedSetting>& settings) {
    std::vector<std::vector<std::string>> rows;
    for (const ExplainedSetting& setting : settings)
        rows.push_back(
            {setting.path, shortened(setting.value, 60), setting.origin, setting.remark});
    return text_table(rows);
}

nlohmann::ordered_json explain_json(const std::vector<ExplainedSetting>& settings) {
    auto list = nlohmann::ordered_json::array();
    for (const ExplainedSetting& setting : settings)
        list.push_back({{"path", printable(setting.path)},
                        {"value", printable(setting.value)},
                        {"origin", printable(setting.origin)},
                        {"default", setting.is_default},
                        {"remark", printable(setting.remark)}});
    return list;
}

}  // namespace backplane::runtime
