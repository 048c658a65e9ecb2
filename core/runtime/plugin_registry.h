// All plugins of this run: finds them, loads them, and knows which device type comes from which. A
// plugin that fails is kept with its reason and disables nothing but itself.
#pragma once

#include "runtime/declaration_copy.h"
#include "runtime/plugin_library.h"
#include "runtime/plugin_search_path.h"
#include "runtime/type_catalog.h"

#include <deque>
#include <expected>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::runtime {

struct LoadedPlugin {
    PluginFile file;
    backplane_plugin_descriptor descriptor;
    std::vector<std::unique_ptr<DeviceTypeCopy>> types;  // in the plugin's order
};

struct FailedPlugin {
    PluginFile file;
    std::string reason;  // lines after the first are indented
};

struct ShadowedPlugin {
    PluginFile file;
    std::filesystem::path by;  // the file of the same name that is used instead
};

class PluginRegistry final : public TypeCatalog {
public:
    explicit PluginRegistry(PluginSearchPath path);

    // By bare name, on the search path: "chipset". Loading again gives the same plugin, or the same
    // error. Errors are whole messages, with path and reason, and may have several lines.
    std::expected<const LoadedPlugin*, std::string> load(std::string_view name);
    // By the path of its file.
    std::expected<const LoadedPlugin*, std::string> load_file(const std::filesystem::path& path);
    // Everything on the search path.
    void load_all();

    const std::deque<LoadedPlugin>& loaded() const { return loaded_; }
    const std::deque<FailedPlugin>& failed() const { return failed_; }
    const std::vector<ShadowedPlugin>& shadowed() const { return shadowed_; }
    const PluginSearchPath& search_path() const { return path_; }

    const Entry* find(std::string_view type) const override;
    std::vector<std::string> names() const override;
    std::string why_missing(std::string_view type) const override;

private:
    using Loaded = std::expected<const LoadedPlugin*, std::string>;
    using Types = std::vector<std::unique_ptr<DeviceTypeCopy>>;

    Loaded load(const PluginFile& file);
    std::expected<LoadedPlugin, std::string> open(const PluginFile& file) const;
    std::string check_unique(const LoadedPlugin& plugin) const;
    std::string not_found(std::string_view name) const;
    void note_shadowed(std::span<const PluginFile> of_one_name);

    PluginSearchPath path_;
    std::deque<LoadedPlugin> loaded_;  // deques: elements stay where they are
    std::deque<FailedPlugin> failed_;
    std::vector<ShadowedPlugin> shadowed_;
    std::map<std::string, Entry, std::less<>> types_;
    mutable std::unique_ptr<PluginRegistry> everything_;  // for why_missing
};

}  // namespace backplane::runtime
