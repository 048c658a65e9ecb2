#include "cli/profile_output.h"

#include "cli/whole_file.h"
#include "profile/firefox_profile.h"
#include "profile/flame_graph.h"
#include "profile/folded_stacks.h"
#include "profile/host_files.h"
#include "profile/opcode_report.h"
#include "profile/profile_export.h"
#include "profile/profile_report.h"
#include "profile/recording_reader.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace backplane::cli {

std::optional<ProfileKind> profile_kind_of(const std::filesystem::path& file) {
    const std::string name = file.filename().string();
    const std::pair<const char*, ProfileKind> kinds[]{
        {".data", ProfileKind::Recording},  {".json", ProfileKind::Firefox},
        {".json.gz", ProfileKind::Firefox}, {".folded", ProfileKind::Folded},
        {".svg", ProfileKind::FlameGraph},  {".html", ProfileKind::FlameGraph}};
    for (const auto& [ending, kind] : kinds)
        if (name.ends_with(ending)) return kind;
    return std::nullopt;
}

namespace {

// Files that only the recording names may be gone by now.
profile::Symbolizer symbolizer_of(const profile::Recording& recording,
                                  const ProfileSymbols& symbols, ProfileText& result) {
    profile::Symbolizer symbolizer;
    const auto add = [&](profile::Space space, const std::string& file, bool is_asked_for) {
        if (file.empty()) return;
        const auto added = symbolizer.add_file(space, file);
        if (added) return;
        if (is_asked_for)
            result.error = added.error();
        else
            result.warnings.push_back(added.error());
    };
    const bool has_kernel = !symbols.kernel.empty();
    add(profile::Space::Kernel, has_kernel ? symbols.kernel : recording.settings.kernel_symbols,
        has_kernel);
    for (const std::string& file : recording.settings.user_symbols)
        add(profile::Space::User, file, false);
    for (const std::string& file : symbols.user)
        add(profile::Space::User, file, true);
    symbolizer.find_kernel_offset(recording);
    return symbolizer;
}

std::string text_of(const profile::Recording& recording, const profile::Symbolizer& symbolizer,
                    ProfileKind kind, const ProfileSymbols& symbols, bool page,
                    const std::string& name) {
    profile::ProfileStacks stacks{recording, symbolizer, symbols.modules};
    const auto folded = [&] {
        return profile::fold(stacks, symbols.keeps_idle ? profile::IdleSamples::Keep
                                                        : profile::IdleSamples::Drop);
    };
    switch (kind) {
    case ProfileKind::Recording: break;
    case ProfileKind::Firefox: return profile::firefox_profile(stacks, name);
    case ProfileKind::Folded: {
        const auto lines = folded();
        return profile::folded_text(stacks, lines);
    }
    case ProfileKind::FlameGraph: {
        const auto all = folded();
        return page ? profile::flame_graph_html(stacks, all, name)
                    : profile::flame_graph_svg(stacks, all, name);
    }
    case ProfileKind::Export: return profile::profile_export(stacks, {}).dump(2) + '\n';
    case ProfileKind::Opcodes: return profile::opcode_report(stacks);
    case ProfileKind::Report: return profile::profile_report(stacks, symbolizer, {});
    }
    return {};
}

}  // namespace

ProfileText profile_text(const std::filesystem::path& file, ProfileKind kind,
                         const ProfileSymbols& symbols, bool page) {
    ProfileText result;
    const auto recording = profile::read_recording(file);
    if (!recording) {
        result.error = recording.error();
        return result;
    }
    if (!recording->is_complete)
        result.warnings.push_back(
            fmt::format("{}: the recording was not ended; what is there is shown", file.string()));
    const profile::Symbolizer symbolizer = symbolizer_of(*recording, symbols, result);
    if (result.error.empty())
        result.text = text_of(*recording, symbolizer, kind, symbols, page,
                              file.stem().stem().string());
    return result;
}

std::expected<void, std::string> write_profile(const std::filesystem::path& file,
                                               const std::string& text) {
    auto output = WholeFile::open(file);
    if (!output) return std::unexpected{output.error()};
    return output->write(file.extension() == ".gz" ? profile::gzip(text) : text);
}

}  // namespace backplane::cli
