#include "runtime/log.h"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <string>

namespace backplane::runtime {

namespace {
constexpr std::array<std::string_view, 6> names{"", "error", "warning", "info", "debug", "trace"};
}

void write_log(backplane_log_level level, std::string_view component, std::string_view text) {
    const std::string line = fmt::format("{}: {}: {}\n", component, log_level_name(level), text);
    std::fwrite(line.data(), 1, line.size(), stderr);
}

std::string_view log_level_name(backplane_log_level level) { return names.at(level); }

std::optional<backplane_log_level> log_level_from_name(std::string_view name) {
    for (std::size_t level = 1; level < names.size(); ++level)
        if (names[level] == name) return static_cast<backplane_log_level>(level);
    return std::nullopt;
}

}  // namespace backplane::runtime
