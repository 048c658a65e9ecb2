// Declares the arguments of control commands: as a device declares its properties, and with the
// same struct, so that values, limits, messages and schemas are those of machine files.
#pragma once

#include <backplane/abi/device.h>

#include <cstdint>
#include <limits>
#include <span>

namespace backplane::runtime::control {

constexpr backplane_property argument(backplane_property_kind kind, const char* name,
                                      const char* doc) {
    backplane_property property{};
    property.struct_size = sizeof property;
    property.kind = kind;
    property.name = name;
    property.doc = doc;
    return property;
}

constexpr backplane_property required(backplane_property property) {
    property.flags |= BACKPLANE_REQUIRED;
    return property;
}

constexpr backplane_property text_argument(const char* name, const char* doc,
                                           const char* otherwise = "") {
    backplane_property property = argument(BACKPLANE_TEXT, name, doc);
    property.initial.text = otherwise;
    return property;
}

constexpr backplane_property
number_argument(const char* name, const char* doc, std::uint64_t otherwise = 0,
                std::uint64_t minimum = 0,
                std::uint64_t maximum = std::numeric_limits<std::uint64_t>::max()) {
    backplane_property property = argument(BACKPLANE_UNSIGNED, name, doc);
    property.initial.u = otherwise;
    property.minimum.u = minimum;
    property.maximum.u = maximum;
    if (maximum == std::numeric_limits<std::uint64_t>::max()) property.maximum.u = minimum = 0;
    return property;
}

constexpr backplane_property signed_argument(const char* name, const char* doc,
                                             std::int64_t minimum, std::int64_t maximum) {
    backplane_property property = argument(BACKPLANE_INTEGER, name, doc);
    property.initial.i = 0;
    property.minimum.i = minimum;
    property.maximum.i = maximum;
    return property;
}

constexpr backplane_property duration_argument(const char* name, const char* doc,
                                               std::uint64_t otherwise, std::uint64_t maximum) {
    backplane_property property = number_argument(name, doc, otherwise, 0, maximum);
    property.kind = BACKPLANE_DURATION;
    return property;
}

constexpr backplane_property flag_argument(const char* name, const char* doc) {
    return argument(BACKPLANE_BOOLEAN, name, doc);
}

// The first choice is the default.
constexpr backplane_property choice_argument(const char* name, const char* doc,
                                             std::span<const char* const> choices) {
    backplane_property property = argument(BACKPLANE_CHOICE, name, doc);
    property.choices = choices.data();
    property.choice_count = static_cast<std::uint32_t>(choices.size());
    return property;
}

}  // namespace backplane::runtime::control
