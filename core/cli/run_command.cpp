#include "cli/command.h"
#include "cli/load_machine.h"
#include "cli/run_options.h"
#include "runtime/machine.h"
#include "runtime/speed_meter.h"
#include "runtime/statistics_report.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <expected>
#include <filesystem>
#include <fstream>
#include <memory>

namespace backplane::cli {

namespace {

namespace po = boost::program_options;
using runtime::Override;

constexpr std::chrono::milliseconds speed_sample_period{100};
constexpr std::chrono::seconds longest_timeout{1'000'000'000};

void declare(CommandOptions& options) {
    options.visible.add_options()  //
        ("property,p",
         po::value<std::vector<std::string>>()->value_name("PATH=VALUE")->composing(),  //
         "set a value of the machine file: -p ram0.size='1 GiB' (repeatable)")          //
        ("kernel", po::value<std::string>()->value_name("FILE"),
         "the kernel to boot: boot0.kernel")  //
        ("initrd", po::value<std::string>()->value_name("FILE"),
         "its initial RAM disk: boot0.initrd")  //
        ("append", po::value<std::string>()->value_name("TEXT"),
         "its command line: boot0.command-line")  //
        ("memory,m", po::value<std::string>()->value_name("SIZE"),
         "RAM, such as 512M or 4G: ram0.size")  //
        ("serial", po::value<std::string>()->value_name("WHERE"),
         "the serial console: stdio, file:FILE, pty, unix:PATH, tcp:PORT (loopback) or none")  //
        ("no-reboot", "end when the guest resets the machine")                                 //
        ("timeout", po::value<std::int64_t>()->value_name("SECONDS"),
         "end with code 5 after this time")  //
        ("stats", po::value<std::string>()->value_name("FILE"),
         "write all counters there at the end, as JSON");
    options.hidden.add_options()("machine", po::value<std::string>()->required());
    options.positional.add("machine", 1);
}

// Not fmt::print, which throws: an unwritable stderr shall not change how a run ends.
void say(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
    if (!text.ends_with('\n')) std::fputc('\n', stderr);
}

int fail(runtime::ExitCode code, std::string_view text) {
    say(text);
    return static_cast<int>(code);
}

std::expected<std::vector<Override>, std::string> overrides_of(const Arguments& arguments) {
    std::vector<Override> overrides;
    const auto path_option = [&](const char* option, const char* target) {
        if (!arguments.has(option)) return;
        const std::string value = arguments.text(option);
        // An empty path is the property's "none".
        if (value.empty())
            return overrides.push_back(
                Override::option(fmt::format("--{} ''", option), target, ""));
        overrides.push_back(Override::option(fmt::format("--{} {}", option, value), target,
                                             std::filesystem::absolute(value).string()));
    };
    path_option("kernel", "boot0.kernel");
    path_option("initrd", "boot0.initrd");
    if (arguments.has("append"))
        overrides.push_back(Override::option(fmt::format("--append '{}'", arguments.text("append")),
                                             "boot0.command-line", arguments.text("append")));
    if (arguments.has("memory")) {
        auto memory = memory_override(arguments.text("memory"));
        if (!memory) return std::unexpected(memory.error());
        overrides.push_back(std::move(*memory));
    }
    if (arguments.has("serial")) {
        auto serial = serial_overrides(arguments.text("serial"));
        if (!serial) return std::unexpected(serial.error());
        std::ranges::move(*serial, std::back_inserter(overrides));
    }
    for (const auto& assignment : arguments.list("property"))
        overrides.push_back(Override::assignment(assignment));
    return overrides;
}

int run(const Arguments& arguments) {
    // Who reads our output may go away before the guest ends.
    std::signal(SIGPIPE, SIG_IGN);
    const auto overrides = overrides_of(arguments);
    if (!overrides) return fail(ExitCode::BadInput, overrides.error());

    runtime::RunOptions options{.end_on_reset = arguments.has("no-reboot")};
    if (arguments.has("timeout")) {
        options.time_limit = std::chrono::seconds{arguments.get<std::int64_t>("timeout")};
        if (*options.time_limit < std::chrono::seconds{1} || *options.time_limit > longest_timeout)
            return fail(ExitCode::BadInput,
                        fmt::format("--timeout {}: expected 1 to {} seconds",
                                    options.time_limit->count(), longest_timeout.count()));
    }

    runtime::Diagnostics diagnostics;
    runtime::PluginRegistry plugins{runtime::PluginSearchPath::standard(arguments.plugin_path)};
    const auto loaded = load_machine(arguments.text("machine"), *overrides, plugins, diagnostics);
    std::unique_ptr<runtime::Machine> machine;
    if (loaded.description) machine = runtime::Machine::build(*loaded.description, diagnostics);
    if (const std::string report = diagnostics.text(); !report.empty()) say(report);
    if (!machine)
        return static_cast<int>(loaded.plugin_failed ? ExitCode::PluginProblem
                                                     : ExitCode::BadInput);

    // Opened first, so that a wrong path costs nobody a long run.
    std::ofstream stats;
    if (arguments.has("stats")) {
        stats.open(arguments.text("stats"));
        if (!stats)
            return fail(ExitCode::BadInput,
                        fmt::format("--stats {}: cannot be written", arguments.text("stats")));
    }
    runtime::SpeedMeter speed;
    const auto sample = [&] { speed.sample(runtime::cpu_statistic(*machine, "instructions")); };
    if (stats.is_open()) machine->io().every(speed_sample_period, sample);

    sample();
    const runtime::Ending ending = machine->run(options);
    sample();
    if (stats.is_open())
        stats << runtime::statistics_report(*machine, speed, ending).dump(2) << '\n';
    say("backplane: " + ending.why);
    return ending.exit_code;
}

}  // namespace

const Command run_command{
    .name = "run",
    .arguments = "MACHINE",
    .summary = "run a machine",
    .description = "Builds the machine that a YAML file describes and runs it until the guest "
                   "powers off or you end it\n"
                   "(Ctrl-A X on its terminal). The shorthands --kernel, --initrd, --append, -m "
                   "and --serial set values of\n"
                   "the devices boot0, ram0 and console, which the shipped machines have.",
    .declare = declare,
    .run = run,
};

}  // namespace backplane::cli
