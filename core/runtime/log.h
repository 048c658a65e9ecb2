// Writes log lines to standard error: one line each, with the level and the component's name.
#pragma once

#include <backplane/abi/host.h>

#include <optional>
#include <string_view>

namespace backplane::runtime {

// [any] Lines of several threads never mix.
void write_log(backplane_log_level level, std::string_view component, std::string_view text);

std::string_view log_level_name(backplane_log_level level);
std::optional<backplane_log_level> log_level_from_name(std::string_view name);

}  // namespace backplane::runtime
