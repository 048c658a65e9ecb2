#include "cli/profile_run.h"

#include "cli/load_machine.h"
#include "cli/profile_output.h"
#include "profile/statistics_history.h"

#include <backplane/abi/cpu_profile.h>

#include <fmt/format.h>

#include <cstring>
#include <span>

namespace backplane::cli {

namespace {

bool can_be_profiled(const runtime::ComponentDescription& component) {
    for (const backplane_port& port : std::span{component.type->ports, component.type->port_count})
        if (port.role == BACKPLANE_PROVIDES &&
            std::strcmp(port.interface_id, BACKPLANE_CPU_PROFILE) == 0)
            return true;
    return false;
}

}  // namespace

std::expected<ProfileRun, std::string> ProfileRun::to(const std::string& file,
                                                      const std::string& opcodes) {
    const auto kind = profile_kind_of(file);
    if (!kind)
        return std::unexpected{
            fmt::format("--profile {}: a name that ends with .json.gz or .json (for "
                        "profiler.firefox.com), .svg or .html (a flame graph), .folded or .data (a "
                        "recording for `backplane profile`) was expected",
                        file)};
    if (!opcodes.empty() && opcodes != "p1" && opcodes != "p2" && opcodes != "p3")
        return std::unexpected{fmt::format("--opcodes {}: p1, p2 or p3 was expected", opcodes)};
    ProfileRun run;
    run.opcodes_ = opcodes;
    run.file_ = std::filesystem::absolute(file);
    run.recording_ = run.file_;
    if (*kind != ProfileKind::Recording) run.recording_ += ".data";
    return run;
}

std::expected<std::vector<runtime::Override>, std::string>
ProfileRun::overrides(const std::filesystem::path& machine,
                      const std::vector<runtime::Override>& others,
                      runtime::PluginRegistry& plugins) const {
    using runtime::Override;
    runtime::Diagnostics ignored;
    // Settings of the profiler's are for a device that is not there yet.
    std::vector<Override> of_machine = others;
    std::erase_if(of_machine,
                  [](const Override& each) { return each.path.starts_with("profiler."); });
    const auto loaded = load_machine(machine, of_machine, plugins, ignored);
    if (!loaded.description) return std::vector<Override>{};
    std::string cpus;
    for (const runtime::ComponentDescription& component : loaded.description->components)
        if (can_be_profiled(component)) cpus += (cpus.empty() ? "" : ", ") + component.name;
    if (cpus.empty())
        return std::unexpected{"--profile: this machine has no processor that can be profiled"};
    if (const auto plugin = plugins.load("profiler"); !plugin)
        return std::unexpected{"--profile: " + plugin.error()};
    const std::string spelled = "--profile " + file_.string();
    std::vector added{Override::option(spelled, "profiler.type", "profiler.sampling"),
                      Override::option(spelled, "profiler.file", recording_.string()),
                      Override::assignment("profiler.cpus=[" + cpus + "]")};
    if (opcodes_ == "p1" || opcodes_ == "p3")
        added.push_back(Override::assignment("profiler.count-blocks=true"));
    // As rarely as can be: only so that counters are taken now and then.
    if (opcodes_ == "p1") added.push_back(Override::assignment("profiler.frequency=1 Hz"));
    return added;
}

ProfileRun::Result ProfileRun::finish(const profile::StatisticsHistory& statistics) const {
    const auto kind = *profile_kind_of(file_);
    std::string text;
    if (const auto added = profile::append_statistics(recording_, statistics); !added)
        text += fmt::format("profile: {}\nbackplane: ", added.error());
    if (kind == ProfileKind::Recording)
        return {fmt::format("{}profile: {}", text, file_.string()), true};
    const ProfileText result = profile_text(recording_, kind, {}, file_.extension() == ".html");
    for (const std::string& warning : result.warnings)
        text += fmt::format("profile: {}\nbackplane: ", warning);
    std::string error = result.error;
    if (error.empty())
        if (const auto written = write_profile(file_, result.text); !written)
            error = written.error();
    if (!error.empty())
        return {fmt::format("{}profile: {}; the recording is {}", text, error, recording_.string()),
                false};
    std::error_code ignored;
    std::filesystem::remove(recording_, ignored);
    return {text + "profile: " + file_.string(), true};
}

}  // namespace backplane::cli
