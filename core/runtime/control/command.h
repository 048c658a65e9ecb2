// A command of the control socket: everything about it in data, and the function that does it. From
// the data come parsing, error messages, query-schema, `backplane ctl --help` and docs/control.md.
#pragma once

#include "runtime/control/answer.h"
#include "runtime/control/effect.h"
#include "runtime/control/result_field.h"

#include <backplane/abi/device.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::runtime::control {

class ArgumentValues;
class Context;
class Subscriptions;

struct Call {
    Context& context;
    Subscriptions& subscriptions;
    const ArgumentValues& arguments;
};

struct Command {
    const char* name;     // kebab-case
    const char* summary;  // one line in lower case, no full stop
    const char* details;  // sentences, or ""
    Effect effect = Effect::Looks;
    std::span<const backplane_property> arguments = {};
    std::span<const ResultField> returns = {};
    Answer (*run)(const Call& call) = nullptr;
};

// All commands, in the order in which people should read about them.
[[nodiscard]] std::span<const Command* const> commands();
[[nodiscard]] const Command* find_command(std::string_view name);
[[nodiscard]] std::vector<std::string> command_names();

}  // namespace backplane::runtime::control
