#include "runtime/control/schema_command.h"

#include "runtime/control/argument.h"
#include "runtime/control/argument_values.h"
#include "runtime/control/command_schema.h"

namespace backplane::runtime::control {

namespace {

constexpr const char* formats[] = {"declarations", "json-schema"};

constexpr backplane_property arguments[] = {
    choice_argument("format",
                    "All commands, events and errors as they are declared, or a JSON Schema of "
                    "requests",
                    formats),
};

constexpr ResultField fields[] = {
    {"schema", ResultKind::Any, "in the wanted format"},
};

Answer query_schema(const Call& call) {
    const bool wants_requests = call.arguments.choice("format") == "json-schema";
    return ordered_json{{"schema", wants_requests ? request_schema() : declarations()}};
}

}  // namespace

constinit const Command query_schema_command{
    .name = "query-schema",
    .summary = "what can be said here, for programs",
    .details = "Arguments look as the properties of devices do in `backplane info --json`, and "
               "accept the same values.",
    .arguments = arguments,
    .returns = fields,
    .run = query_schema,
};

}  // namespace backplane::runtime::control
