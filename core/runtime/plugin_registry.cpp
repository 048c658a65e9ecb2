#include "runtime/plugin_registry.h"

#include "runtime/declaration_check.h"
#include "runtime/nearest_name.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <system_error>
#include <utility>

namespace backplane::runtime {

namespace fs = std::filesystem;

namespace {

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string file_message(const fs::path& path, const std::string& reason) {
    return fmt::format("{}: {}", path.string(), reason);
}

// The same file under another name, through a link or "..", is the same plugin.
bool same_file(const fs::path& a, const fs::path& b) {
    std::error_code error;
    return a == b || (fs::equivalent(a, b, error) && !error);
}

std::expected<const backplane_device_factory*, std::string>
device_factory(const backplane_plugin_descriptor& descriptor) {
    const void* factory = nullptr;
    try {
        factory = descriptor.get_factory(BACKPLANE_DEVICE_FACTORY);
    } catch (...) {
        return std::unexpected(
            "its get_factory threw an exception; none may cross the plugin seam");
    }
    if (!factory)
        return std::unexpected(fmt::format("offers no device types: get_factory(\"{}\") gave NULL",
                                           BACKPLANE_DEVICE_FACTORY));
    const auto* devices = static_cast<const backplane_device_factory*>(factory);
    constexpr std::size_t minimum = BACKPLANE_SIZE_WITH(backplane_device_factory, devices);
    if (devices->struct_size < minimum)
        return std::unexpected(
            fmt::format("its device factory is too small: struct_size is {}, ABI {}.0 needs {} "
                        "or more",
                        devices->struct_size, BACKPLANE_ABI_MAJOR, minimum));
    if (devices->device_count == 0)
        return std::unexpected("offers no device types: its factory lists none");
    if (devices->device_count > 4096)
        return std::unexpected(fmt::format(
            "its factory claims {} device types; at most 4096 are allowed", devices->device_count));
    if (!devices->devices)
        return std::unexpected(fmt::format(
            "its factory claims {} device types, but the list is NULL", devices->device_count));
    return devices;
}

// All types, or everything that is wrong with any of them.
std::expected<std::vector<std::unique_ptr<DeviceTypeCopy>>, std::string>
copy_types(const backplane_device_factory& factory) {
    std::vector<std::unique_ptr<DeviceTypeCopy>> types;
    std::vector<std::string> problems;
    for (std::uint32_t i = 0; i < factory.device_count; ++i) {
        const backplane_device_type* source = factory.devices[i];
        if (!source) {
            problems.push_back(fmt::format("device type {} is NULL", i));
            continue;
        }
        auto copy = DeviceTypeCopy::make(source);
        if (!copy) {
            problems.push_back(fmt::format("device type {} {}", i, copy.error()));
            continue;
        }
        const backplane_device_type& type = (*copy)->type();
        const std::string what = type.name && *type.name
                                     ? fmt::format("device type '{}'", type.name)
                                     : fmt::format("device type {}", i);
        for (const std::string& problem : check_device_type(type))
            problems.push_back(fmt::format("{}: {}", what, problem));
        if (type.name && std::ranges::any_of(types, [&](const auto& other) {
                return std::string_view{other->type().name ? other->type().name : ""} == type.name;
            }))
            problems.push_back(what + ": the plugin offers this name twice");
        types.push_back(std::move(*copy));
    }
    if (problems.empty()) return types;
    return std::unexpected(fmt::format("invalid declarations:\n  {}", fmt::join(problems, "\n  ")));
}

}  // namespace

PluginRegistry::PluginRegistry(PluginSearchPath path) : path_{std::move(path)} {}

std::expected<const LoadedPlugin*, std::string> PluginRegistry::load(std::string_view name) {
    const std::vector<PluginFile> files = path_.find(name);
    if (files.empty()) return std::unexpected(not_found(name));
    note_shadowed(files);
    return load(files.front());
}

std::expected<const LoadedPlugin*, std::string> PluginRegistry::load_file(const fs::path& path) {
    std::error_code error;
    const fs::path absolute = fs::absolute(path, error).lexically_normal();
    return load(
        PluginFile{.name = path.filename(), .path = absolute, .origin = "named by its path"});
}

void PluginRegistry::load_all() {
    std::map<std::string, std::vector<PluginFile>> by_name;
    std::vector<std::string> order;
    for (PluginFile& file : path_.files()) {
        std::vector<PluginFile>& files = by_name[file.name];
        if (files.empty()) order.push_back(file.name);
        files.push_back(std::move(file));
    }
    for (const std::string& name : order) {
        note_shadowed(by_name[name]);
        (void)load(by_name[name].front());  // failures are kept
    }
}

std::expected<const LoadedPlugin*, std::string> PluginRegistry::load(const PluginFile& file) {
    for (const LoadedPlugin& plugin : loaded_)
        if (same_file(plugin.file.path, file.path)) return &plugin;
    for (const FailedPlugin& plugin : failed_)
        if (same_file(plugin.file.path, file.path))
            return std::unexpected(file_message(plugin.file.path, plugin.reason));

    auto plugin = open(file);
    if (!plugin) {
        failed_.push_back({file, plugin.error()});
        return std::unexpected(file_message(file.path, plugin.error()));
    }
    const LoadedPlugin& kept = loaded_.emplace_back(std::move(*plugin));
    const std::string origin = fmt::format("{} {} ({})", kept.descriptor.name,
                                           kept.descriptor.version, file.path.string());
    for (const auto& type : kept.types)
        types_[type->type().name] = Entry{&type->type(), origin};
    return &kept;
}

std::expected<LoadedPlugin, std::string> PluginRegistry::open(const PluginFile& file) const {
    auto library = PluginLibrary::open(file.path);
    if (!library) {
        std::string reason = library.error();
        if (reason == "no such file") {
            std::vector<std::string> neighbours;
            std::error_code error;
            for (fs::directory_iterator it{file.path.parent_path(), error}, end;
                 !error && it != end; it.increment(error))
                neighbours.push_back(it->path().filename());
            if (const std::string hint = did_you_mean(file.path.filename().string(), neighbours);
                !hint.empty())
                reason += "; " + hint;
        }
        return std::unexpected(reason);
    }
    auto factory = device_factory(library->descriptor());
    if (!factory) return std::unexpected(factory.error());
    auto types = copy_types(**factory);
    if (!types) return std::unexpected(types.error());
    LoadedPlugin plugin{file, library->descriptor(), std::move(*types)};
    if (std::string problem = check_unique(plugin); !problem.empty())
        return std::unexpected(problem);
    return plugin;
}

// First come, first served: what a machine file names first keeps its names.
std::string PluginRegistry::check_unique(const LoadedPlugin& plugin) const {
    for (const LoadedPlugin& other : loaded_)
        if (std::string_view{other.descriptor.id} == plugin.descriptor.id)
            return fmt::format("its id '{}' is already taken by {}", plugin.descriptor.id,
                               other.file.path.string());
    std::vector<std::string> taken;
    for (const auto& type : plugin.types)
        if (const Entry* other = find(type->type().name))
            taken.push_back(fmt::format("device type '{}' is already offered by {}",
                                        type->type().name, other->origin));
    return fmt::format("{}", fmt::join(taken, "\n  "));
}

std::string PluginRegistry::not_found(std::string_view name) const {
    std::string text = fmt::format("plugin '{}' not found: no {} in", name,
                                   PluginSearchPath::file_name(name));
    if (path_.folders().empty()) text += " any folder, as none is searched";
    for (const PluginFolder& folder : path_.folders()) {
        std::error_code error;
        const bool exists = fs::is_directory(folder.path, error);
        text += fmt::format("\n  {} ({}{})", folder.path.string(), folder.origin,
                            exists ? "" : "; there is no such folder");
    }
    if (name.ends_with(".so"))
        return text + fmt::format("\nto name a file, write a path: './{}'", name);
    std::vector<std::string> names;
    for (const PluginFile& file : path_.files())
        names.push_back(file.name);
    if (const std::string hint = did_you_mean(name, names); !hint.empty()) text += "\n" + hint;
    return text;
}

void PluginRegistry::note_shadowed(std::span<const PluginFile> of_one_name) {
    for (const PluginFile& file : of_one_name.subspan(1)) {
        const bool noted = std::ranges::any_of(shadowed_, [&](const ShadowedPlugin& shadowed) {
            return shadowed.file.path == file.path;
        });
        if (!noted) shadowed_.push_back({file, of_one_name.front().path});
    }
}

const TypeCatalog::Entry* PluginRegistry::find(std::string_view type) const {
    const auto it = types_.find(type);
    return it == types_.end() ? nullptr : &it->second;
}

std::vector<std::string> PluginRegistry::names() const {
    std::vector<std::string> names;
    for (const auto& [name, entry] : types_)
        names.push_back(name);
    return names;
}

std::string PluginRegistry::why_missing(std::string_view type) const {
    if (!everything_) {
        everything_ = std::make_unique<PluginRegistry>(path_);
        everything_->load_all();
    }
    for (const LoadedPlugin& plugin : everything_->loaded_)
        for (const auto& offered : plugin.types)
            if (type == offered->type().name)
                return fmt::format("plugin '{}' offers it, but `plugins` does not name it",
                                   plugin.file.name);
    // "storage.ide" is most likely what plugin "storage" would have offered.
    const std::string_view family = type.substr(0, type.find('.'));
    const auto failed_family = [family](const FailedPlugin& plugin) {
        return plugin.file.name == family;
    };
    for (const PluginRegistry* registry :
         {this, static_cast<const PluginRegistry*>(everything_.get())})
        if (const auto it = std::ranges::find_if(registry->failed_, failed_family);
            it != registry->failed_.end())
            return fmt::format("plugin '{}' failed: {}", it->file.name, first_line(it->reason));
    return {};
}

}  // namespace backplane::runtime
