#include "cli/command.h"
#include "cli/control_client.h"
#include "runtime/nearest_name.h"

#include <fmt/format.h>

#include <algorithm>

namespace backplane::cli {

namespace {

namespace po = boost::program_options;

struct Subject {
    const char* name;
    const char* report;  // of the CPU
};

constexpr Subject subjects[] = {{"dump", "jit-block"}, {"untranslated", "jit-untranslated"}};

void declare(CommandOptions& options) {
    options.visible.add_options()("cpu", po::value<std::string>()->value_name("NAME"),
                                  "whose code, when the machine has several CPUs");
    options.hidden.add_options()("subject", po::value<std::string>()->required());
    options.positional.add("subject", 1);
    declare_control_address(options);
    options.hidden.add_options()("place", po::value<std::string>());
    options.positional.add("place", 1);
}

int run(const Arguments& arguments) {
    const std::string name = arguments.text("subject");
    const auto* subject = std::ranges::find(subjects, name, &Subject::name);
    if (subject == std::end(subjects)) {
        std::vector<std::string> names;
        for (const Subject& each : subjects)
            names.emplace_back(each.name);
        const std::string hint = runtime::did_you_mean(name, names);
        return fail_control(fmt::format("unknown subject '{}'; {}", name,
                                        hint.empty() ? "`backplane help jit` lists them" : hint));
    }
    auto client = connect_control(arguments.text("address"));
    if (!client) return fail_control(client.error());
    const auto reply = ask(*client, "report",
                           {{"report", subject->report},
                            {"argument", arguments.text("place")},
                            {"device", arguments.text("cpu")}});
    if (!reply) return fail_control(reply.error());
    fmt::print("{}", (*reply)["return"].value("text", ""));
    return static_cast<int>(ExitCode::Ok);
}

}  // namespace

const Command jit_command{
    .name = "jit",
    .arguments = "SUBJECT ADDRESS [PC]",
    .summary = "show what a running machine's CPU has compiled",
    .description =
        "ADDRESS is what `run --control` was given. SUBJECT is one of\n"
        "  dump          guest code and the host code made of it, of the blocks at PC: a linear\n"
        "                address (by default the next instruction's), physical:ADDRESS, or\n"
        "                host:ADDRESS in compiled code\n"
        "  untranslated  the instructions that compiled code leaves to the interpreter",
    .declare = declare,
    .run = run,
};

}  // namespace backplane::cli
