// As much of JSON Schema as the schemas in docs/ use.
#pragma once

#include "support/paths.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <fstream>
#include <string>

namespace backplane::test {

// docs/NAME. A part that is another file's is put in its place.
inline nlohmann::json read_schema(const std::string& name) {
    const auto read = [](const std::string& file) {
        return nlohmann::json::parse(std::ifstream{std::string{paths::source} + "/docs/" + file});
    };
    const auto resolve = [&](const auto& self, nlohmann::json& schema) -> void {
        if (schema.is_object() && schema.contains("$ref")) {
            const auto reference = schema["$ref"].get<std::string>();
            const std::size_t hash = reference.find('#');
            schema = read(reference.substr(0, hash))
                         .at(nlohmann::json::json_pointer{reference.substr(hash + 1)});
        }
        if (schema.is_structured())
            for (nlohmann::json& part : schema)
                self(self, part);
    };
    nlohmann::json schema = read(name);
    resolve(resolve, schema);
    return schema;
}

inline bool is_of_type(const nlohmann::json& value, const std::string& type) {
    if (type == "null") return value.is_null();
    if (type == "integer") return value.is_number_integer();
    if (type == "number") return value.is_number();
    return type == value.type_name();
}

inline void expect_valid(const nlohmann::json& value, const nlohmann::json& schema,
                         const std::string& where) {
    using nlohmann::json;
    if (schema.contains("const")) EXPECT_EQ(value, schema["const"]) << where;
    if (schema.contains("enum")) {
        bool fits = false;
        for (const json& each : schema["enum"])
            fits |= value == each;
        EXPECT_TRUE(fits) << where << ": " << value;
    }
    if (schema.contains("type")) {
        const json& types = schema["type"];
        bool fits = false;
        for (const json& type : types.is_array() ? types : json::array({types}))
            fits |= is_of_type(value, type);
        EXPECT_TRUE(fits) << where << ": " << value;
    }
    if (value.is_number() && schema.contains("minimum"))
        EXPECT_GE(value.get<double>(), schema["minimum"].get<double>()) << where;
    if (value.is_number() && schema.contains("maximum"))
        EXPECT_LE(value.get<double>(), schema["maximum"].get<double>()) << where;
    for (const json& name : schema.value("required", json::array()))
        EXPECT_TRUE(value.contains(name.get<std::string>())) << where << " lacks " << name;
    if (value.is_array())
        for (const json& item : value)
            expect_valid(item, schema.at("items"), where + "[]");
    if (!value.is_object()) return;
    const json known = schema.value("properties", json::object());
    const json others = schema.value("additionalProperties", json(true));
    for (const auto& [name, member] : value.items())
        if (known.contains(name))
            expect_valid(member, known[name], where + '.' + name);
        else if (others.is_object())
            expect_valid(member, others, where + '.' + name);
        else
            EXPECT_TRUE(others.get<bool>()) << where << " may not have " << name;
}

}  // namespace backplane::test
