#include "runtime/type_report.h"

#include "runtime/device_settings.h"
#include "runtime/printable_text.h"
#include "runtime/property_report.h"
#include "runtime/property_value.h"
#include "runtime/text_table.h"
#include "runtime/units.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <span>

namespace backplane::runtime {

namespace {

using Rows = std::vector<std::vector<std::string>>;
using nlohmann::ordered_json;

std::span<const backplane_property> properties(const backplane_device_type& type) {
    return {type.properties, type.property_count};
}
std::span<const backplane_port> ports(const backplane_device_type& type) {
    return {type.ports, type.port_count};
}
std::span<const backplane_register> registers(const backplane_device_type& type) {
    return {type.registers, type.register_count};
}
std::span<const backplane_statistic> statistics(const backplane_device_type& type) {
    return {type.statistics, type.statistic_count};
}
std::span<const backplane_state_field> state(const backplane_device_type& type) {
    return {type.state, type.state_count};
}
std::span<const backplane_register_field> fields(const backplane_register& reg) {
    return {reg.fields, reg.field_count};
}
const char* access_name(std::uint8_t access) {
    switch (access) {
    case BACKPLANE_READ_WRITE: return "read-write";
    case BACKPLANE_READ_ONLY: return "read-only";
    case BACKPLANE_WRITE_ONLY: return "write-only";
    case BACKPLANE_WRITE_ONE_TO_CLEAR: return "write-1-to-clear";
    case BACKPLANE_READ_TO_CLEAR: return "read-to-clear";
    case BACKPLANE_WRITE_ONE_TO_SET: return "write-1-to-set";
    default: return "unknown";
    }
}

const char* statistic_kind(const backplane_statistic& statistic) {
    switch (statistic.kind) {
    case BACKPLANE_COUNTER: return "counter";
    case BACKPLANE_GAUGE: return "gauge";
    case BACKPLANE_DURATION_TOTAL: return "duration";
    default: return "unknown";
    }
}

const char* role_of(const backplane_port& port) {
    if (is_window(port)) return "window";
    return port.role == BACKPLANE_PROVIDES ? "provides" : "requires";
}

std::string size_of(const backplane_port& port) {
    if (!is_window(port)) return {};
    return port.size == 0 ? "size set by the device" : bytes_text(port.size);
}

std::string text(const char* from) { return from != nullptr ? from : ""; }

std::string default_of(const backplane_property& property) {
    if (is_required(property)) return "required";
    const std::string value = value_text(property, property.initial);
    return "default " + (is_text(property) ? '"' + value + '"' : value);
}

std::string limits_of(const backplane_property& property) {
    if (property.kind == BACKPLANE_CHOICE)
        return fmt::format("{}",
                           fmt::join(std::span{property.choices, property.choice_count}, "|"));
    return range_text(property);
}

std::string byte_count(std::uint32_t bytes) {
    return bytes == 1 ? "1 byte" : fmt::format("{} bytes", bytes);
}

std::string bits_of(const backplane_register_field& field) {
    if (field.bits <= 1) return std::to_string(field.first_bit);
    return fmt::format("{}:{}", field.first_bit + field.bits - 1, field.first_bit);
}

void add_section(std::string& out, const char* title, const Rows& rows) {
    if (rows.empty()) return;
    out += fmt::format("\n{}\n", title) + text_table(rows, 2);
}

Rows property_rows(const backplane_device_type& type) {
    Rows rows;
    for (const backplane_property& property : properties(type))
        rows.push_back({property.name, kind_name(property), default_of(property),
                        limits_of(property), text(property.doc)});
    rows.push_back({"log", "choice", "default: the machine's", "error|warning|info|debug|trace",
                    "What the device writes to the log"});
    return rows;
}

Rows port_rows(const backplane_device_type& type) {
    Rows rows;
    for (const backplane_port& port : ports(type)) {
        const std::string name = port.count > 1
                                     ? fmt::format("{}.0 to {}", port.name, port.count - 1)
                                     : port.name;
        std::string remarks;
        if ((port.flags & BACKPLANE_OPTIONAL) != 0) remarks += "optional ";
        if ((port.flags & BACKPLANE_MULTIPLE) != 0) remarks += "multiple ";
        if ((port.flags & BACKPLANE_EXCLUSIVE) != 0) remarks += "exclusive ";
        if ((port.flags & BACKPLANE_PLACED) != 0) remarks += "placed by the guest ";
        if (port.connect_to != nullptr) remarks += fmt::format("default {} ", port.connect_to);
        remarks += size_of(port);
        rows.push_back({name, role_of(port), port.interface_id, remarks, text(port.doc)});
    }
    return rows;
}

Rows register_rows(const backplane_device_type& type) {
    Rows rows;
    for (const backplane_register& reg : registers(type)) {
        const std::string window = reg.port < type.port_count ? type.ports[reg.port].name : "?";
        rows.push_back({fmt::format("{}+{:#04x}", window, reg.offset), reg.name,
                        byte_count(reg.width), text(reg.doc)});
        for (const backplane_register_field& field : fields(reg))
            rows.push_back({"", "  " + text(field.name),
                            fmt::format("bits {} {}", bits_of(field), access_name(field.access)),
                            text(field.doc)});
    }
    return rows;
}

Rows statistic_rows(const backplane_device_type& type) {
    Rows rows;
    for (const backplane_statistic& statistic : statistics(type))
        rows.push_back(
            {statistic.name, statistic_kind(statistic), text(statistic.unit), text(statistic.doc)});
    return rows;
}

Rows state_rows(const backplane_device_type& type) {
    Rows rows;
    for (const backplane_state_field& field : state(type))
        rows.push_back({field.name, state_kind(field),
                        field.count > 1
                            ? fmt::format("{} x {} bytes", field.count, field.element_size)
                            : byte_count(field.element_size)});
    return rows;
}

ordered_json port_json(const backplane_port& port) {
    ordered_json json{{"name", printable(port.name)},
                      {"role", role_of(port)},
                      {"interface", printable(port.interface_id)},
                      {"count", port.count},
                      {"optional", (port.flags & BACKPLANE_OPTIONAL) != 0},
                      {"multiple", (port.flags & BACKPLANE_MULTIPLE) != 0},
                      {"exclusive", (port.flags & BACKPLANE_EXCLUSIVE) != 0},
                      {"placed", (port.flags & BACKPLANE_PLACED) != 0},
                      {"doc", printable(text(port.doc))}};
    if (port.connect_to != nullptr) json["connect_to"] = printable(port.connect_to);
    // Null: the device tells once it is made.
    if (is_window(port)) json["size"] = nullptr;
    if (is_window(port) && port.size != 0) json["size"] = port.size;
    return json;
}

ordered_json register_json(const backplane_device_type& type, const backplane_register& reg) {
    ordered_json json{
        {"window", reg.port < type.port_count ? printable(type.ports[reg.port].name) : "?"},
        {"offset", reg.offset},
        {"width", reg.width},
        {"name", printable(text(reg.name))},
        {"doc", printable(text(reg.doc))},
        {"fields", ordered_json::array()}};
    for (const backplane_register_field& field : fields(reg))
        json["fields"].push_back({{"name", printable(text(field.name))},
                                  {"first_bit", field.first_bit},
                                  {"bits", field.bits},
                                  {"access", access_name(field.access)},
                                  {"doc", printable(text(field.doc))}});
    return json;
}

}  // namespace

const char* state_kind(const backplane_state_field& field) {
    switch (field.kind) {
    case BACKPLANE_STATE_UNSIGNED: return "unsigned";
    case BACKPLANE_STATE_SIGNED: return "signed";
    case BACKPLANE_STATE_BOOLEAN: return "boolean";
    case BACKPLANE_STATE_BYTES: return "bytes";
    default: return "unknown";
    }
}

std::string type_report_text(const TypeCatalog::Entry& entry) {
    const backplane_device_type& type = *entry.type;
    std::string out = fmt::format("{}: {}\nfrom {}\n", printable(type.name),
                                  printable(text(type.summary)), printable(entry.origin));
    add_section(out, "Properties", property_rows(type));
    add_section(out, "Ports", port_rows(type));
    add_section(out, "Registers", register_rows(type));
    add_section(out, "Statistics", statistic_rows(type));
    add_section(out, "Saved state", state_rows(type));
    return out;
}

ordered_json type_report_json(const TypeCatalog::Entry& entry) {
    const backplane_device_type& type = *entry.type;
    ordered_json json{{"type", printable(type.name)},
                      {"summary", printable(text(type.summary))},
                      {"origin", printable(entry.origin)}};
    for (const char* section : {"properties", "ports", "registers", "statistics", "state"})
        json[section] = ordered_json::array();
    for (const auto& property : properties(type))
        json["properties"].push_back(property_json(property));
    for (const auto& port : ports(type))
        json["ports"].push_back(port_json(port));
    for (const auto& reg : registers(type))
        json["registers"].push_back(register_json(type, reg));
    for (const auto& statistic : statistics(type))
        json["statistics"].push_back({{"name", printable(statistic.name)},
                                      {"kind", statistic_kind(statistic)},
                                      {"unit", printable(text(statistic.unit))},
                                      {"doc", printable(text(statistic.doc))}});
    for (const auto& field : state(type))
        json["state"].push_back({{"name", printable(field.name)},
                                 {"kind", state_kind(field)},
                                 {"element_size", field.element_size},
                                 {"count", field.count}});
    return json;
}

}  // namespace backplane::runtime
