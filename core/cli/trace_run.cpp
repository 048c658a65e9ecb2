#include "cli/trace_run.h"

#include <fmt/format.h>

#include <filesystem>

namespace backplane::cli {

std::expected<std::vector<runtime::Override>, std::string>
trace_overrides(const std::string& file, runtime::PluginRegistry& plugins) {
    using runtime::Override;
    if (!file.ends_with(".json") && !file.ends_with(".json.gz"))
        return std::unexpected{
            fmt::format("--trace {}: a name that ends with .json or .json.gz was expected", file)};
    if (const auto plugin = plugins.load("profiler"); !plugin)
        return std::unexpected{"--trace: " + plugin.error()};
    const std::string spelled = "--trace " + file;
    return std::vector{
        Override::option(spelled, "trace.type", "profiler.trace"),
        Override::option(spelled, "trace.file", std::filesystem::absolute(file).string())};
}

}  // namespace backplane::cli
