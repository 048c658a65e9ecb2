#include "cli/command.h"
#include "cli/control_options.h"
#include "cli/load_machine.h"
#include "cli/profile_run.h"
#include "cli/run_figures.h"
#include "cli/run_options.h"
#include "cli/trace_run.h"
#include "runtime/gdb/server.h"
#include "runtime/machine.h"
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
#include <optional>

namespace backplane::cli {

namespace {

namespace po = boost::program_options;

constexpr std::chrono::seconds longest_timeout{1'000'000'000};

void declare(CommandOptions& options) {
    declare_guest_options(options);
    declare_control_options(options);
    options.visible.add_options()  //
        ("paused,S", "stand still before the first instruction, until a debugger or the control "
                     "socket lets it go on")  //
        ("gdb", po::value<std::string>()->value_name("WHERE"),
         "wait for GDB: a port on the loopback interface (0 takes a free one), or unix:PATH")  //
        ("gdb-port,s", "the same as --gdb 1234")                                               //
        ("display", po::value<std::string>()->value_name("KIND")->default_value("none"),
         "where the screen is shown: none, the only kind so far; `backplane screenshot` shows it "
         "too")                                                 //
        ("no-reboot", "end when the guest resets the machine")  //
        ("timeout", po::value<std::int64_t>()->value_name("SECONDS"),
         "end with code 5 after this time")  //
        ("stats", po::value<std::string>()->value_name("FILE"),
         "write all counters there at the end, as JSON")  //
        ("profile", po::value<std::string>()->value_name("FILE"),
         "record where the guest's time goes: FILE.json.gz for profiler.firefox.com, FILE.svg or "
         "FILE.html a flame graph, FILE.folded, or FILE.data for `backplane profile`")  //
        ("opcodes", po::value<std::string>()->value_name("MODE"),
         "of --profile: what is recorded of single instructions: p1 how often each is executed, p2 "
         "how much time goes to them, p3 both, and memory")  //
        ("trace", po::value<std::string>()->value_name("FILE"),
         "record what the machine does as a time line for ui.perfetto.dev: FILE.json or "
         "FILE.json.gz");
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

// Where to wait for GDB, if at all.
std::expected<std::optional<runtime::gdb::ServerAddress>, std::string>
debug_address(const Arguments& arguments) {
    if (!arguments.has("gdb") && !arguments.has("gdb-port")) return std::nullopt;
    const std::string where = arguments.has("gdb") ? arguments.text("gdb") : "1234";
    auto address = runtime::gdb::parse_server_address(where);
    if (!address) return std::unexpected(address.error());
    return *address;
}

int run(const Arguments& arguments) {
    // Who reads our output may go away before the guest ends.
    std::signal(SIGPIPE, SIG_IGN);
    auto overrides = guest_overrides(arguments);
    if (!overrides) return fail(ExitCode::BadInput, overrides.error());

    runtime::RunOptions options{.end_on_reset = arguments.has("no-reboot"),
                                .paused = arguments.has("paused")};
    if (arguments.has("timeout")) {
        options.time_limit = std::chrono::seconds{arguments.get<std::int64_t>("timeout")};
        if (*options.time_limit < std::chrono::seconds{1} || *options.time_limit > longest_timeout)
            return fail(ExitCode::BadInput,
                        fmt::format("--timeout {}: expected 1 to {} seconds",
                                    options.time_limit->count(), longest_timeout.count()));
    }

    if (const std::string display = arguments.text("display"); display != "none")
        return fail(ExitCode::BadInput, fmt::format("--display {}: expected none", display));

    const auto debug_at = debug_address(arguments);
    if (!debug_at) return fail(ExitCode::BadInput, debug_at.error());

    runtime::Diagnostics diagnostics;
    runtime::PluginRegistry plugins{runtime::PluginSearchPath::standard(arguments.plugin_path)};
    if (arguments.has("trace")) {
        const auto added = trace_overrides(arguments.text("trace"), plugins);
        if (!added) return fail(ExitCode::BadInput, added.error());
        overrides->insert(overrides->begin(), added->begin(), added->end());
    }
    std::optional<ProfileRun> profile;
    if (arguments.has("opcodes") && !arguments.has("profile"))
        return fail(ExitCode::BadInput, "--opcodes goes with --profile FILE");
    if (arguments.has("profile")) {
        auto wanted = ProfileRun::to(arguments.text("profile"), arguments.text("opcodes"));
        if (!wanted) return fail(ExitCode::BadInput, wanted.error());
        const auto added = wanted->overrides(arguments.text("machine"), *overrides, plugins);
        if (!added) return fail(ExitCode::BadInput, added.error());
        overrides->insert(overrides->begin(), added->begin(), added->end());
        profile = std::move(*wanted);
    }
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
    const auto control = open_control(arguments, *machine, *loaded.description);
    if (!control) return fail(ExitCode::BadInput, control.error());
    if (*control) (*control)->start();

    std::unique_ptr<runtime::gdb::Server> debugger;
    if (*debug_at) {
        auto server = runtime::gdb::Server::listen(*machine, **debug_at);
        if (!server) return fail(ExitCode::BadInput, server.error());
        debugger = std::move(*server);
        say(fmt::format("backplane: waiting for gdb: target remote {}", debugger->endpoint()));
    }
    RunFigures figures{*machine, !profile                    ? RunFigures::History::Drop
                                 : profile->follows_memory() ? RunFigures::History::KeepWithMemory
                                                             : RunFigures::History::Keep};
    if (stats.is_open() || profile)
        machine->io().every(RunFigures::period, [&] { figures.sample(); });

    figures.sample();
    const runtime::Ending ending = machine->run(options);
    if (*control) (*control)->stop();
    figures.sample();
    if (stats.is_open())
        stats
            << runtime::statistics_report(*machine, figures.speed(), figures.jit(), ending).dump(2)
            << '\n';
    say("backplane: " + ending.why);
    if (arguments.has("trace")) say("backplane: trace: " + arguments.text("trace"));
    if (profile) {
        const ProfileRun::Result result = profile->finish(figures.history());
        say("backplane: " + result.text);
        if (!result.is_done && ending.exit_code == 0)
            return static_cast<int>(ExitCode::InternalError);
    }
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
                   "and --serial, --cdrom and --disk set values of\n"
                   "the devices boot0, ram0, console, cdrom0-image and disk0-image, which the "
                   "shipped machines have.",
    .declare = declare,
    .run = run,
};

}  // namespace backplane::cli
