// Pieces that JSON Schemas are made of.
#pragma once

#include <nlohmann/json.hpp>

#include <initializer_list>
#include <string>
#include <utility>

namespace backplane::runtime::schema {

using nlohmann::ordered_json;

inline ordered_json list_of(ordered_json values) { return {{"enum", std::move(values)}}; }

inline ordered_json any_of(std::initializer_list<ordered_json> choices) {
    ordered_json list = ordered_json::array();
    for (const ordered_json& choice : choices)
        list.push_back(choice);
    return {{"anyOf", std::move(list)}};
}

inline ordered_json null() { return {{"type", "null"}}; }

// An editor's YAML reader gives 512 MiB as a string and 0 as an integer.
inline ordered_json quantity(const char* units) {
    return any_of(
        {{{"type", "string"}, {"pattern", std::string{"^[0-9][0-9a-fA-Fx_.]* ?("} + units + ")$"}},
         {{"const", 0}}});
}

}  // namespace backplane::runtime::schema
