#include "cli/command.h"
#include "cli/control_client.h"
#include "runtime/control/hex.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace backplane::cli {

namespace {

namespace po = boost::program_options;
using nlohmann::ordered_json;

void declare(CommandOptions& options) {
    options.visible.add_options()("device", po::value<std::string>()->value_name("NAME"),
                                  "whose screen, when the machine has several");
    declare_control_address(options);
    options.hidden.add_options()("file", po::value<std::string>()->required());
    options.positional.add("file", 1);
}

int run(const Arguments& arguments) {
    auto client = connect_control(arguments.text("address"));
    if (!client) return fail_control(client.error());
    const auto reply = ask(*client, "screenshot", {{"device", arguments.text("device")}});
    if (!reply) return fail_control(reply.error());
    const ordered_json picture = reply->value("return", ordered_json::object());
    const auto png = runtime::control::parse_base64(picture.value("png", ""));
    if (!png) return fail_control("screenshot: " + png.error());

    const std::string path = arguments.text("file");
    std::ofstream file{path, std::ios::binary};
    file.write(reinterpret_cast<const char*>(png->data()),
               static_cast<std::streamsize>(png->size()));
    file.close();
    if (!file) return fail_control(fmt::format("{}: {}", path, std::strerror(errno)));
    fmt::print("{}: {} x {} pixels\n", path, picture.value("width", 0u),
               picture.value("height", 0u));
    return static_cast<int>(ExitCode::Ok);
}

}  // namespace

const Command screenshot_command{
    .name = "screenshot",
    .arguments = "ADDRESS FILE.png",
    .summary = "write the screen of a running machine to a PNG file",
    .description = "ADDRESS is what `run --control` was given.",
    .declare = declare,
    .run = run,
};

}  // namespace backplane::cli
