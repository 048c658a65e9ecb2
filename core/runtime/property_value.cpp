#include "runtime/property_value.h"

#include "runtime/host_path.h"
#include "runtime/nearest_name.h"
#include "runtime/printable_text.h"
#include "runtime/units.h"

#include <fmt/format.h>

#include <span>

namespace backplane::runtime {

namespace {

// A value that was refused: why, and what would do.
using Refusal = NumberProblem;

std::expected<backplane_value, Refusal> refuse(std::string problem, std::string expected) {
    return std::unexpected{Refusal{std::move(problem), std::move(expected)}};
}

bool has_limits(const backplane_property& property) {
    return property.minimum.u != 0 || property.maximum.u != 0;
}

bool is_in_range(const backplane_property& property, const backplane_value& value) {
    if (!has_limits(property)) return true;
    if (property.kind == BACKPLANE_INTEGER)
        return value.i >= property.minimum.i && value.i <= property.maximum.i;
    return value.u >= property.minimum.u && value.u <= property.maximum.u;
}

std::expected<backplane_value, Refusal> in_range(const backplane_property& property,
                                                 backplane_value value) {
    if (is_in_range(property, value)) return value;
    return refuse("is out of range", "expected " + range_text(property));
}

std::expected<backplane_value, Refusal> read_unsigned(const backplane_property& property,
                                                      const Number<std::uint64_t>& number) {
    if (!number) return std::unexpected{number.error()};
    backplane_value value{};
    value.u = *number;
    return in_range(property, value);
}

std::expected<backplane_value, Refusal> read_signed(const backplane_property& property,
                                                    const Number<std::int64_t>& number) {
    if (!number) return std::unexpected{number.error()};
    backplane_value value{};
    value.i = *number;
    return in_range(property, value);
}

std::expected<backplane_value, Refusal> read_boolean(const std::string& text) {
    backplane_value value{};
    value.u = text == "true" ? 1 : 0;
    if (text == "true" || text == "false") return value;
    return refuse("is not true or false", "expected true or false");
}

std::expected<backplane_value, Refusal> read_choice(const backplane_property& property,
                                                    const std::string& text) {
    const std::span choices{property.choices, property.choice_count};
    std::vector<std::string> names;
    for (std::size_t index = 0; index < choices.size(); ++index) {
        backplane_value value{};
        value.u = index;
        if (text == choices[index]) return value;
        names.emplace_back(choices[index]);
    }
    std::string hint = did_you_mean(text, names);
    const std::string all = fmt::format("expected one of {}", fmt::join(names, ", "));
    return refuse("is not a choice", hint.empty() || names.size() < 8 ? all : hint);
}

}  // namespace

Number<backplane_value> parse_value(const backplane_property& property, const std::string& text) {
    switch (property.kind) {
    case BACKPLANE_BOOLEAN: return read_boolean(text);
    case BACKPLANE_INTEGER: return read_signed(property, parse_signed(text));
    case BACKPLANE_UNSIGNED: return read_unsigned(property, parse_unsigned(text));
    case BACKPLANE_CHOICE: return read_choice(property, text);
    case BACKPLANE_BYTES: return read_unsigned(property, parse_bytes(text));
    case BACKPLANE_HERTZ: return read_unsigned(property, parse_hertz(text));
    case BACKPLANE_DURATION: return read_unsigned(property, parse_duration(text));
    default:
        return refuse("belongs to a property of an unknown kind",
                      "the plugin is newer than this program");
    }
}

bool is_text(const backplane_property& property) {
    return property.kind == BACKPLANE_TEXT || property.kind == BACKPLANE_PATH;
}

void add_default(const backplane_property& property, PropertyValues& values) {
    if (is_text(property))
        values.add_text(property.initial.text != nullptr ? property.initial.text : "");
    else
        values.add(property.initial);
}

void read_property(const backplane_property& property, const YamlNode& node,
                   const std::string& subject, PropertyValues& values, Diagnostics& diagnostics) {
    if (!node.is_scalar()) {
        diagnostics.error(node.place,
                          node.is_null()
                              ? fmt::format("{}: nothing follows it", subject)
                              : fmt::format("{} cannot be {}", subject, node.kind_text()),
                          fmt::format("expected {}", kind_text(property)));
        return add_default(property, values);
    }
    if (is_text(property)) {
        if (node.scalar.contains('\0')) {
            diagnostics.error(node.place, subject + ": the text contains a NUL character");
            return add_default(property, values);
        }
        if (property.kind == BACKPLANE_TEXT || node.scalar.empty())
            return values.add_text(node.scalar);
        return values.add_text(host_path(node.scalar, *node.place.source).string());
    }
    // A quoted choice can be meant no other way; a quoted number is text.
    if (node.quoted && property.kind != BACKPLANE_CHOICE) {
        diagnostics.error(node.place,
                          fmt::format("{}: text in quotes is not {}", subject, kind_text(property)),
                          "leave the quotes out");
        return add_default(property, values);
    }
    const auto value = parse_value(property, node.scalar);
    if (value) return values.add(*value);
    diagnostics.error(
        node.place,
        fmt::format("{}: {} {}", subject, in_quotes(node.scalar), value.error().problem),
        value.error().expected);
    add_default(property, values);
}

std::string value_text(const backplane_property& property, const backplane_value& value) {
    switch (property.kind) {
    case BACKPLANE_BOOLEAN: return value.u != 0 ? "true" : "false";
    case BACKPLANE_INTEGER: return std::to_string(value.i);
    case BACKPLANE_UNSIGNED: return std::to_string(value.u);
    case BACKPLANE_CHOICE: return value.u < property.choice_count ? property.choices[value.u] : "?";
    case BACKPLANE_BYTES: return bytes_text(value.u);
    case BACKPLANE_HERTZ: return hertz_text(value.u);
    case BACKPLANE_DURATION: return duration_text(value.u);
    case BACKPLANE_TEXT:
    case BACKPLANE_PATH: return value.text != nullptr ? value.text : "";
    default: return "?";
    }
}

std::string range_text(const backplane_property& property) {
    if (!has_limits(property) || is_text(property) || property.kind == BACKPLANE_BOOLEAN ||
        property.kind == BACKPLANE_CHOICE)
        return {};
    return value_text(property, property.minimum) + " to " + value_text(property, property.maximum);
}

const char* kind_text(const backplane_property& property) {
    switch (property.kind) {
    case BACKPLANE_BOOLEAN: return "true or false";
    case BACKPLANE_INTEGER: return "a whole number";
    case BACKPLANE_UNSIGNED: return "a whole number from 0";
    case BACKPLANE_TEXT: return "text";
    case BACKPLANE_CHOICE: return "one of its choices";
    case BACKPLANE_BYTES: return "a size such as 64 KiB";
    case BACKPLANE_HERTZ: return "a frequency such as 10 kHz";
    case BACKPLANE_DURATION: return "a time such as 10 ms";
    case BACKPLANE_PATH: return "the path of a host file";
    default: return "a value of an unknown kind";
    }
}

}  // namespace backplane::runtime
