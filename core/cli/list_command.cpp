#include "cli/command.h"
#include "runtime/plugin_registry.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>

namespace backplane::cli {

namespace {

using nlohmann::ordered_json;
using runtime::PluginRegistry;
namespace po = boost::program_options;

void declare(CommandOptions& options) {
    options.visible.add_options()("json", "print JSON");
    options.hidden.add_options()("what", po::value<std::string>()->default_value("plugins"));
    options.positional.add("what", 1);
}

std::string abi_of(const runtime::LoadedPlugin& plugin) {
    return fmt::format("{}.{}", plugin.descriptor.abi_major, plugin.descriptor.abi_minor);
}

// Text after the first line keeps the indentation of a list entry.
std::string indented(std::string text) {
    for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 5))
        text.insert(at + 1, "    ");
    return text;
}

void print_plugins(const PluginRegistry& registry) {
    if (registry.loaded().empty()) fmt::print("No plugin was loaded.\n");
    for (const auto& plugin : registry.loaded()) {
        std::vector<std::string> types;
        for (const auto& type : plugin.types)
            types.emplace_back(type->type().name);
        fmt::print("{} {}  {}\n", plugin.file.name, plugin.descriptor.version,
                   plugin.descriptor.name);
        fmt::print("    id     {}\n    ABI    {}\n    path   {} ({})\n    types  {}\n",
                   plugin.descriptor.id, abi_of(plugin), plugin.file.path.string(),
                   plugin.file.origin, fmt::join(types, ", "));
    }
    if (!registry.failed().empty()) fmt::print("\nFailed:\n");
    for (const auto& plugin : registry.failed())
        fmt::print("{}\n    path   {} ({})\n    {}\n", plugin.file.name, plugin.file.path.string(),
                   plugin.file.origin, indented(plugin.reason));
    if (!registry.shadowed().empty()) fmt::print("\nShadowed:\n");
    for (const auto& plugin : registry.shadowed())
        fmt::print("{}\n    path   {} ({})\n    hidden by {}\n", plugin.file.name,
                   plugin.file.path.string(), plugin.file.origin, plugin.by.string());
}

ordered_json plugins_as_json(const PluginRegistry& registry) {
    ordered_json json{{"plugins", ordered_json::array()},
                      {"failed", ordered_json::array()},
                      {"shadowed", ordered_json::array()},
                      {"search_path", ordered_json::array()}};
    for (const auto& plugin : registry.loaded()) {
        ordered_json types = ordered_json::array();
        for (const auto& type : plugin.types)
            types.push_back(type->type().name);
        json["plugins"].push_back({{"name", plugin.file.name},
                                   {"id", plugin.descriptor.id},
                                   {"title", plugin.descriptor.name},
                                   {"version", plugin.descriptor.version},
                                   {"vendor", plugin.descriptor.vendor},
                                   {"license", plugin.descriptor.license},
                                   {"abi", abi_of(plugin)},
                                   {"path", plugin.file.path.string()},
                                   {"origin", plugin.file.origin},
                                   {"types", types}});
    }
    for (const auto& plugin : registry.failed())
        json["failed"].push_back({{"name", plugin.file.name},
                                  {"path", plugin.file.path.string()},
                                  {"origin", plugin.file.origin},
                                  {"reason", plugin.reason}});
    for (const auto& plugin : registry.shadowed())
        json["shadowed"].push_back({{"name", plugin.file.name},
                                    {"path", plugin.file.path.string()},
                                    {"origin", plugin.file.origin},
                                    {"by", plugin.by.string()}});
    for (const auto& folder : registry.search_path().folders())
        json["search_path"].push_back({{"path", folder.path.string()}, {"origin", folder.origin}});
    return json;
}

void print_devices(const PluginRegistry& registry) {
    const std::vector<std::string> names = registry.names();
    std::size_t width = 0;
    for (const std::string& name : names)
        width = std::max(width, name.size());
    for (const std::string& name : names)
        fmt::print("{:<{}}  {}\n", name, width, registry.find(name)->type->summary);
    if (names.empty()) fmt::print("No plugin was loaded, so there are no device types.\n");
}

ordered_json devices_as_json(const PluginRegistry& registry) {
    std::map<std::string, ordered_json> sorted;
    for (const auto& plugin : registry.loaded())
        for (const auto& type : plugin.types)
            sorted[type->type().name] = {{"type", type->type().name},
                                         {"summary", type->type().summary},
                                         {"plugin", plugin.descriptor.id},
                                         {"path", plugin.file.path.string()}};
    ordered_json devices = ordered_json::array();
    for (auto& [name, device] : sorted)
        devices.push_back(std::move(device));
    return {{"devices", devices}};
}

// Strings of plugins come from strangers: what is not UTF-8 is replaced rather than refused.
void print_json(const ordered_json& json) {
    fmt::print("{}\n", json.dump(2, ' ', false, ordered_json::error_handler_t::replace));
}

int run(const Arguments& arguments) {
    const std::string& what = arguments.get<std::string>("what");
    const bool plugins = what == "plugins";
    if (!plugins && what != "devices") {
        fmt::print(stderr, "backplane: cannot list '{}'; 'plugins' or 'devices' was expected\n",
                   what);
        return static_cast<int>(ExitCode::BadInput);
    }
    PluginRegistry registry{runtime::PluginSearchPath::standard(arguments.plugin_path)};
    registry.load_all();
    if (arguments.has("json"))
        print_json(plugins ? plugins_as_json(registry) : devices_as_json(registry));
    else if (plugins)
        print_plugins(registry);
    else
        print_devices(registry);
    if (!plugins && !registry.failed().empty())
        fmt::print(stderr,
                   "backplane: {} plugin(s) failed to load; `backplane list plugins` says why\n",
                   registry.failed().size());
    return static_cast<int>(ExitCode::Ok);
}

}  // namespace

const Command list_command{
    .name = "list",
    .arguments = "[plugins|devices]",
    .summary = "list plugins, also failed and shadowed ones, or device types",
    .description =
        "Without an argument lists plugins. A plugin that failed does not change the exit code.",
    .declare = declare,
    .run = run,
};

}  // namespace backplane::cli
