#include "cli/command.h"
#include "cli/profile_output.h"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <string>
#include <string_view>

namespace backplane::cli {

namespace {

namespace po = boost::program_options;

struct Action {
    const char* name;
    ProfileKind kind;
};
constexpr std::array actions{
    Action{"report", ProfileKind::Report}, Action{"convert", ProfileKind::Firefox},
    Action{"folded", ProfileKind::Folded}, Action{"flame", ProfileKind::FlameGraph},
    Action{"export", ProfileKind::Export}, Action{"opcodes", ProfileKind::Opcodes}};

void declare(CommandOptions& options) {
    options.visible.add_options()  //
        ("output,o", po::value<std::string>()->value_name("FILE"),
         "write there instead of to the terminal; compressed if the name ends with .gz")  //
        ("kernel-symbols", po::value<std::string>()->value_name("FILE"),
         "the guest kernel's System.map, /proc/kallsyms or ELF file")  //
        ("symbols", po::value<std::vector<std::string>>()->value_name("FILE[@OFFSET]")->composing(),
         "an ELF file or a perf map of a program in the guest, perhaps loaded so much further up "
         "(hexadecimal; repeatable)")  //
        ("module", po::value<std::vector<std::string>>()->value_name("NAME")->composing(),
         "show frames of this file of symbols only, or `kernel` (repeatable)")  //
        ("idle", "folded, flame: with the time in which processors had nothing to do");
    options.hidden.add_options()("words", po::value<std::vector<std::string>>());
    options.positional.add("words", -1);
}

int fail(std::string_view text) {
    fmt::print(stderr, "{}\n", text);
    return static_cast<int>(ExitCode::BadInput);
}

int run(const Arguments& arguments) {
    const std::vector<std::string> words = arguments.list("words");
    if (words.size() != 2)
        return fail("expected: backplane profile report|opcodes|convert|folded|flame|export "
                    "RECORDING");
    const Action* action = nullptr;
    for (const Action& each : actions)
        if (words[0] == each.name) action = &each;
    if (action == nullptr)
        return fail(fmt::format("unknown action '{}'; report, opcodes, convert, folded, flame or "
                                "export was expected",
                                words[0]));
    const ProfileSymbols symbols{.kernel = arguments.text("kernel-symbols"),
                                 .user = arguments.list("symbols"),
                                 .modules = arguments.list("module"),
                                 .keeps_idle = arguments.has("idle")};
    const std::string output = arguments.text("output");
    const ProfileText result = profile_text(words[1], action->kind, symbols,
                                            output.ends_with(".html"));
    for (const std::string& warning : result.warnings)
        fmt::print(stderr, "{}\n", warning);
    if (!result.error.empty()) return fail(result.error);
    if (!arguments.has("output")) {
        if (std::fwrite(result.text.data(), 1, result.text.size(), stdout) != result.text.size() ||
            std::fflush(stdout) != 0)
            return fail("cannot write to standard output");
        return 0;
    }
    const auto written = write_profile(output, result.text);
    return written ? 0 : fail(written.error());
}

}  // namespace

const Command profile_command{
    .name = "profile",
    .arguments = "ACTION RECORDING",
    .summary = "show where a guest's time went",
    .description = "Reads what `run --profile FILE.data`, or a device profiler.sampling, has "
                   "recorded; also what a run that was\n"
                   "killed has left. Actions:\n"
                   "  report   where the host's time went, the functions of the guest, and the "
                   "code of those with most samples\n"
                   "  opcodes  which instructions were executed how often, and how much time "
                   "went to them\n"
                   "  convert  to JSON for profiler.firefox.com: -o profile.json.gz\n"
                   "  folded   a line for each stack with its samples, as flame graph programs "
                   "read them\n"
                   "  flame    a flame graph: -o flame.svg or -o flame.html\n"
                   "  export   figures as JSON",
    .declare = declare,
    .run = run,
};

}  // namespace backplane::cli
