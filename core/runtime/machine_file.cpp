#include "runtime/machine_file.h"

#include "runtime/host_path.h"
#include "runtime/machine_merge.h"
#include "runtime/nearest_name.h"
#include "runtime/override_document.h"
#include "runtime/printable_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>

namespace backplane::runtime {

namespace {

constexpr std::size_t largest_file = 1 << 20;
// Below a device: its keys, and the maps some of them have (a window's parts, a port's elements).
constexpr unsigned device_depth = 3;
const std::array<std::string, 4> top_level_keys{"include", "machine", "plugins", "devices"};

bool is_bare_name(std::string_view text) {
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    };
    return !text.empty() && std::ranges::all_of(text, fits);
}

bool is_device_name(std::string_view text) {
    return is_bare_name(text) && text[0] >= 'a' && text[0] <= 'z' && !text.contains('_');
}

bool is_top_level_key(std::string_view key) {
    return std::ranges::find(top_level_keys, key) != top_level_keys.end();
}

bool is_reserved(std::string_view name) {
    return name == memory_space || name == io_space || is_top_level_key(name);
}

class MachineReader {
public:
    MachineReader(MachineDocument& document, Diagnostics& diagnostics, const FileReader& reader)
        : document_{document}, diagnostics_{diagnostics}, reader_{reader} {}

    // `shown` is how messages call it.
    void read(const std::filesystem::path& shown, const std::filesystem::path& file,
              const Place& said_at);
    void merge(const YamlNode& root);

private:
    // A file that is being read, and where the one before it includes it.
    struct Opened {
        std::filesystem::path file;
        std::string shown;
        Place said_at;
    };

    void report_unreadable(const std::string& shown, const Place& said_at, const std::string& why);
    bool is_cycle(const std::filesystem::path& file, const std::string& shown,
                  const Place& said_at);
    void include_all(const YamlNode& node, const Source& source);
    void include_one(const YamlNode& node, const Source& source);
    void check_top_level(const YamlMap& root);
    void add_plugins(const YamlNode& node);
    void add_plugin(const YamlNode& node);
    void merge_machine(const YamlNode& node);
    void merge_devices(const YamlNode& node);
    void merge_device(const YamlEntry& entry);
    void remove_device(const YamlEntry& entry);

    MachineDocument& document_;
    Diagnostics& diagnostics_;
    const FileReader& reader_;
    std::vector<Opened> opened_;
    std::set<std::filesystem::path> included_;
    std::uint32_t layer_ = 0;
};

void MachineReader::report_unreadable(const std::string& shown, const Place& said_at,
                                      const std::string& why) {
    diagnostics_.error(said_at, fmt::format("cannot read {}: {}", in_quotes(shown), why));
    document_.complete = false;
}

bool MachineReader::is_cycle(const std::filesystem::path& file, const std::string& shown,
                             const Place& said_at) {
    const auto first = std::ranges::find(opened_, file, &Opened::file);
    if (first == opened_.end()) return false;
    Diagnostic& error = diagnostics_.error(said_at,
                                           fmt::format("{} includes itself", in_quotes(shown)));
    for (auto next = first + 1; next != opened_.end(); ++next)
        error.notes.push_back({next->said_at, fmt::format("by way of {}", in_quotes(next->shown))});
    document_.complete = false;
    return true;
}

void MachineReader::read(const std::filesystem::path& shown, const std::filesystem::path& file,
                         const Place& said_at) {
    std::error_code failure;
    auto identity = std::filesystem::weakly_canonical(file, failure);
    if (failure) identity = file;
    if (is_cycle(identity, shown.string(), said_at)) return;
    // A file that several others include counts once, where it comes first; a second time would
    // undo what others said.
    if (!included_.insert(identity).second) return;
    auto text = reader_(file);
    if (!text) return report_unreadable(shown.string(), said_at, text.error());
    if (text->size() > largest_file)
        return report_unreadable(shown.string(), said_at, "it is larger than 1 MiB");
    if (text->starts_with("\xef\xbb\xbf")) text->erase(0, 3);

    auto source = std::make_shared<Source>();
    source->name = shown.string();
    source->text = std::move(*text);
    source->directory = file.parent_path();
    const YamlPointer root = parse_yaml(source, diagnostics_);
    if (root == nullptr) {
        document_.complete = false;
        return;
    }
    if (root->is_map()) {
        opened_.push_back({identity, shown.string(), said_at});
        if (const YamlEntry* include = root->map.find("include"))
            include_all(*include->value, *source);
        opened_.pop_back();
    }
    merge(*root);
}

void MachineReader::include_all(const YamlNode& node, const Source& source) {
    if (!node.is_list()) return include_one(node, source);
    for (const YamlPointer& item : node.items)
        include_one(*item, source);
}

void MachineReader::include_one(const YamlNode& node, const Source& source) {
    if (!node.is_scalar() || node.scalar.empty() || node.scalar.contains('\0')) {
        diagnostics_.error(node.place,
                           "include: expected the path of a machine file, or a list of them");
        document_.complete = false;
        return;
    }
    const std::filesystem::path file = host_path(node.scalar, source);
    const std::filesystem::path written{node.scalar};
    const bool is_relative = written.is_relative() && !node.scalar.starts_with("~/");
    const auto shown = is_relative ? std::filesystem::path{source.name}.parent_path() / written
                                   : file;
    read(shown.lexically_normal(), file, node.place);
}

void MachineReader::merge(const YamlNode& root) {
    ++layer_;
    if (root.is_null()) return;
    if (!root.is_map()) {
        diagnostics_.error(root.place,
                           fmt::format("a machine file is a map, and this is {}", root.kind_text()),
                           "expected `machine:`, `plugins:` and `devices:`");
        document_.complete = false;
        return;
    }
    check_top_level(root.map);
    if (const YamlEntry* plugins = root.map.find("plugins")) add_plugins(*plugins->value);
    if (const YamlEntry* machine = root.map.find("machine")) merge_machine(*machine->value);
    if (const YamlEntry* devices = root.map.find("devices")) merge_devices(*devices->value);
}

void MachineReader::check_top_level(const YamlMap& root) {
    for (const YamlEntry& entry : root.entries) {
        if (entry.key.starts_with("x-") || is_top_level_key(entry.key)) continue;
        std::string hint = did_you_mean(entry.key, top_level_keys);
        if (hint.empty())
            hint = "expected include, machine, plugins, devices or a key that starts with x-";
        diagnostics_.error(entry.key_place, "unknown key " + in_quotes(entry.key), std::move(hint));
    }
}

void MachineReader::add_plugins(const YamlNode& node) {
    if (node.is_null()) return;
    if (!node.is_list()) return add_plugin(node);
    for (const YamlPointer& item : node.items)
        add_plugin(*item);
}

void MachineReader::add_plugin(const YamlNode& node) {
    const std::string& text = node.scalar;
    const bool is_path = text.contains('/') && !text.contains('\0');
    if (!node.is_scalar() || (!is_path && !is_bare_name(text))) {
        const bool is_file = node.is_scalar() && text.contains(".so");
        diagnostics_.error(
            node.place,
            node.is_scalar() ? fmt::format("plugins: {} is not a plugin", in_quotes(text))
                             : fmt::format("plugins: a plugin cannot be {}", node.kind_text()),
            is_file ? "a path needs a '/': ./" + text
                    : "expected a name such as chipset, or a path such as ./libexample.so");
        return;
    }
    PluginRequest request{.name = is_path ? std::string{} : text, .path = {}, .place = node.place};
    if (is_path) request.path = host_path(text, *node.place.source);
    const bool is_known = std::ranges::any_of(document_.plugins, [&](const PluginRequest& other) {
        return other.name == request.name && other.path == request.path;
    });
    if (!is_known) document_.plugins.push_back(std::move(request));
}

void MachineReader::merge_machine(const YamlNode& node) {
    if (node.is_null()) return;
    if (!node.is_map()) {
        diagnostics_.error(
            node.place, fmt::format("machine: expected a map, and this is {}", node.kind_text()));
        return;
    }
    merge_map(document_.machine, node.map, layer_, 0);
}

void MachineReader::merge_devices(const YamlNode& node) {
    if (node.is_null()) return;
    if (!node.is_map()) {
        diagnostics_.error(node.place,
                           fmt::format("devices: expected a map, and this is {}", node.kind_text()),
                           "expected NAME: {type: FAMILY.CHIP, …}");
        document_.complete = false;
        return;
    }
    for (const YamlEntry& entry : node.map.entries)
        merge_device(entry);
}

void MachineReader::merge_device(const YamlEntry& entry) {
    const std::string& name = entry.key;
    if (!is_device_name(name)) {
        diagnostics_.error(entry.key_place, in_quotes(name) + " is not a device name",
                           "expected a letter, then letters, digits and '-', all in lower case");
        return;
    }
    if (is_reserved(name)) {
        diagnostics_.error(entry.key_place, "a device cannot be called " + in_quotes(name),
                           "the machine itself uses this name");
        return;
    }
    if (entry.value->is_written_null()) return remove_device(entry);
    if (!entry.value->is_map()) {
        diagnostics_.error(
            entry.value->place,
            fmt::format("{}: expected a map, and this is {}", name, entry.value->kind_text()),
            "expected {type: FAMILY.CHIP, …}, or null to remove the device");
        return;
    }
    YamlEntry* known = document_.devices.find(name);
    if (known == nullptr) {
        known = &document_.devices.entries.emplace_back(entry);
        known->value = std::make_shared<YamlNode>();
    }
    auto node = std::make_shared<YamlNode>(*known->value);
    node->kind = YamlNode::Kind::Map;
    node->place = entry.value->place;
    merge_map(node->map, entry.value->map, layer_, device_depth);
    known->value = std::move(node);
    known->layer = layer_;
}

void MachineReader::remove_device(const YamlEntry& entry) {
    std::vector<YamlEntry>& devices = document_.devices.entries;
    const auto known = std::ranges::find(devices, entry.key, &YamlEntry::key);
    if (known != devices.end()) {
        devices.erase(known);
        document_.removed.push_back({entry.key, entry.key_place});
        return;
    }
    if (!document_.complete) return;  // a file that could not be read may have brought it
    std::vector<std::string> names;
    for (const YamlEntry& device : devices)
        names.push_back(device.key);
    diagnostics_.error(entry.key_place,
                       fmt::format("there is no device {} to remove", in_quotes(entry.key)),
                       did_you_mean(entry.key, names));
}

}  // namespace

std::expected<std::string, std::string> read_file(const std::filesystem::path& path) {
    std::error_code failure;
    if (std::filesystem::is_directory(path, failure)) return std::unexpected{std::strerror(EISDIR)};
    errno = 0;
    std::ifstream stream{path, std::ios::binary};
    if (!stream) return std::unexpected{std::strerror(errno != 0 ? errno : EIO)};
    // One byte more than is allowed tells that a file is too large, also one without an end such as
    // /dev/zero.
    std::string text(largest_file + 1, '\0');
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (stream.bad()) return std::unexpected{std::strerror(errno != 0 ? errno : EIO)};
    text.resize(static_cast<std::size_t>(stream.gcount()));
    return text;
}

MachineDocument read_machine_file(const std::filesystem::path& file,
                                  const std::vector<Override>& overrides, Diagnostics& diagnostics,
                                  const FileReader& reader) {
    MachineDocument document;
    document.file = file;
    document.complete = true;
    MachineReader machine{document, diagnostics, reader};
    std::error_code ignored;
    machine.read(file, std::filesystem::absolute(file, ignored).lexically_normal(), {});
    for (const Override& setting : overrides)
        if (const YamlPointer root = override_document(setting, diagnostics)) machine.merge(*root);
    return document;
}

}  // namespace backplane::runtime
