#include "cli/bench_settings.h"

#include "runtime/nearest_name.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <span>

namespace backplane::cli {

namespace {

namespace po = boost::program_options;

constexpr double longest_seconds = 3600;
// What 32-bit code counts up to.
constexpr std::uint64_t most_iterations = 0xffffffff;
constexpr unsigned most_warmup_runs = 1'000'000;

// Those of `all` that a list of names, with commas between them, has; all for no list.
template <class Item>
std::expected<std::vector<Item>, std::string> choose(const Arguments& arguments, const char* option,
                                                     std::span<const Item> all) {
    std::vector<Item> chosen{all.begin(), all.end()};
    if (!arguments.has(option)) return chosen;
    std::vector<std::string> names;
    for (const Item& item : all)
        names.emplace_back(item.name);
    std::vector<std::string> wanted;
    for (std::string rest = arguments.text(option) + ","; !rest.empty();) {
        const auto comma = rest.find(',');
        wanted.push_back(rest.substr(0, comma));
        rest.erase(0, comma + 1);
        if (std::ranges::find(names, wanted.back()) != names.end()) continue;
        const std::string hint = runtime::did_you_mean(wanted.back(), names);
        return std::unexpected{
            fmt::format("--{}: there is no '{}'; {}", option, wanted.back(),
                        hint.empty() ? fmt::format("there are {}", fmt::join(names, ", ")) : hint)};
    }
    std::erase_if(chosen, [&](const Item& item) {
        return std::ranges::find(wanted, item.name) == wanted.end();
    });
    return chosen;
}

}  // namespace

void declare_bench_settings(CommandOptions& options) {
    options.visible.add_options()  //
        ("seconds", po::value<double>()->value_name("TIME"),
         "repeat runs of 10000 iterations for so long, for each kernel and mode (1)")  //
        ("iters", po::value<std::uint64_t>()->value_name("NUMBER"),
         "instead: measure one run of so many iterations")  //
        ("warmup", po::value<unsigned>()->value_name("RUNS"),
         "runs before those that are measured (3); unless 0, engines that compile get more, until "
         "nothing new is compiled")  //
        ("variants", po::value<std::string>()->value_name("NAME,..."),
         "only these kernels: alu64, mem_seq32, ...")  //
        ("modes", po::value<std::string>()->value_name("NAME,..."),
         "only these ways: interpreter, jit_baseline, jit_opt")  //
        ("property,p", po::value<std::vector<std::string>>()->value_name("PATH=VALUE")->composing(),
         "set a value of the kernels' machine, such as cpu0.model (repeatable)");
}

std::expected<BenchSettings, std::string> bench_settings(const Arguments& arguments) {
    const auto kernels = choose(arguments, "variants", bench::kernels());
    if (!kernels) return std::unexpected{kernels.error()};
    const auto modes = choose(arguments, "modes", bench::engine_modes());
    if (!modes) return std::unexpected{modes.error()};
    BenchSettings chosen{.kernels = *kernels, .modes = *modes, .settings = {}};

    if (arguments.has("seconds") && arguments.has("iters"))
        return std::unexpected{std::string{"--seconds and --iters exclude each other"}};
    if (arguments.has("seconds")) {
        const double seconds = arguments.get<double>("seconds");
        if (!(seconds > 0 && seconds <= longest_seconds))
            return std::unexpected{fmt::format(
                "--seconds {}: more than 0 and up to {} were expected", seconds, longest_seconds)};
        chosen.settings.time = std::chrono::duration<double>{seconds};
    }
    if (arguments.has("iters")) {
        const auto iterations = arguments.get<std::uint64_t>("iters");
        if (iterations == 0 || iterations > most_iterations)
            return std::unexpected{
                fmt::format("--iters {}: 1 to {} were expected", iterations, most_iterations)};
        chosen.settings.single_run = iterations;
    }
    if (arguments.has("warmup")) {
        chosen.settings.warmup_runs = arguments.get<unsigned>("warmup");
        if (chosen.settings.warmup_runs > most_warmup_runs)
            return std::unexpected{fmt::format("--warmup {}: 0 to {} were expected",
                                               chosen.settings.warmup_runs, most_warmup_runs)};
    }
    for (const std::string& assignment : arguments.list("property"))
        chosen.settings.overrides.push_back(runtime::Override::assignment(assignment));
    return chosen;
}

}  // namespace backplane::cli
