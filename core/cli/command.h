// One subcommand of `backplane`: its name, its help and options, and the function that does it.
#pragma once

#include "runtime/exit_codes.h"

#include <boost/program_options.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace backplane::cli {

using runtime::ExitCode;

// What a command accepts. Positional arguments are hidden options that `positional` gives places:
//     options.hidden.add_options()("machine", po::value<std::string>()->required());
//     options.positional.add("machine", 1);
struct CommandOptions {
    boost::program_options::options_description visible;
    boost::program_options::options_description hidden;
    boost::program_options::positional_options_description positional;
};

// A parsed command line, after required options were checked.
struct Arguments {
    const boost::program_options::variables_map& values;
    // From `--plugin-path DIR`, which every command takes, in the order given.
    std::vector<std::filesystem::path> plugin_path;

    bool has(const char* option) const { return values.count(option) != 0; }
    template <class T> const T& get(const char* option) const { return values[option].as<T>(); }
    std::string text(const char* option, const std::string& otherwise = {}) const {
        return has(option) ? get<std::string>(option) : otherwise;
    }
    std::vector<std::string> list(const char* option) const {
        return has(option) ? get<std::vector<std::string>>(option) : std::vector<std::string>{};
    }
};

struct Command {
    const char* name;         // "run"
    const char* arguments;    // after the name in usage lines: "MACHINE"; "[options]" is added
    const char* summary;      // one line in lower case, for the table of commands
    const char* description;  // paragraphs for `backplane help NAME`, or ""
    void (*declare)(CommandOptions& options);
    // Results go to standard output, everything said about them to standard error. An int, because
    // a guest may choose codes of its own; else static_cast<int>(ExitCode). Exceptions are internal
    // errors.
    int (*run)(const Arguments& arguments);
};

// Each is defined in NAME_command.cpp (sendkey with type) and listed in main.cpp.
extern const Command run_command;
extern const Command validate_command;
extern const Command explain_command;
extern const Command list_command;
extern const Command info_command;
extern const Command schema_command;
extern const Command version_command;
extern const Command diff_command;
extern const Command ctl_command;
extern const Command screenshot_command;
extern const Command type_command;
extern const Command sendkey_command;
extern const Command jit_command;
extern const Command image_command;
extern const Command bench_command;
extern const Command profile_command;
extern const Command top_command;

}  // namespace backplane::cli
