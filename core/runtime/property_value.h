// Property values between the machine file's text and what a device is given.
#pragma once

#include "runtime/diagnostics.h"
#include "runtime/machine_description.h"
#include "runtime/units.h"
#include "runtime/yaml_document.h"

namespace backplane::runtime {

// Appends what `node` says, or reports why it does not fit and appends the default. `subject` is
// "serial0.frequency".
void read_property(const backplane_property& property, const YamlNode& node,
                   const std::string& subject, PropertyValues& values, Diagnostics& diagnostics);

// What a text says, or why it does not fit. Not for TEXT and PATH, which any text fits.
[[nodiscard]] Number<backplane_value> parse_value(const backplane_property& property,
                                                  const std::string& text);

// Appends the declared default.
void add_default(const backplane_property& property, PropertyValues& values);

// As a machine file would say it: "512 MiB", "true", "realtime".
[[nodiscard]] std::string value_text(const backplane_property& property,
                                     const backplane_value& value);

// "1 MiB to 64 GiB"; empty when the property has no limits.
[[nodiscard]] std::string range_text(const backplane_property& property);

// "size", "frequency", "one of" … : what kind of value is expected, for people.
[[nodiscard]] const char* kind_text(const backplane_property& property);

[[nodiscard]] bool is_text(const backplane_property& property);

}  // namespace backplane::runtime
