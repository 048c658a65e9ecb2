#include "runtime/machine_schema.h"

#include "runtime/device_settings.h"
#include "runtime/printable_text.h"
#include "runtime/property_schema.h"
#include "runtime/schema_parts.h"

#include <nlohmann/json.hpp>

#include <span>

namespace backplane::runtime {

namespace {

using namespace schema;

constexpr const char* device_name_pattern = "^[a-z][a-z0-9-]*$";

ordered_json string_or_list() {
    return {{"type", ordered_json::array({"string", "array"})}, {"items", {{"type", "string"}}}};
}

ordered_json port_schema(const backplane_port& port) {
    ordered_json schema;
    if (is_window(port))
        schema = {{"$ref", "#/definitions/window"}};
    else if (port.count > 1)
        schema = {{"$ref", "#/definitions/elements"}};
    else
        schema = {{"$ref", "#/definitions/connection"}};
    // Beside a $ref draft 7 ignores everything else.
    ordered_json result{{"allOf", ordered_json::array({schema})}};
    result["description"] = printable((port.doc != nullptr ? port.doc : "") + std::string{" ("} +
                                      port.interface_id + ")");
    return result;
}

// What a device may say once its type is known. Nothing is required, because an include may have
// said it.
ordered_json type_schema(const backplane_device_type& type) {
    ordered_json keys{{"type", {{"const", printable(type.name)}}},
                      {"log", {{"$ref", "#/definitions/log"}}}};
    for (const backplane_property& property : std::span{type.properties, type.property_count})
        keys[printable(property.name)] = property_schema(property);
    for (const backplane_port& port : std::span{type.ports, type.port_count})
        if (port.role == BACKPLANE_REQUIRES ||
            (is_window(port) && (port.flags & BACKPLANE_PLACED) == 0))
            keys[printable(port.name)] = port_schema(port);
    ordered_json schema{{"description", printable(type.summary != nullptr ? type.summary : "")}};
    schema["properties"] = std::move(keys);
    schema["additionalProperties"] = false;
    return schema;
}

ordered_json definitions() {
    const ordered_json number{{"type", ordered_json::array({"string", "integer"})}};
    const ordered_json at{{"type", "string"}, {"pattern", "^(memory|io)@"}};
    ordered_json part{
        {"type", "object"},
        {"properties", {{"at", at}, {"priority", number}, {"offset", number}, {"size", number}}},
        {"additionalProperties", false}};
    const ordered_json one = any_of({at, part});
    ordered_json definitions;
    definitions["window"] = any_of({at, part, {{"type", "array"}, {"items", one}}, null()});
    definitions["connection"] = any_of({string_or_list(), null()});
    definitions["elements"] = any_of(
        {{{"type", "object"},
          {"patternProperties", {{"^[0-9]+$", {{"$ref", "#/definitions/connection"}}}}},
          {"additionalProperties", false}},
         null()});
    definitions["log"] = list_of(
        ordered_json::array({"error", "warning", "info", "debug", "trace", nullptr}));
    return definitions;
}

ordered_json machine_section() {
    ordered_json keys{{"name", {{"type", "string"}}},
                      {"description", {{"type", "string"}}},
                      {"clock", list_of(ordered_json::array({"realtime", "deterministic"}))},
                      {"frequency", quantity("Hz|kHz|MHz|GHz")},
                      {"log", {{"$ref", "#/definitions/log"}}}};
    return {{"type", "object"}, {"properties", std::move(keys)}, {"additionalProperties", false}};
}

// `if`/`then` for each type rather than one big `anyOf`: an editor then names the wrong key, not
// all the types.
ordered_json device_schema(const TypeCatalog& types) {
    ordered_json names = ordered_json::array(), rules = ordered_json::array();
    for (const std::string& name : types.names()) {
        names.push_back(printable(name));
        const ordered_json condition{{"properties", {{"type", {{"const", printable(name)}}}}},
                                     {"required", ordered_json::array({"type"})}};
        rules.push_back({{"if", condition}, {"then", type_schema(*types.find(name)->type)}});
    }
    ordered_json schema{{"type", ordered_json::array({"object", "null"})},
                        {"properties", {{"type", list_of(std::move(names))}}}};
    if (!rules.empty()) schema["allOf"] = std::move(rules);
    return schema;
}

}  // namespace

ordered_json machine_schema(const TypeCatalog& types) {
    ordered_json devices{
        {"type", "object"},
        {"patternProperties", {{device_name_pattern, {{"$ref", "#/definitions/device"}}}}},
        {"additionalProperties", false}};
    ordered_json schema;
    schema["$schema"] = "http://json-schema.org/draft-07/schema#";
    schema["title"] = "Backplane machine file";
    schema["type"] = "object";
    schema["properties"] = {{"include", string_or_list()},
                            {"machine", machine_section()},
                            {"plugins", string_or_list()},
                            {"devices", std::move(devices)}};
    schema["patternProperties"] = {{"^x-", ordered_json::object()}};
    schema["additionalProperties"] = false;
    schema["definitions"] = definitions();
    schema["definitions"]["device"] = device_schema(types);
    return schema;
}

}  // namespace backplane::runtime
