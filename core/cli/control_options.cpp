#include "cli/control_options.h"

#include <fmt/format.h>

#include <cstdio>

namespace backplane::cli {

using runtime::control::ControlAddress;
using runtime::control::Server;

void declare_control_options(CommandOptions& options) {
    namespace po = boost::program_options;
    options.visible.add_options()(
        "control", po::value<std::vector<std::string>>()->value_name("ADDRESS")->composing(),
        "take commands of `backplane ctl` there: unix:PATH or tcp:127.0.0.1:PORT, where port 0 "
        "picks one and says which (repeatable)");
}

std::expected<std::unique_ptr<Server>, std::string>
open_control(const Arguments& arguments, runtime::Machine& machine,
             const runtime::MachineDescription& description) {
    const auto wanted = arguments.list("control");
    if (wanted.empty()) return nullptr;
    auto server = std::make_unique<Server>(machine, description);
    for (const std::string& text : wanted) {
        const auto refuse = [&](const std::string& why) {
            return std::unexpected{fmt::format("--control {}: {}", text, why)};
        };
        const auto address = ControlAddress::parse(text);
        if (!address) return refuse(address.error());
        const auto listening = server->listen(*address);
        if (!listening) return refuse(listening.error());
        if (!listening->is_unix())
            fmt::print(stderr, "backplane: control socket at {}\n", listening->text());
    }
    return server;
}

}  // namespace backplane::cli
