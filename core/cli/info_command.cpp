#include "cli/command.h"
#include "cli/machine_options.h"
#include "runtime/nearest_name.h"
#include "runtime/plugin_registry.h"
#include "runtime/type_report.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace backplane::cli {

namespace {

namespace po = boost::program_options;

void declare(CommandOptions& options) {
    options.visible.add_options()("json", "print JSON");
    options.hidden.add_options()("type", po::value<std::string>()->required());
    options.positional.add("type", 1);
}

int report_unknown(const std::string& type, const runtime::PluginRegistry& plugins) {
    std::string hint = runtime::did_you_mean(type, plugins.names());
    if (hint.empty()) hint = "`backplane list devices` shows all";
    fmt::print(stderr, "backplane: no plugin offers a device type '{}'; {}\n", type, hint);
    for (const auto& failed : plugins.failed())
        fmt::print(stderr,
                   "backplane: plugin '{}' failed to load; `backplane list plugins` says why\n",
                   failed.file.name);
    return static_cast<int>(ExitCode::BadInput);
}

int run(const Arguments& arguments) {
    runtime::PluginRegistry plugins{runtime::PluginSearchPath::standard(arguments.plugin_path)};
    plugins.load_all();
    const std::string type = arguments.text("type");
    const auto* entry = plugins.find(type);
    if (entry == nullptr) return report_unknown(type, plugins);
    if (arguments.has("json"))
        print_json(runtime::type_report_json(*entry));
    else
        fmt::print("{}", runtime::type_report_text(*entry));
    return static_cast<int>(ExitCode::Ok);
}

}  // namespace

const Command info_command{
    .name = "info",
    .arguments = "TYPE",
    .summary = "show what a device type declares: properties, ports, registers, statistics, state",
    .description = "`backplane list devices` shows the types there are.",
    .declare = declare,
    .run = run,
};

}  // namespace backplane::cli
