#include "bench/cpu_bench.h"
#include "bench/cpu_report.h"
#include "bench/export.h"
#include "cli/bench_settings.h"
#include "cli/command.h"
#include "cli/whole_file.h"
#include "runtime/plugin_registry.h"
#include "version.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <optional>
#include <utility>
#include <vector>

namespace backplane::cli {

namespace {

namespace po = boost::program_options;

constexpr const char* other_suites =
    "\nThe other suites, from a source tree (docs/benchmarks.md):\n"
    "  tools/bench/pf008       these kernels beside QEMU's TCG\n"
    "  tools/bench/programs    35 programs in a guest, in QEMU and on this host\n"
    "  tools/bench/boot        processor time of a boot, beside QEMU's\n"
    "  tools/bench/pc          firmware, boot loaders and boots from disk and CD\n"
    "  tools/bench/micro       event hub, buses, timers, virtqueues and TLB in nanoseconds\n"
    "  tools/bench/history     keep results, and compare them\n"
    "  tools/bench/dashboard   draw what was kept\n"
    "  tools/bench/nightly     all of it, several times\n";

void declare(CommandOptions& options) {
    declare_bench_settings(options);
    options.visible.add_options()("json", po::value<std::string>()->value_name("FILE"),
                                  "write all figures there, as bench-output.schema.json says");
    options.hidden.add_options()("suite", po::value<std::string>());
    options.positional.add("suite", 1);
}

int fail(ExitCode code, const std::string& why) {
    fmt::print(stderr, "backplane: bench: {}\n", why);
    return static_cast<int>(code);
}

int run_cpu(const Arguments& arguments) {
    const auto chosen = bench_settings(arguments);
    if (!chosen) return fail(ExitCode::BadInput, chosen.error());

    std::optional<WholeFile> file;
    if (arguments.has("json")) {
        auto opened = WholeFile::open(arguments.text("json"));
        if (!opened) return fail(ExitCode::BadInput, opened.error());
        file.emplace(std::move(*opened));
    }
    const bench::Export facts{{.version = project_version,
                               .git_sha = source_revision,
                               .mode = build_type,
                               .compiler = compiler}};
    runtime::PluginRegistry plugins{runtime::PluginSearchPath::standard(arguments.plugin_path)};
    std::vector<bench::CpuBenchResult> results;
    fmt::print("{}", bench::cpu_report_heading());
    for (const bench::Kernel& kernel : chosen->kernels)
        for (const bench::EngineMode& mode : chosen->modes) {
            auto result = bench::run_cpu_bench(kernel, mode, chosen->settings, plugins);
            if (!result)
                return fail(result.error().plugin_failed  ? ExitCode::PluginProblem
                            : result.error().is_bad_input ? ExitCode::BadInput
                                                          : ExitCode::InternalError,
                            result.error().what);
            results.push_back(std::move(*result));
            fmt::print("{}", bench::cpu_report_lines(results.back()));
            std::fflush(stdout);
        }
    if (!file) return static_cast<int>(ExitCode::Ok);
    const auto json = facts.json("guest_cpu", bench::cpu_report_json(results, chosen->settings));
    const auto written = file->write(
        json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n');
    return written ? static_cast<int>(ExitCode::Ok)
                   : fail(ExitCode::InternalError, written.error());
}

int run(const Arguments& arguments) {
    const std::string suite = arguments.text("suite");
    if (!suite.empty() && suite != "cpu")
        return fail(ExitCode::BadInput, fmt::format("unknown suite '{}'; cpu was expected", suite));
    const int code = run_cpu(arguments);
    if (suite.empty() && code == static_cast<int>(ExitCode::Ok)) fmt::print("{}", other_suites);
    return code;
}

}  // namespace

const Command bench_command{
    .name = "bench",
    .arguments = "[SUITE]",
    .summary = "measure how fast a guest executes",
    .description =
        "SUITE cpu runs the twelve PF-008 kernels on each engine: the interpreter, compiled code\n"
        "(jit_baseline) and compiled code with LLVM's for hot loops (jit_opt). Each run's checksum "
        "and\n"
        "count of retired instructions are checked. Without SUITE it does so, and tells where the\n"
        "other benchmarks are.",
    .declare = declare,
    .run = run,
};

}  // namespace backplane::cli
