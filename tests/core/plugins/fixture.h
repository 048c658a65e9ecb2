// A plugin with one flawless device type. Each fixture beside this file spoils one thing of it.
#pragma once

#include <backplane/abi.h>

#include <cstdint>
#include <cstring>

namespace fixture {

inline int instance;

constexpr backplane_device_type device_type(const char* name) {
    backplane_device_type type{};
    type.struct_size = sizeof type;
    type.name = name;
    type.summary = "Does nothing";
    type.create = [](const backplane_host*, const backplane_value*, void** device) {
        *device = &instance;
        return backplane_status{BACKPLANE_OK};
    };
    type.destroy = [](void*) {};
    type.reset = [](void*, std::uint32_t) {};
    return type;
}

// Offers the listed types: `return fixture::factory<&first, &second>(id);`
template <const backplane_device_type*... types> const void* factory(const char* id) {
    static constexpr const backplane_device_type* list[] = {types...};
    static constexpr backplane_device_factory devices{sizeof devices, sizeof...(types), list};
    return std::strcmp(id, BACKPLANE_DEVICE_FACTORY) == 0 ? &devices : nullptr;
}

inline constexpr backplane_device_type nothing = device_type("fixture.nothing");

constexpr backplane_plugin_descriptor
descriptor(const char* id, const void* (*get_factory)(const char*) = factory<&nothing>) {
    return {.magic = BACKPLANE_MAGIC,
            .abi_major = BACKPLANE_ABI_MAJOR,
            .abi_minor = BACKPLANE_ABI_MINOR,
            .struct_size = sizeof(backplane_plugin_descriptor),
            .reserved = 0,
            .id = id,
            .name = "Fixture",
            .version = "1.2.3",
            .vendor = "Backplane",
            .license = "Apache-2.0",
            .get_factory = get_factory};
}

// A flawless descriptor after `spoil(descriptor)`.
template <class Spoil> constexpr backplane_plugin_descriptor spoiled(const char* id, Spoil spoil) {
    backplane_plugin_descriptor result = descriptor(id);
    spoil(result);
    return result;
}

}  // namespace fixture

// Defines the one exported symbol.
#define FIXTURE_PLUGIN                                                                             \
    extern "C" BACKPLANE_EXPORT const backplane_plugin_descriptor backplane_plugin
