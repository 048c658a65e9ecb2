// The words behind `backplane ctl ADDRESS COMMAND` as the command's arguments.
#pragma once

#include "runtime/control/command.h"

#include <expected>
#include <string>
#include <vector>

namespace backplane::cli {

// In the declared order, or as NAME=VALUE where NAME is an argument's name. All are texts, which
// the other end reads as a machine file's values. The error is a message for the user.
[[nodiscard]] std::expected<nlohmann::ordered_json, std::string>
ctl_arguments(const runtime::control::Command& command, const std::vector<std::string>& words);

}  // namespace backplane::cli
