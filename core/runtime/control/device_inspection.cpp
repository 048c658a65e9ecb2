#include "runtime/control/device_inspection.h"

#include "runtime/control/saved_state.h"
#include "runtime/printable_text.h"
#include "runtime/property_report.h"
#include "runtime/property_value.h"

#include <fmt/format.h>

namespace backplane::runtime::control {

namespace {

std::string text(const char* from) { return printable(from != nullptr ? from : ""); }

ordered_json properties(const ComponentDescription& description) {
    auto list = ordered_json::array();
    for (std::uint32_t index = 0; index < description.type->property_count; ++index) {
        const backplane_property& property = description.type->properties[index];
        list.push_back({{"name", text(property.name)},
                        {"value", printable(value_text(property, description.values[index]))},
                        {"kind", kind_name(property)},
                        {"doc", text(property.doc)}});
    }
    return list;
}

// "irq", "inputs.3" of several.
std::string port_name(const backplane_port& port, std::uint32_t element) {
    if (port.count <= 1) return text(port.name);
    return fmt::format("{}.{}", text(port.name), element);
}

const backplane_device_type* type_of(const Machine& machine, const std::string& component) {
    for (const auto& each : machine.components())
        if (each->name() == component) return &each->type();
    return nullptr;
}

ordered_json connections(const Machine& machine, const ComponentDescription& description) {
    auto list = ordered_json::array();
    for (const LinkDescription& link : description.links) {
        const backplane_port& port = description.type->ports[link.port];
        const auto* target = type_of(machine, link.target);
        std::string to = link.target;
        if (target != nullptr)
            to += "." + port_name(target->ports[link.target_port], link.target_element);
        list.push_back({{"port", port_name(port, link.element)},
                        {"interface", text(port.interface_id)},
                        {"to", to}});
    }
    return list;
}

void add_windows(ordered_json& list, const AddressSpace& space, const std::string& component) {
    for (const auto& mapping : space.mappings())
        if (mapping->owner.starts_with(component + "."))
            list.push_back({{"window", mapping->owner.substr(component.size() + 1)},
                            {"space", space.name()},
                            {"base", fmt::format("{:#x}", mapping->base)},
                            {"size", fmt::format("{:#x}", mapping->size)}});
}

// From saved state, because reading a register may have side effects. Fields that are computed when
// they are read are not known; nor is a register that has one.
ordered_json registers(const backplane_device_type& type, const SavedState& state) {
    auto list = ordered_json::array();
    for (const backplane_register& reg : std::span{type.registers, type.register_count}) {
        std::uint64_t whole = 0;
        bool is_known = reg.field_count != 0;
        auto fields = ordered_json::array();
        for (const backplane_register_field& field : std::span{reg.fields, reg.field_count}) {
            const unsigned last = field.first_bit + std::max<unsigned>(field.bits, 1) - 1;
            ordered_json entry{{"name", text(field.name)},
                               {"bits", last == field.first_bit
                                            ? fmt::format("{}", last)
                                            : fmt::format("{}:{}", last, field.first_bit)}};
            if (const auto value = state.number(text(reg.name) + "." + text(field.name))) {
                const std::uint64_t mask = field.bits >= 64 ? ~std::uint64_t{0}
                                                            : (std::uint64_t{1} << field.bits) - 1;
                entry["value"] = fmt::format("{:#x}", *value & mask);
                if (field.access != BACKPLANE_WRITE_ONLY && field.first_bit < 64)
                    whole |= (*value & mask) << field.first_bit;
            } else {
                is_known = false;
            }
            fields.push_back(std::move(entry));
        }
        ordered_json entry{
            {"name", text(reg.name)},
            {"window", reg.port < type.port_count ? text(type.ports[reg.port].name) : "?"},
            {"offset", fmt::format("{:#x}", reg.offset)}};
        if (is_known) entry["value"] = fmt::format("{:#x}", whole);
        entry["fields"] = std::move(fields);
        list.push_back(std::move(entry));
    }
    return list;
}

ordered_json statistics(const Component& component) {
    auto list = ordered_json::array();
    const auto values = component.statistics();
    for (std::size_t index = 0; index < values.size(); ++index) {
        const backplane_statistic& statistic = component.type().statistics[index];
        list.push_back({{"name", text(statistic.name)},
                        {"value", values[index]},
                        {"unit", text(statistic.unit)},
                        {"doc", text(statistic.doc)}});
    }
    return list;
}

}  // namespace

ordered_json inspect_device(Machine& machine, const Component& component,
                            const ComponentDescription& description) {
    const SavedState state{component};
    auto windows = ordered_json::array();
    add_windows(windows, machine.memory(), component.name());
    add_windows(windows, machine.ports(), component.name());
    return {{"name", component.name()},
            {"type", text(component.type().name)},
            {"summary", text(component.type().summary)},
            {"properties", properties(description)},
            {"connections", connections(machine, description)},
            {"windows", std::move(windows)},
            {"registers", registers(component.type(), state)},
            {"statistics", statistics(component)},
            {"state", state.json()}};
}

}  // namespace backplane::runtime::control
