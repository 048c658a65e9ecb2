// The folders in which a plugin named by a bare name is looked for, first match wins.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::runtime {

struct PluginFolder {
    std::filesystem::path path;
    std::string origin;  // why it is searched, for messages: "--plugin-path"
};

// A plugin file found in a folder of the path.
struct PluginFile {
    std::string name;  // "chipset" for libchipset.so
    std::filesystem::path path;
    std::string origin;
};

class PluginSearchPath {
public:
    explicit PluginSearchPath(std::vector<PluginFolder> folders);

    // The command line's folders, then $BACKPLANE_PLUGIN_PATH, the user's data folder and the
    // installation that `program` (by default the running one) is part of.
    static PluginSearchPath standard(std::span<const std::filesystem::path> from_command_line,
                                     const std::filesystem::path& program = {});

    const std::vector<PluginFolder>& folders() const { return folders_; }

    // Every libNAME.so on the path, in search order and by name within a folder. Files of equal
    // name Every libNAME.so on the path, in search order and by name within a folder. Of files with
    // one name the first is used; the later ones are shadowed.
    std::vector<PluginFile> files() const;
    // Those called libNAME.so, in search order.
    std::vector<PluginFile> find(std::string_view name) const;

    static std::string file_name(std::string_view name);

private:
    std::vector<PluginFolder> folders_;
};

}  // namespace backplane::runtime
