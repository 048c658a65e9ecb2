// What becomes of a profiler's recording: any of several files, by their names.
#pragma once

#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::cli {

struct ProfileSymbols {
    std::string kernel;                // besides what the recording names; empty: none
    std::vector<std::string> user;     // FILE or FILE@OFFSET
    std::vector<std::string> modules;  // that are shown; empty: all
    bool keeps_idle = false;           // in folded stacks and flame graphs
};

enum class ProfileKind { Recording, Firefox, Folded, FlameGraph, Export, Report, Opcodes };

// .data, .json and .json.gz, .folded, .svg and .html; nothing: none of these.
[[nodiscard]] std::optional<ProfileKind> profile_kind_of(const std::filesystem::path& file);

struct ProfileText {
    std::string text;
    std::vector<std::string> warnings;
    std::string error;  // a whole message; then there is no text
};
// `page`: a flame graph within an HTML page.
[[nodiscard]] ProfileText profile_text(const std::filesystem::path& recording, ProfileKind kind,
                                       const ProfileSymbols& symbols, bool page = false);

// Compressed where the file's name ends with .gz. The message names the file.
[[nodiscard]] std::expected<void, std::string> write_profile(const std::filesystem::path& file,
                                                             const std::string& text);

}  // namespace backplane::cli
