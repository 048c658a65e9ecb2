#include "cli/control_client.h"

#include "runtime/printable_text.h"

#include <fmt/format.h>

#include <cstdio>

namespace backplane::cli {

using nlohmann::ordered_json;
using runtime::control::Client;
using runtime::control::ControlAddress;

void declare_control_address(CommandOptions& options) {
    namespace po = boost::program_options;
    options.hidden.add_options()("address", po::value<std::string>()->required());
    options.positional.add("address", 1);
}

std::expected<Client, std::string> connect_control(const std::string& text) {
    const auto address = ControlAddress::parse_for_client(text);
    if (!address) return std::unexpected{fmt::format("{}: {}", text, address.error())};
    return Client::connect(*address);
}

std::expected<ordered_json, std::string> ask(Client& client, const std::string& command,
                                             const ordered_json& arguments) {
    auto reply = client.execute(command, arguments);
    if (!reply) return std::unexpected{fmt::format("{}: {}", command, reply.error())};
    if (const auto error = reply->find("error"); error != reply->end() && error->is_object())
        return std::unexpected{runtime::printable(error->value("message", "refused"))};
    return std::move(*reply);
}

int fail_control(const std::string& message) {
    fmt::print(stderr, "backplane: {}\n", message);
    return static_cast<int>(ExitCode::BadInput);
}

}  // namespace backplane::cli
