#include "runtime/control/command_schema.h"

#include "runtime/control/command.h"
#include "runtime/control/effect.h"
#include "runtime/control/run_state.h"
#include "runtime/control/subscriptions.h"
#include "runtime/property_report.h"
#include "runtime/property_schema.h"

#include <fmt/format.h>

namespace backplane::runtime::control {

namespace {

ordered_json fields_json(std::span<const ResultField> fields) {
    auto list = ordered_json::array();
    for (const ResultField& field : fields) {
        ordered_json entry{{"name", field.name},
                           {"kind", name_of(field.kind)},
                           {"doc", field.doc},
                           {"always", field.presence == Presence::Always}};
        if (!field.fields.empty()) entry["fields"] = fields_json(field.fields);
        list.push_back(std::move(entry));
    }
    return list;
}

ordered_json command_json(const Command& command) {
    ordered_json json{{"name", command.name},
                      {"summary", command.summary},
                      {"details", command.details},
                      {"effect", name_of(command.effect)},
                      {"arguments", ordered_json::array()},
                      {"returns", fields_json(command.returns)}};
    for (const backplane_property& argument : command.arguments)
        json["arguments"].push_back(property_json(argument));
    return json;
}

ordered_json arguments_schema(const Command& command) {
    auto keys = ordered_json::object();
    auto needed = ordered_json::array();
    for (const backplane_property& argument : command.arguments) {
        keys[argument.name] = property_schema(argument);
        if (is_required(argument)) needed.push_back(argument.name);
    }
    ordered_json schema{
        {"type", "object"}, {"properties", std::move(keys)}, {"additionalProperties", false}};
    if (!needed.empty()) schema["required"] = std::move(needed);
    return schema;
}

}  // namespace

ordered_json declarations() {
    ordered_json json{{"commands", ordered_json::array()},
                      {"events", ordered_json::array()},
                      {"errors", ordered_json::array()}};
    for (const Command* command : commands())
        json["commands"].push_back(command_json(*command));
    json["events"].push_back({{"name", run_state_topic},
                              {"doc", "The machine stops, goes on, is reset or ends"},
                              {"data", fields_json(RunState::event_fields)}});
    for (const ErrorMeaning& error : error_meanings)
        json["errors"].push_back({{"kind", error.name}, {"doc", error.doc}});
    return json;
}

ordered_json request_schema() {
    auto names = ordered_json::array(), rules = ordered_json::array();
    for (const Command* command : commands()) {
        names.push_back(command->name);
        ordered_json then{{"description", command->summary},
                          {"properties", {{"arguments", arguments_schema(*command)}}}};
        for (const backplane_property& argument : command->arguments)
            if (is_required(argument)) then["required"] = ordered_json::array({"arguments"});
        rules.push_back({{"if", {{"properties", {{"execute", {{"const", command->name}}}}}}},
                         {"then", std::move(then)}});
    }
    return {{"$schema", "http://json-schema.org/draft-07/schema#"},
            {"title", "Request to a Backplane control socket"},
            {"type", "object"},
            {"properties",
             {{"execute", {{"enum", std::move(names)}}},
              {"arguments", {{"type", "object"}}},
              {"id", {{"type", ordered_json::array({"integer", "string", "null"})}}}}},
            {"required", ordered_json::array({"execute"})},
            {"additionalProperties", false},
            {"allOf", std::move(rules)}};
}

}  // namespace backplane::runtime::control
