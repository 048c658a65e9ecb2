#include "cli/run_options.h"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>

namespace backplane::cli {

using runtime::Override;

std::expected<Override, std::string> memory_override(const std::string& argument) {
    std::uint64_t number = 0;
    const char* end = argument.data() + argument.size();
    const auto [rest, error] = std::from_chars(argument.data(), end, number);
    const std::string_view unit{rest, end};
    const char* spelled = nullptr;
    if (unit.empty() || unit == "M" || unit == "MiB") spelled = "MiB";
    if (unit == "K" || unit == "KiB") spelled = "KiB";
    if (unit == "G" || unit == "GiB") spelled = "GiB";
    if (unit == "T" || unit == "TiB") spelled = "TiB";
    if (error != std::errc{} || spelled == nullptr)
        return std::unexpected(fmt::format(
            "-m {}: expected a size such as 512M or 4G; a number alone is MiB", argument));
    return Override::option("-m " + argument, "ram0.size", fmt::format("{} {}", number, spelled));
}

std::expected<std::vector<Override>, std::string> serial_overrides(const std::string& argument) {
    const std::string spelled = "--serial " + argument;
    const auto colon = argument.find(':');
    const std::string kind = argument.substr(0, colon);
    const std::string rest = colon == std::string::npos ? "" : argument.substr(colon + 1);
    const auto type = [&](const char* name) {
        return Override::option(spelled, "console.type", name);
    };
    const auto path = [&] {
        return Override::option(spelled, "console.path", std::filesystem::absolute(rest).string());
    };

    if (colon == std::string::npos) {
        if (kind == "stdio") return std::vector{type("character.terminal")};
        if (kind == "pty") return std::vector{type("character.pty")};
        if (kind == "none") return std::vector{type("character.null")};
    } else if (!rest.empty()) {
        if (kind == "file") return std::vector{type("character.file"), path()};
        if (kind == "unix") return std::vector{type("character.unix"), path()};
        if (kind == "tcp")
            return std::vector{type("character.tcp"),
                               Override::option(spelled, "console.port", rest)};
    }
    return std::unexpected(
        fmt::format("{}: expected stdio, file:FILE, pty, unix:PATH, tcp:PORT or none", spelled));
}

}  // namespace backplane::cli
