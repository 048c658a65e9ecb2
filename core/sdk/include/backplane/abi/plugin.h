/* What a shared library must export to be a Backplane plugin. */
#ifndef BACKPLANE_ABI_PLUGIN_H
#define BACKPLANE_ABI_PLUGIN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "BKPL" in memory order. */
#define BACKPLANE_MAGIC UINT32_C(0x4c504b42)
/* A host accepts plugins of its own major and any minor: what a newer plugin needs it asks for by
 * interface id. */
#define BACKPLANE_ABI_MAJOR 1
#define BACKPLANE_ABI_MINOR 5

typedef struct backplane_plugin_descriptor {
    uint32_t magic;     /* BACKPLANE_MAGIC */
    uint16_t abi_major; /* BACKPLANE_ABI_MAJOR the plugin was compiled against */
    uint16_t abi_minor;
    uint32_t struct_size; /* sizeof(backplane_plugin_descriptor) as compiled */
    uint32_t reserved;    /* 0 */
    const char* id;       /* reversed domain, unique: "org.backplane.chipset" */
    const char* name;     /* for people */
    const char* version;  /* semantic version of the plugin */
    const char* vendor;
    const char* license; /* SPDX identifier */

    /* Gives the factory with this id, or NULL. Called on the loading thread, any number of times.
     */
    const void* (*get_factory)(const char* factory_id);
} backplane_plugin_descriptor;

/* The one exported symbol: `const backplane_plugin_descriptor backplane_plugin`. */
#define BACKPLANE_PLUGIN_SYMBOL "backplane_plugin"

#if defined(__GNUC__)
#define BACKPLANE_EXPORT __attribute__((visibility("default")))
#else
#define BACKPLANE_EXPORT
#endif

struct backplane_device_type;

#define BACKPLANE_DEVICE_FACTORY "backplane.device-factory/1"

/* The device types a plugin offers. */
typedef struct backplane_device_factory {
    uint32_t struct_size;
    uint32_t device_count;
    const struct backplane_device_type* const* devices;
} backplane_device_factory;

#ifdef __cplusplus
}
#endif
#endif
