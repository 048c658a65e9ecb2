// The `backplane` program: finds the command, parses what it accepts, and turns failures into exit
// codes.
#include "cli/command.h"
#include "runtime/nearest_name.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace po = boost::program_options;

namespace backplane::cli {

namespace {

const std::array commands{
    &run_command,     &ctl_command,    &top_command,   &screenshot_command, &type_command,
    &sendkey_command, &jit_command,    &image_command, &profile_command,    &validate_command,
    &explain_command, &list_command,   &info_command,  &schema_command,     &diff_command,
    &bench_command,   &version_command};

// A command line that cannot be carried out; the message tells what would have been.
struct UsageError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

const Command* find_command(std::string_view name) {
    for (const Command* command : commands)
        if (name == command->name) return command;
    return nullptr;
}

const Command& command_or_error(const std::string& name) {
    if (const Command* command = find_command(name)) return *command;
    std::vector<std::string> names{"help"};
    for (const Command* command : commands)
        names.emplace_back(command->name);
    const std::string hint = runtime::did_you_mean(name, names);
    throw UsageError(fmt::format("unknown command '{}'; {}", name,
                                 hint.empty() ? "`backplane --help` lists them" : hint));
}

po::options_description global_options() {
    po::options_description options{"Options of every command"};
    options.add_options()("plugin-path",
                          po::value<std::vector<std::string>>()->value_name("DIR")->composing(),
                          "search this folder for plugins before all others (repeatable)")(
        "help,h", "show this text");
    return options;
}

std::string text_of(const po::options_description& options) {
    std::ostringstream text;
    text << options;
    return text.str();
}

void print_help() {
    fmt::print("Usage: backplane COMMAND [options] [arguments]\n\n"
               "Backplane is a PC you assemble from plugins.\n\nCommands:\n");
    for (const Command* command : commands)
        fmt::print("  {:<10} {}\n", command->name, command->summary);
    fmt::print("  {:<10} {}\n\n", "help", "explain a command: backplane help COMMAND");
    fmt::print("{}\nExit codes:\n", text_of(global_options()));
    for (const auto& meaning : runtime::exit_code_meanings)
        fmt::print("  {:<4} {}\n", static_cast<int>(meaning.code), meaning.text);
    fmt::print("  {:<4} {}\n", "128+", "run: ended by the signal of that number");
    fmt::print("  {:<4} {}\n\n", "odd",
               "run: (v << 1) | 1 when the guest wrote v to isa-debug-exit");
    fmt::print(
        "Plugins are looked for in --plugin-path, $BACKPLANE_PLUGIN_PATH (folders joined by ':'),\n"
        "$XDG_DATA_HOME/backplane/plugins and the installation; `backplane list` shows them.\n");
}

void print_help(const Command& command) {
    CommandOptions options;
    command.declare(options);
    std::string usage = fmt::format("Usage: backplane {} [options]", command.name);
    if (*command.arguments) usage += fmt::format(" {}", command.arguments);
    std::string summary = command.summary;
    if (!summary.empty()) summary[0] = static_cast<char>(std::toupper(summary[0]));
    fmt::print("{}\n\n{}.\n", usage, summary);
    if (*command.description) fmt::print("\n{}\n", command.description);
    if (!options.visible.options().empty()) fmt::print("\nOptions:\n{}", text_of(options.visible));
    fmt::print("\n{}", text_of(global_options()));
}

// Boost.Program_options would say "unrecognised option '--jsno'" and leave it at that.
std::string explain_unknown_option(const po::unknown_option& error,
                                   const std::vector<const po::options_description*>& tables) {
    std::vector<std::string> known;
    for (const po::options_description* table : tables)
        for (const auto& option : table->options())
            known.push_back("--" + option->long_name());
    const std::string name = error.get_option_name();
    const std::string hint = runtime::did_you_mean(name, known);
    return fmt::format("unknown option '{}'{}", name, hint.empty() ? "" : "; " + hint);
}

int run(const Command& command, const std::vector<std::string>& arguments) {
    CommandOptions options;
    command.declare(options);
    const po::options_description global = global_options();
    po::options_description all;
    all.add(options.visible).add(options.hidden).add(global);

    po::variables_map values;
    try {
        // No guessing: an abbreviation that works today would break when an option is added.
        using namespace po::command_line_style;
        const int style = unix_style & ~allow_guessing;
        po::store(po::command_line_parser(arguments)
                      .options(all)
                      .positional(options.positional)
                      .style(style)
                      .run(),
                  values);
        if (values.count("help")) {
            print_help(command);
            return static_cast<int>(ExitCode::Ok);
        }
        po::notify(values);
    } catch (const po::unknown_option& error) {
        throw UsageError(explain_unknown_option(error, {&options.visible, &global}));
    } catch (const po::too_many_positional_options_error&) {
        throw UsageError(fmt::format("too many arguments; expected: backplane {} [options] {}",
                                     command.name, command.arguments));
    } catch (const po::required_option& error) {
        std::string name = error.get_option_name();
        if (options.visible.find_nothrow(name.substr(name.find_first_not_of('-')), false))
            throw UsageError(fmt::format("option {} is missing", name));
        throw UsageError(fmt::format("an argument is missing; expected: backplane {} [options] {}",
                                     command.name, command.arguments));
    } catch (const po::error& error) {
        throw UsageError(error.what());
    }

    Arguments parsed{.values = values, .plugin_path = {}};
    for (const std::string& folder : parsed.list("plugin-path")) {
        if (folder.empty()) throw UsageError("--plugin-path is empty; a folder was expected");
        parsed.plugin_path.emplace_back(folder);
    }
    return command.run(parsed);
}

// Options that every command takes may also stand before the command, as in `backplane
// --plugin-path D list`.
std::size_t command_position(const std::vector<std::string>& arguments) {
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        if (arguments[i] == "--plugin-path")
            ++i;
        else if (!arguments[i].starts_with('-'))
            return i;
    }
    return arguments.size();
}

// A descriptor that the shell closed would be given to the next file opened, and be written to as
// if it were the screen.
void fill_standard_descriptors() {
    int descriptor = 0;
    do
        descriptor = open("/dev/null", O_RDWR);
    while (descriptor >= 0 && descriptor <= STDERR_FILENO);
    if (descriptor > STDERR_FILENO) close(descriptor);
}

int main(std::vector<std::string> arguments) {
    const std::size_t position = command_position(arguments);
    if (position == arguments.size()) {
        for (const std::string& argument : arguments)
            if (argument == "--version")
                return run(version_command, {});
            else if (argument == "--help" || argument == "-h")
                return print_help(), static_cast<int>(ExitCode::Ok);
        if (!arguments.empty() && !arguments[0].starts_with("--plugin-path"))
            throw UsageError(
                fmt::format("unknown option '{}'; `backplane --help` lists them", arguments[0]));
        throw UsageError("a command is missing; `backplane --help` lists them");
    }
    const std::string name = arguments[position];
    arguments.erase(arguments.begin() + static_cast<std::ptrdiff_t>(position));
    if (name != "help") return run(command_or_error(name), arguments);
    if (position < arguments.size())
        print_help(command_or_error(arguments[position]));
    else
        print_help();
    return static_cast<int>(ExitCode::Ok);
}

}  // namespace

}  // namespace backplane::cli

int main(int argc, char** argv) {
    using backplane::cli::ExitCode;
    backplane::cli::fill_standard_descriptors();
    // A limit on the size of files (ulimit -f) is an error for whoever writes, as a full disk is.
    std::signal(SIGXFSZ, SIG_IGN);
    try {
        return backplane::cli::main({argv + (argc > 0 ? 1 : 0), argv + argc});
    } catch (const backplane::cli::UsageError& error) {
        fmt::print(stderr, "backplane: {}\n", error.what());
        return static_cast<int>(ExitCode::BadInput);
    } catch (const std::exception& error) {
        fmt::print(stderr, "backplane: internal error: {}\n", error.what());
        return static_cast<int>(ExitCode::InternalError);
    }
}
