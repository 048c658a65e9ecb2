#include "cli/ctl_arguments.h"

#include "runtime/control/command_help.h"

#include <fmt/format.h>

#include <algorithm>

namespace backplane::cli {

using nlohmann::ordered_json;

std::expected<ordered_json, std::string> ctl_arguments(const runtime::control::Command& command,
                                                       const std::vector<std::string>& words) {
    auto arguments = ordered_json::object();
    std::size_t next = 0;
    for (const std::string& word : words) {
        const auto equals = word.find('=');
        const auto named = std::ranges::find(command.arguments, word.substr(0, equals),
                                             &backplane_property::name);
        const bool is_named = equals != word.npos && named != command.arguments.end();
        if (!is_named && next == command.arguments.size())
            return std::unexpected{fmt::format("'{}' is too much; expected: {}", word,
                                               runtime::control::usage(command))};
        const std::string name = is_named ? named->name : command.arguments[next++].name;
        if (arguments.contains(name))
            return std::unexpected{
                fmt::format("{}: the argument '{}' is there twice", command.name, name)};
        arguments[name] = is_named ? word.substr(equals + 1) : word;
    }
    return arguments;
}

}  // namespace backplane::cli
