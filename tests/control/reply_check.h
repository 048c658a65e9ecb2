// Holds what a command returned against its declaration.
#pragma once

#include "runtime/control/result_field.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <span>
#include <string>

namespace backplane::runtime::control {

using nlohmann::ordered_json;

inline bool is_hex(const ordered_json& value) {
    return value.is_string() && value.get_ref<const std::string&>().starts_with("0x") &&
           value.get_ref<const std::string&>().find_first_not_of("0123456789abcdef", 2) ==
               std::string::npos;
}

inline std::string complaint(const ordered_json& reply, std::span<const ResultField> fields);

inline std::string kind_complaint(const ordered_json& value, const ResultField& field) {
    const auto expect = [&](bool is_right) {
        return is_right ? "" : std::string{field.name} + " is not as declared: " + value.dump();
    };
    const auto each = [&](const ordered_json& values) {
        for (const auto& element : values)
            if (auto text = complaint(element, field.fields); !text.empty())
                return std::string{field.name} + ": " + text;
        return std::string{};
    };
    switch (field.kind) {
    case ResultKind::Boolean: return expect(value.is_boolean());
    case ResultKind::Count: return expect(value.is_number_unsigned());
    case ResultKind::Real: return expect(value.is_number());
    case ResultKind::Text:
    case ResultKind::Base64: return expect(value.is_string());
    case ResultKind::Hex: return expect(is_hex(value));
    case ResultKind::Bytes:
        return expect(value.is_string() && value.get_ref<const std::string&>().size() % 2 == 0);
    case ResultKind::Object: return complaint(value, field.fields);
    case ResultKind::List: return value.is_array() ? each(value) : expect(false);
    case ResultKind::Map: return value.is_object() ? each(value) : expect(false);
    case ResultKind::HexMap: return expect(value.is_object() && std::ranges::all_of(value, is_hex));
    case ResultKind::Any: return {};
    }
    return "unknown kind";
}

// "" when the reply has all that is declared and nothing else.
inline std::string complaint(const ordered_json& reply, std::span<const ResultField> fields) {
    if (!reply.is_object()) return "not an object: " + reply.dump();
    for (const auto& [key, value] : reply.items())
        if (std::ranges::find(fields, key, &ResultField::name) == fields.end())
            return key + " is not declared";
    for (const ResultField& field : fields) {
        if (!reply.contains(field.name)) {
            if (field.presence == Presence::Always) return std::string{field.name} + " is missing";
            continue;
        }
        if (auto text = kind_complaint(reply[field.name], field); !text.empty()) return text;
    }
    return {};
}

}  // namespace backplane::runtime::control
