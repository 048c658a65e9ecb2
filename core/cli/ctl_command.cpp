#include "cli/command.h"
#include "cli/control_client.h"
#include "cli/ctl_arguments.h"
#include "cli/ctl_report.h"
#include "cli/machine_options.h"
#include "runtime/control/command_help.h"
#include "runtime/nearest_name.h"

#include <fmt/format.h>

#include <cstdio>

namespace backplane::cli {

namespace {

namespace po = boost::program_options;
using nlohmann::ordered_json;
using runtime::control::Client;

// Before the first newline of the list; kept here because Command's texts live as long as the
// program.
const std::string description = "ADDRESS is what `run --control` was given: unix:PATH (or PATH "
                                "alone), or tcp:127.0.0.1:PORT.\nArguments come in the order "
                                "that `backplane ctl help COMMAND` shows, or as NAME=VALUE.\n\n"
                                "Commands:\n" +
                                runtime::control::command_table();

void declare(CommandOptions& options) {
    options.visible.add_options()("json", "print replies and events as they come: a line of JSON "
                                          "each")(
        "follow", "stay behind the command and print the events it subscribed to");
    declare_control_address(options);
    options.hidden.add_options()("words", po::value<std::vector<std::string>>());
    options.positional.add("words", -1);
}

const runtime::control::Command* known_command(const std::string& name) {
    const auto* command = runtime::control::find_command(name);
    if (command != nullptr) return command;
    const std::string hint = runtime::did_you_mean(name, runtime::control::command_names());
    (void)fail_control(fmt::format("unknown command '{}'; {}", name,
                                   hint.empty() ? "`backplane ctl --help` lists them" : hint));
    return nullptr;
}

int print_help(const std::vector<std::string>& words) {
    if (words.empty()) {
        fmt::print("{}", runtime::control::command_table());
        return static_cast<int>(ExitCode::Ok);
    }
    // How docs/control.md is made.
    if (words[0] == "reference") {
        fmt::print("{}", runtime::control::command_reference());
        return static_cast<int>(ExitCode::Ok);
    }
    const auto* command = known_command(words[0]);
    if (command == nullptr) return static_cast<int>(ExitCode::BadInput);
    fmt::print("{}", runtime::control::command_help(*command));
    return static_cast<int>(ExitCode::Ok);
}

void print_line(const std::string& text) {
    fmt::print("{}", text);
    std::fflush(stdout);
}

std::string raw(const ordered_json& message) {
    return message.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + '\n';
}

int follow(Client& client) {
    for (;;) {
        const auto event = client.next_event();
        if (!event) return static_cast<int>(ExitCode::Ok);
        client.on_event(*event);
    }
}

int run(const Arguments& arguments) {
    const std::string address = arguments.text("address");
    std::vector<std::string> words = arguments.list("words");
    if (address == "help") return print_help(words);
    const bool as_json = arguments.has("json");
    const std::string name = words.empty() ? "status" : words[0];
    if (!words.empty()) words.erase(words.begin());
    const auto* command = known_command(name);
    if (command == nullptr) return static_cast<int>(ExitCode::BadInput);
    const auto values = ctl_arguments(*command, words);
    if (!values) return fail_control(values.error());

    auto client = connect_control(address);
    if (!client) return fail_control(client.error());
    client->on_event = [as_json](const ordered_json& event) {
        print_line(as_json ? raw(event) : event_line(event));
    };
    if (as_json) {
        const auto reply = client->execute(name, *values);
        if (!reply) return fail_control(fmt::format("{}: {}", name, reply.error()));
        print_line(raw(*reply));
        if (reply->contains("error")) return static_cast<int>(ExitCode::BadInput);
    } else {
        const auto reply = ask(*client, name, *values);
        if (!reply) return fail_control(reply.error());
        print_line(ctl_report(name, reply->value("return", ordered_json::object())));
        if (reply->contains("changed_at"))
            fmt::print(stderr, "backplane: this deterministic run will not repeat: {}\n",
                       raw((*reply)["changed_at"]));
    }
    return arguments.has("follow") ? follow(*client) : static_cast<int>(ExitCode::Ok);
}

}  // namespace

const Command ctl_command{
    .name = "ctl",
    .arguments = "ADDRESS [COMMAND] [ARGUMENTS...]",
    .summary = "talk to a machine that runs with --control",
    .description = description.c_str(),
    .declare = declare,
    .run = run,
};

}  // namespace backplane::cli
