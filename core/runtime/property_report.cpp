#include "runtime/property_report.h"

#include "runtime/printable_text.h"
#include "runtime/property_value.h"

#include <nlohmann/json.hpp>

#include <span>

namespace backplane::runtime {

using nlohmann::ordered_json;

const char* kind_name(const backplane_property& property) {
    switch (property.kind) {
    case BACKPLANE_BOOLEAN: return "boolean";
    case BACKPLANE_INTEGER: return "integer";
    case BACKPLANE_UNSIGNED: return "unsigned";
    case BACKPLANE_TEXT: return "text";
    case BACKPLANE_CHOICE: return "choice";
    case BACKPLANE_BYTES: return "bytes";
    case BACKPLANE_HERTZ: return "hertz";
    case BACKPLANE_DURATION: return "duration";
    case BACKPLANE_PATH: return "path";
    default: return "unknown";
    }
}

bool is_required(const backplane_property& property) {
    return (property.flags & BACKPLANE_REQUIRED) != 0;
}

ordered_json value_json(const backplane_property& property, const backplane_value& value) {
    switch (property.kind) {
    case BACKPLANE_BOOLEAN: return value.u != 0;
    case BACKPLANE_INTEGER: return value.i;
    case BACKPLANE_TEXT:
    case BACKPLANE_PATH:
    case BACKPLANE_CHOICE: return printable(value_text(property, value));
    default: return value.u;
    }
}

ordered_json property_json(const backplane_property& property) {
    ordered_json json{{"name", printable(property.name)},
                      {"kind", kind_name(property)},
                      {"doc", printable(property.doc != nullptr ? property.doc : "")},
                      {"required", is_required(property)}};
    if (!is_required(property)) json["default"] = value_json(property, property.initial);
    if (!range_text(property).empty()) {
        json["minimum"] = value_json(property, property.minimum);
        json["maximum"] = value_json(property, property.maximum);
    }
    for (const char* choice : std::span{property.choices, property.choice_count})
        json["choices"].push_back(printable(choice));
    return json;
}

}  // namespace backplane::runtime
