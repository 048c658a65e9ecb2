#include "runtime/plugin_search_path.h"

#include <algorithm>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace backplane::runtime {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view prefix = "lib";
constexpr std::string_view suffix = ".so";

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

// XDG Base Directory Specification: unset, empty and relative values all mean the default.
fs::path user_data_folder() {
    fs::path configured = environment("XDG_DATA_HOME");
    if (configured.is_absolute()) return configured;
    const fs::path home = environment("HOME");
    return home.is_absolute() ? home / ".local/share" : fs::path{};
}

fs::path running_program() {
    std::error_code error;
    return fs::read_symlink("/proc/self/exe", error);
}

std::vector<PluginFile> files_in(const PluginFolder& folder) {
    std::vector<PluginFile> files;
    std::error_code error;  // a folder that is missing or not ours to read offers nothing
    for (fs::directory_iterator it{folder.path, error}, end; !error && it != end;
         it.increment(error)) {
        const std::string file = it->path().filename();
        if (file.size() <= prefix.size() + suffix.size() || !file.starts_with(prefix) ||
            !file.ends_with(suffix))
            continue;
        files.push_back({file.substr(prefix.size(), file.size() - prefix.size() - suffix.size()),
                         it->path(), folder.origin});
    }
    std::ranges::sort(files, {}, &PluginFile::name);
    return files;
}

}  // namespace

PluginSearchPath::PluginSearchPath(std::vector<PluginFolder> folders) {
    for (PluginFolder& folder : folders) {
        std::error_code error;
        if (fs::path absolute = fs::absolute(folder.path, error); !error)
            folder.path = absolute.lexically_normal();
        // "a/b/" and "a/b" are one folder; searching it twice would make each plugin shadow itself.
        if (!folder.path.has_filename()) folder.path = folder.path.parent_path();
        if (std::ranges::find(folders_, folder.path, &PluginFolder::path) == folders_.end())
            folders_.push_back(std::move(folder));
    }
}

PluginSearchPath PluginSearchPath::standard(std::span<const fs::path> from_command_line,
                                            const fs::path& program) {
    std::vector<PluginFolder> folders;
    for (const fs::path& path : from_command_line)
        if (!path.empty()) folders.push_back({path, "--plugin-path"});

    const std::string variable = environment("BACKPLANE_PLUGIN_PATH");
    for (std::size_t start = 0; start <= variable.size();) {
        const std::size_t end = std::min(variable.find(':', start), variable.size());
        if (end != start)
            folders.push_back({variable.substr(start, end - start), "BACKPLANE_PLUGIN_PATH"});
        start = end + 1;
    }

    if (const fs::path data = user_data_folder(); !data.empty())
        folders.push_back({data / "backplane/plugins", "the user's data folder"});

    const fs::path executable = program.empty() ? running_program() : program;
    if (executable.has_parent_path())
        folders.push_back(
            {executable.parent_path().parent_path() / "lib/backplane/plugins", "the installation"});
    return PluginSearchPath{std::move(folders)};
}

std::vector<PluginFile> PluginSearchPath::files() const {
    std::vector<PluginFile> all;
    for (const PluginFolder& folder : folders_) {
        std::vector<PluginFile> files = files_in(folder);
        std::ranges::move(files, std::back_inserter(all));
    }
    return all;
}

std::vector<PluginFile> PluginSearchPath::find(std::string_view name) const {
    std::vector<PluginFile> found;
    for (const PluginFolder& folder : folders_) {
        std::error_code error;
        const fs::path path = folder.path / file_name(name);
        if (fs::exists(fs::symlink_status(path, error)))
            found.push_back({std::string{name}, path, folder.origin});
    }
    return found;
}

std::string PluginSearchPath::file_name(std::string_view name) {
    return std::string{prefix}.append(name).append(suffix);
}

}  // namespace backplane::runtime
