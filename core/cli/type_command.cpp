#include "cli/command.h"
#include "cli/control_client.h"

namespace backplane::cli {

namespace {

namespace po = boost::program_options;

void declare_keyboard(CommandOptions& options) {
    options.visible.add_options()("device", po::value<std::string>()->value_name("NAME"),
                                  "which keyboard, when the machine has several");
    declare_control_address(options);
}

int send(const Arguments& arguments, const char* command, const char* argument,
         const std::string& value) {
    auto client = connect_control(arguments.text("address"));
    if (!client) return fail_control(client.error());
    const auto reply = ask(*client, command,
                           {{argument, value}, {"device", arguments.text("device")}});
    return reply ? static_cast<int>(ExitCode::Ok) : fail_control(reply.error());
}

void declare_type(CommandOptions& options) {
    declare_keyboard(options);
    options.hidden.add_options()("text", po::value<std::string>()->required());
    options.positional.add("text", 1);
}

// As printf has them, so that a shell need not be asked for a newline.
std::string unescaped(const std::string& text) {
    std::string result;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '\\' || at + 1 == text.size()) {
            result += text[at];
            continue;
        }
        switch (text[++at]) {
        case 'n': result += '\n'; break;
        case 't': result += '\t'; break;
        case 'b': result += '\b'; break;
        case 'e': result += '\x1b'; break;
        case '\\': result += '\\'; break;
        default: result += {'\\', text[at]};
        }
    }
    return result;
}

int run_type(const Arguments& arguments) {
    return send(arguments, "type", "text", unescaped(arguments.text("text")));
}

void declare_sendkey(CommandOptions& options) {
    declare_keyboard(options);
    options.hidden.add_options()("keys", po::value<std::vector<std::string>>()->required());
    options.positional.add("keys", -1);
}

int run_sendkey(const Arguments& arguments) {
    std::string keys;
    for (const std::string& key : arguments.list("keys"))
        keys += key + ' ';
    return send(arguments, "send-key", "keys", keys);
}

}  // namespace

const Command type_command{
    .name = "type",
    .arguments = "ADDRESS TEXT",
    .summary = "type a text on the keyboard of a running machine",
    .description = "ADDRESS is what `run --control` was given. In TEXT \\n is the Enter key, \\t "
                   "Tab, \\b Backspace,\n\\e Escape and \\\\ a backslash. Ends when all of it is "
                   "typed.",
    .declare = declare_type,
    .run = run_type,
};

const Command sendkey_command{
    .name = "sendkey",
    .arguments = "ADDRESS KEYS...",
    .summary = "press keys on the keyboard of a running machine",
    .description = "ADDRESS is what `run --control` was given. KEYS are names such as ret, f12 "
                   "and ctrl-alt-del, pressed\nin turn.",
    .declare = declare_sendkey,
    .run = run_sendkey,
};

}  // namespace backplane::cli
