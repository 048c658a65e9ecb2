// What inspect_device gives, declared.
#pragma once

#include "runtime/control/result_field.h"

namespace backplane::runtime::control {

namespace inspection {

inline constexpr ResultField property_fields[] = {
    {"name", ResultKind::Text, ""},
    {"value", ResultKind::Text, "as a machine file says it"},
    {"kind", ResultKind::Text, "unsigned, text, choice, bytes, hertz ..."},
    {"doc", ResultKind::Text, "what it is about"},
};

inline constexpr ResultField connection_fields[] = {
    {"port", ResultKind::Text, "of this device"},
    {"interface", ResultKind::Text, "what is connected: backplane.line/1 ..."},
    {"to", ResultKind::Text, "the device and port at the other end"},
};

inline constexpr ResultField window_fields[] = {
    {"window", ResultKind::Text, "its name, as the machine file has it"},
    {"space", ResultKind::Text, "memory or io"},
    {"base", ResultKind::Hex, "where it is mapped now"},
    {"size", ResultKind::Hex, "bytes"},
};

inline constexpr ResultField register_field_fields[] = {
    {"name", ResultKind::Text, ""},
    {"bits", ResultKind::Text, "as 7:4"},
    {"value", ResultKind::Hex, "if it is saved state", Presence::Sometimes},
};

inline constexpr ResultField register_fields[] = {
    {"name", ResultKind::Text, "as the datasheet says"},
    {"window", ResultKind::Text, "which it is in"},
    {"offset", ResultKind::Hex, "there"},
    {"value", ResultKind::Hex, "when it is known without reading the device, which may change it",
     Presence::Sometimes},
    {"fields", ResultKind::List, "", Presence::Always, register_field_fields},
};

inline constexpr ResultField statistic_fields[] = {
    {"name", ResultKind::Text, ""},
    {"value", ResultKind::Count, ""},
    {"unit", ResultKind::Text, ""},
    {"doc", ResultKind::Text, ""},
};

inline constexpr ResultField state_fields[] = {
    {"name", ResultKind::Text, ""},
    {"kind", ResultKind::Text, "unsigned, signed, boolean or bytes"},
    {"value", ResultKind::Any, "a number, a boolean, a list of them, or bytes as hexadecimal text",
     Presence::Sometimes},
    {"size", ResultKind::Count, "bytes, of what is too long to show", Presence::Sometimes},
};

}  // namespace inspection

inline constexpr ResultField inspection_fields[] = {
    {"name", ResultKind::Text, "the device's, in the machine file"},
    {"type", ResultKind::Text, "chipset.pit8254 ..."},
    {"summary", ResultKind::Text, "what this type is"},
    {"properties", ResultKind::List, "its settings", Presence::Always, inspection::property_fields},
    {"connections", ResultKind::List, "from its ports to others", Presence::Always,
     inspection::connection_fields},
    {"windows", ResultKind::List, "where the guest sees it", Presence::Always,
     inspection::window_fields},
    {"registers", ResultKind::List, "what the guest sees there", Presence::Always,
     inspection::register_fields},
    {"statistics", ResultKind::List, "what it has counted", Presence::Always,
     inspection::statistic_fields},
    {"state", ResultKind::List, "all that a snapshot would keep", Presence::Always,
     inspection::state_fields},
};

}  // namespace backplane::runtime::control
