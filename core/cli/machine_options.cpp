#include "cli/machine_options.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace backplane::cli {

namespace po = boost::program_options;

void declare_machine_options(CommandOptions& options) {
    options.visible.add_options()(
        "property,p", po::value<std::vector<std::string>>()->value_name("PATH=VALUE")->composing(),
        "set a value of the machine file, as run does (repeatable)")("json", "print JSON");
    options.hidden.add_options()("machine", po::value<std::string>()->required());
    options.positional.add("machine", 1);
}

std::vector<runtime::Override> overrides_from(const Arguments& arguments) {
    std::vector<runtime::Override> overrides;
    for (const std::string& assignment : arguments.list("property"))
        overrides.push_back(runtime::Override::assignment(assignment));
    return overrides;
}

// Text in it may come from strangers: what is not UTF-8 is replaced rather than refused.
void print_json(const nlohmann::ordered_json& json) {
    fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

}  // namespace backplane::cli
