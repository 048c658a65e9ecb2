// What the commands that talk to a control socket have in common: connecting, asking, and saying
// what went wrong.
#pragma once

#include "cli/command.h"
#include "runtime/control/client.h"

#include <expected>
#include <string>

namespace backplane::cli {

// A positional argument `address`.
void declare_control_address(CommandOptions& options);

// The error is a message for the user.
[[nodiscard]] std::expected<runtime::control::Client, std::string>
connect_control(const std::string& address);
// The reply, which has `return`; or a message for the user.
[[nodiscard]] std::expected<nlohmann::ordered_json, std::string>
ask(runtime::control::Client& client, const std::string& command,
    const nlohmann::ordered_json& arguments);

// Prints the message and gives the exit code.
[[nodiscard]] int fail_control(const std::string& message);

}  // namespace backplane::cli
