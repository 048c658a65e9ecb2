#include "cli/command.h"
#include "cli/load_machine.h"
#include "cli/machine_options.h"
#include "cli/run_options.h"
#include "runtime/lockstep.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <memory>

namespace backplane::cli {

namespace {

namespace po = boost::program_options;
using runtime::Override;

void declare(CommandOptions& options) {
    declare_guest_options(options);
    options.visible.add_options()  //
        ("a", po::value<std::vector<std::string>>()->value_name("ENGINE|PATH=VALUE")->composing(),
         "what only the first machine has: an engine for all its CPUs, or any setting "
         "(repeatable)")  //
        ("b", po::value<std::vector<std::string>>()->value_name("ENGINE|PATH=VALUE")->composing(),
         "the same for the second")  //
        ("interval", po::value<std::uint64_t>()->value_name("N")->default_value(1'000'000),
         "instructions between comparisons")  //
        ("limit", po::value<std::uint64_t>()->value_name("N"),
         "instructions after which it is enough")  //
        ("json", "print JSON");
}

// "cpu.interp" stands for the type of every device that is a CPU now.
std::vector<Override> side(const Arguments& arguments, const char* option,
                           const std::vector<std::string>& cpus) {
    std::vector<Override> overrides;
    for (const std::string& what : arguments.list(option)) {
        if (what.find('=') != what.npos) {
            overrides.push_back(Override::assignment(what));
            continue;
        }
        for (const std::string& cpu : cpus)
            overrides.push_back(
                Override::option(fmt::format("--{} {}", option, what), cpu + ".type", what));
    }
    return overrides;
}

int say(const runtime::Diagnostics& diagnostics, bool plugin_failed) {
    fmt::print(stderr, "{}", diagnostics.text());
    return static_cast<int>(plugin_failed ? ExitCode::PluginProblem : ExitCode::BadInput);
}

int run(const Arguments& arguments) {
    auto common = guest_overrides(arguments);
    if (!common) {
        fmt::print(stderr, "{}\n", common.error());
        return static_cast<int>(ExitCode::BadInput);
    }
    if (arguments.get<std::uint64_t>("interval") == 0) {
        fmt::print(stderr, "--interval 0: expected at least 1 instruction\n");
        return static_cast<int>(ExitCode::BadInput);
    }
    common->push_back(Override::option("diff", "machine.clock", "deterministic"));

    // Which devices are CPUs is known only when the file was read.
    runtime::PluginRegistry plugins{runtime::PluginSearchPath::standard(arguments.plugin_path)};
    std::vector<std::string> cpus;
    {
        runtime::Diagnostics diagnostics;
        const auto loaded = load_machine(arguments.text("machine"), *common, plugins, diagnostics);
        if (!loaded.description) return say(diagnostics, loaded.plugin_failed);
        for (const auto& component : loaded.description->components)
            if (runtime::is_cpu(*component.type)) cpus.push_back(component.name);
    }
    const auto maker = [&](const char* option, bool is_loud) {
        auto overrides = *common;
        if (!is_loud || !arguments.has("serial"))
            std::ranges::move(*serial_overrides("none"), std::back_inserter(overrides));
        std::ranges::move(side(arguments, option, cpus), std::back_inserter(overrides));
        return [&, overrides = std::move(overrides)]() -> std::unique_ptr<runtime::Machine> {
            runtime::Diagnostics diagnostics;
            const auto loaded = load_machine(arguments.text("machine"), overrides, plugins,
                                             diagnostics);
            std::unique_ptr<runtime::Machine> machine;
            if (loaded.description)
                machine = runtime::Machine::build(*loaded.description, diagnostics);
            if (!machine) say(diagnostics, loaded.plugin_failed);
            return machine;
        };
    };
    runtime::LockstepOptions options{.interval = arguments.get<std::uint64_t>("interval")};
    if (arguments.has("limit")) options.limit = arguments.get<std::uint64_t>("limit");
    const bool on_terminal = isatty(STDERR_FILENO) != 0;
    options.progress = [on_terminal](std::uint64_t equal) {
        if (on_terminal) fmt::print(stderr, "\r{} million instructions are equal", equal / 1000000);
    };

    runtime::Lockstep lockstep{maker("a", true), maker("b", false), std::move(options)};
    const auto result = lockstep.run();
    if (on_terminal) fmt::print(stderr, "\n");
    if (!result) {
        fmt::print(stderr, "backplane: {}\n", result.error());
        return static_cast<int>(ExitCode::BadInput);
    }
    if (arguments.has("json"))
        print_json(result->json());
    else
        fmt::print("{}", result->text());
    return static_cast<int>(result->equal() ? ExitCode::Ok : ExitCode::Different);
}

}  // namespace

const Command diff_command{
    .name = "diff",
    .arguments = "MACHINE",
    .summary = "run a machine on two engines side by side and find where they differ",
    .description = "Runs the machine twice on a deterministic clock, once with what --a says and "
                   "once with --b, compares\n"
                   "registers, devices and memory, and names the first instruction behind which "
                   "they differ:\n"
                   "  backplane diff machines/linux-serial.yaml --a cpu.interp --b cpu.llvmjit "
                   "--kernel vmlinuz\n"
                   "The serial console of the first machine goes where --serial says; without it, "
                   "and the second's, nowhere.",
    .declare = declare,
    .run = run,
};

}  // namespace backplane::cli
