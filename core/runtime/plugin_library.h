// One shared library that proved to be a plugin of an ABI we speak. Once loaded it stays until the
// program ends: objects, threads and callbacks of a plugin can outlive everything that knows of
// them.
#pragma once

#include <backplane/abi.h>

#include <expected>
#include <filesystem>
#include <string>

namespace backplane::runtime {

class PluginLibrary {
public:
    // Loads the library and checks magic, ABI and size of its descriptor, in this order, before
    // anything in it is called. The error is the reason alone; the caller knows the path.
    static std::expected<PluginLibrary, std::string> open(const std::filesystem::path& path);

    const std::filesystem::path& path() const { return path_; }
    // Members that a plugin of an older minor version does not have are zero.
    const backplane_plugin_descriptor& descriptor() const { return descriptor_; }

private:
    PluginLibrary(std::filesystem::path path, const backplane_plugin_descriptor& descriptor)
        : path_{std::move(path)}, descriptor_{descriptor} {}

    std::filesystem::path path_;
    backplane_plugin_descriptor descriptor_;
};

// What the dynamic linker's message means, with C++ names readable. For messages and their tests.
std::string explain_load_error(const std::filesystem::path& path, const std::string& dlerror_text);

}  // namespace backplane::runtime
