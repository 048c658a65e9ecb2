// What a plugin offers, and the one symbol it exports.
//
//   BACKPLANE_PLUGIN(.id = "com.example.timers", .version = "1.0.0", .devices =
//   backplane::device_types<IntervalTimer>);
#pragma once

#include <backplane/declaration.h>

#include <cstring>

namespace backplane {

using DeviceFactory = const backplane_device_factory* (*)();

// The list of device classes a plugin offers.
template <class... Devices>
const backplane_device_factory* device_types() {
    static const backplane_device_type* const types[] = {Declaration<Devices>::device_type()...};
    static const backplane_device_factory factory{sizeof(backplane_device_factory),
                                                  sizeof...(Devices), types};
    return &factory;
}

struct PluginInfo {
    const char* id;  // reversed domain, unique
    const char* name = id;
    const char* version;  // semantic version
    const char* vendor = "";
    const char* license = "";  // SPDX identifier
    DeviceFactory devices;
};

}  // namespace backplane

#define BACKPLANE_PLUGIN(...)                                                                      \
    namespace {                                                                                    \
    constexpr ::backplane::PluginInfo backplane_plugin_info{__VA_ARGS__};                          \
    const void* backplane_plugin_factory(const char* id) {                                         \
        return std::strcmp(id, BACKPLANE_DEVICE_FACTORY) == 0 ? backplane_plugin_info.devices()    \
                                                              : nullptr;                           \
    }                                                                                              \
    }                                                                                              \
    extern "C" {                                                                                   \
    extern BACKPLANE_EXPORT const backplane_plugin_descriptor backplane_plugin;                    \
    const backplane_plugin_descriptor backplane_plugin{BACKPLANE_MAGIC,                            \
                                                       BACKPLANE_ABI_MAJOR,                        \
                                                       BACKPLANE_ABI_MINOR,                        \
                                                       sizeof(backplane_plugin_descriptor),        \
                                                       0,                                          \
                                                       backplane_plugin_info.id,                   \
                                                       backplane_plugin_info.name,                 \
                                                       backplane_plugin_info.version,              \
                                                       backplane_plugin_info.vendor,               \
                                                       backplane_plugin_info.license,              \
                                                       &backplane_plugin_factory};                 \
    }                                                                                              \
    static_assert(true)
