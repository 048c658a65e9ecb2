#include "runtime/machine_check.h"

#include "runtime/connection_setting.h"
#include "runtime/device_settings.h"
#include "runtime/machine_settings.h"
#include "runtime/property_value.h"
#include "runtime/window_check.h"
#include "runtime/window_setting.h"

#include <span>

namespace backplane::runtime {

namespace {

// A property that the file is silent about, or sets back to its default with null.
bool is_default(const YamlEntry* entry) {
    return entry == nullptr || entry->value->is_written_null();
}

void read_properties(const DeviceSettings& settings, ComponentDescription& component,
                     Diagnostics& diagnostics) {
    for (std::uint32_t index = 0; index < settings.type->property_count; ++index) {
        const backplane_property& property = settings.type->properties[index];
        const YamlEntry* entry = settings.properties[index];
        if (!is_default(entry)) {
            read_property(property, *entry->value, settings.subject(property.name),
                          component.values, diagnostics);
            continue;
        }
        if ((property.flags & BACKPLANE_REQUIRED) != 0)
            diagnostics.error(settings.blame(), settings.subject(property.name) + " is missing",
                              std::string{"expected "} + kind_text(property) + ": " + property.doc);
        add_default(property, component.values);
    }
}

void refuse_placed_window(const DeviceSettings& settings, std::uint32_t index,
                          Diagnostics& diagnostics) {
    const std::string subject = settings.subject(settings.type->ports[index].name);
    if (const YamlEntry* entry = settings.ports[index])
        diagnostics.error(entry->key_place, subject + " is not mapped by the machine file",
                          "the device places it where the guest wants it: leave it out");
}

ComponentDescription read_component(const DeviceSettings& settings, ConnectionReader& connections,
                                    std::uint32_t default_log_level, Diagnostics& diagnostics) {
    ComponentDescription component;
    component.name = settings.name;
    component.type = settings.type;
    component.place = settings.place;
    component.log_level = default_log_level;
    if (!is_default(settings.log))
        if (const auto level = read_log_level(*settings.log->value, settings.subject("log"),
                                              diagnostics))
            component.log_level = *level;
    read_properties(settings, component, diagnostics);
    for (std::uint32_t index = 0; index < settings.type->port_count; ++index) {
        const backplane_port& port = settings.type->ports[index];
        if (port.role == BACKPLANE_REQUIRES)
            connections.read(settings, index, component.links);
        else if (is_window(port) && (port.flags & BACKPLANE_PLACED) != 0)
            refuse_placed_window(settings, index, diagnostics);
        else if (is_window(port))
            read_window(settings, index, component.windows, diagnostics);
        else if (const YamlEntry* entry = settings.ports[index])
            diagnostics.error(entry->key_place,
                              settings.subject(port.name) + " is provided, not connected from here",
                              "the component that uses it names " + settings.subject(port.name));
    }
    return component;
}

std::vector<PlacedWindow> windows_of(const MachineDescription& machine) {
    std::vector<PlacedWindow> windows;
    for (const ComponentDescription& component : machine.components) {
        for (const WindowMapping& mapping : component.windows) {
            const backplane_port& port = component.type->ports[mapping.port];
            windows.push_back({component.name + "." + port.name, &mapping, port.size});
        }
    }
    return windows;
}

}  // namespace

std::optional<MachineDescription>
check_machine(const MachineDocument& document, const TypeCatalog& types, Diagnostics& diagnostics) {
    if (!document.complete) return std::nullopt;
    MachineDescription machine;
    read_machine_settings(document, machine, diagnostics);
    machine.plugins = document.plugins;
    if (document.devices.entries.empty() && !diagnostics.has_errors())
        diagnostics.error({}, document.file.string() + ": the machine has no devices",
                          "expected `devices:`");
    const std::vector<DeviceSettings> devices = device_settings(document, types, diagnostics);
    ConnectionReader connections{devices, document, diagnostics};
    for (const DeviceSettings& settings : devices) {
        if (settings.type == nullptr) continue;
        machine.components.push_back(
            read_component(settings, connections, machine.log_level, diagnostics));
    }
    check_windows(windows_of(machine), diagnostics);
    if (document.plugins_missing || diagnostics.has_errors()) return std::nullopt;
    return machine;
}

}  // namespace backplane::runtime
