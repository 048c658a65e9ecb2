#include "cli/command.h"
#include "version.h"

#include <backplane/abi/plugin.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace backplane::cli {

namespace {

void declare(CommandOptions& options) { options.visible.add_options()("json", "print JSON"); }

int run(const Arguments& arguments) {
    const std::string abi = fmt::format("{}.{}", BACKPLANE_ABI_MAJOR, BACKPLANE_ABI_MINOR);
    if (arguments.has("json")) {
        const nlohmann::ordered_json json{{"version", project_version},
                                          {"revision", source_revision},
                                          {"abi", abi},
                                          {"compiler", compiler},
                                          {"build_type", build_type}};
        fmt::print("{}\n", json.dump(2));
        return static_cast<int>(ExitCode::Ok);
    }
    fmt::print("backplane {}{}\n", project_version,
               *source_revision ? fmt::format(" ({})", source_revision) : "");
    fmt::print("plugin ABI {}\n", abi);
    fmt::print("built with {}{}\n", compiler, *build_type ? fmt::format(", {}", build_type) : "");
    return static_cast<int>(ExitCode::Ok);
}

}  // namespace

const Command version_command{
    .name = "version",
    .arguments = "",
    .summary = "show the versions of the program and of its plugin ABI",
    .description = "",
    .declare = declare,
    .run = run,
};

}  // namespace backplane::cli
