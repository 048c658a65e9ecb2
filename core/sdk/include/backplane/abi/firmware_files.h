/* Named files for the firmware of a guest: tables, option ROMs, settings. Whoever has some
 * provides; the device that firmware asks, such as fw_cfg, collects them. */
#ifndef BACKPLANE_ABI_FIRMWARE_FILES_H
#define BACKPLANE_ABI_FIRMWARE_FILES_H

#include <stdint.h>

#define BACKPLANE_FIRMWARE_FILES "backplane.firmware-files/1"

typedef struct backplane_firmware_file {
    uint32_t struct_size;
    uint32_t writable;   /* 1: firmware may write into it */
    const char* name;    /* at most 55 bytes: "etc/e820", "genroms/x.bin", "opt/com.example/y" */
    const uint8_t* data; /* may be NULL when size is 0 */
    uint64_t size;       /* below 4 GiB */
} backplane_firmware_file;

typedef struct backplane_firmware_files {
    uint32_t struct_size;
    uint32_t reserved;
    /* Number and names of files are settled when the component has started, and their sizes when it
     * was reset for the first time. */
    uint32_t (*count)(void* object);
    /* Fills in file `index`. `data` is valid until the next call of opened or the next reset, and
     * shows what write has changed. */
    void (*describe)(void* object, uint32_t index, backplane_firmware_file* file);
    /* Firmware is about to read or write the file from its start: the moment to make contents that
     * depend on how firmware has left the machine. May be NULL. */
    void (*opened)(void* object, uint32_t index);
    /* Firmware writes into a writable file, within its size. NULL when none is writable. */
    void (*write)(void* object, uint32_t index, uint64_t offset, const uint8_t* data,
                  uint64_t length);
} backplane_firmware_files;

#endif
