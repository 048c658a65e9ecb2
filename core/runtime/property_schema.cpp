#include "runtime/property_schema.h"

#include "runtime/printable_text.h"
#include "runtime/property_report.h"
#include "runtime/property_value.h"
#include "runtime/schema_parts.h"

#include <span>

namespace backplane::runtime {

namespace {

using namespace schema;

ordered_json kind_schema(const backplane_property& property) {
    ordered_json choices = ordered_json::array();
    switch (property.kind) {
    case BACKPLANE_BOOLEAN: return {{"type", "boolean"}};
    case BACKPLANE_INTEGER:
    case BACKPLANE_UNSIGNED:
        // 1_000 and 0b11 are strings to YAML 1.2.
        return any_of({{{"type", "integer"}},
                       {{"type", "string"}, {"pattern", "^-?(0[xb])?[0-9a-fA-F_]+$"}}});
    case BACKPLANE_CHOICE:
        for (const char* choice : std::span{property.choices, property.choice_count})
            choices.push_back(printable(choice));
        return list_of(std::move(choices));
    case BACKPLANE_BYTES: return quantity("B|KiB|MiB|GiB|TiB");
    case BACKPLANE_HERTZ: return quantity("Hz|kHz|MHz|GHz");
    case BACKPLANE_DURATION: return quantity("ns|us|ms|s");
    default:
        return {
            {"type", ordered_json::array({"string", "number", "boolean"})}};  // text as it stands
    }
}

}  // namespace

ordered_json property_schema(const backplane_property& property) {
    ordered_json schema = any_of({kind_schema(property), null()});
    std::string text = property.doc != nullptr ? property.doc : "";
    if (const std::string range = range_text(property); !range.empty()) text += " (" + range + ")";
    schema["description"] = printable(text);
    if (!is_required(property))
        schema["default"] = printable(value_text(property, property.initial));
    return schema;
}

}  // namespace backplane::runtime
