// `run --profile FILE`: a profiler in any machine, and what becomes of its recording.
#pragma once

#include "cli/command.h"
#include "profile/recording.h"
#include "runtime/overrides.h"
#include "runtime/plugin_registry.h"

#include <expected>
#include <filesystem>
#include <string>
#include <vector>

namespace backplane::cli {

class ProfileRun {
public:
    // FILE's name says what it becomes (profile_output.h). `opcodes`: p1, p2 or p3, how much is
    // recorded of single instructions; "": as much as samples tell, which is p2.
    static std::expected<ProfileRun, std::string> to(const std::string& file,
                                                     const std::string& opcodes);

    // Of mode p3: what the guest's memory comes to is followed.
    [[nodiscard]] bool follows_memory() const { return opcodes_ == "p3"; }

    // What adds the profiler to this machine, to come before all other settings; nothing if the
    // machine is wrong, which whoever loads it will say. The plugin is loaded.
    [[nodiscard]] std::expected<std::vector<runtime::Override>, std::string>
    overrides(const std::filesystem::path& machine, const std::vector<runtime::Override>& others,
              runtime::PluginRegistry& plugins) const;

    // After the run: adds the statistics to the recording, and makes FILE of it; it stays if that
    // fails. What there is to say; false: it failed.
    struct Result {
        std::string text;
        bool is_done;
    };
    [[nodiscard]] Result finish(const profile::StatisticsHistory& statistics) const;

private:
    std::filesystem::path file_, recording_;
    std::string opcodes_;
};

}  // namespace backplane::cli
