// Reads a machine file with all it includes and the command line's overrides into one document (the
// first of two steps; machine_check.h is the second, after the plugins that the document names were
// loaded).
#pragma once

#include "runtime/diagnostics.h"
#include "runtime/machine_description.h"
#include "runtime/overrides.h"
#include "runtime/yaml_document.h"

#include <expected>
#include <functional>
#include <string>
#include <vector>

namespace backplane::runtime {

// Gives a file's bytes, or why there are none ("No such file or directory").
using FileReader =
    std::function<std::expected<std::string, std::string>(const std::filesystem::path&)>;
[[nodiscard]] std::expected<std::string, std::string> read_file(const std::filesystem::path& path);

struct RemovedDevice {
    std::string name;
    Place place;
};

// A machine file merged with its includes and overrides; nothing in it was checked against a device
// type yet.
struct MachineDocument {
    std::filesystem::path file;
    YamlMap machine;  // the merged `machine`
    YamlMap devices;  // the merged `devices`: every value is a map
    std::vector<PluginRequest>
        plugins;  // of all files, each once, in the order in which they are named
    std::vector<RemovedDevice> removed;  // by `NAME: null`
    // Set by whoever loads the plugins when one failed: types that are not known may be its, and
    // are not reported.
    bool plugins_missing = false;
    bool complete = false;  // false: a file is missing or unreadable, so checking on would mislead
};

// Errors go to `diagnostics`; what could be read is in the document all the same.
[[nodiscard]] MachineDocument read_machine_file(const std::filesystem::path& file,
                                                const std::vector<Override>& overrides,
                                                Diagnostics& diagnostics,
                                                const FileReader& reader = read_file);

}  // namespace backplane::runtime
