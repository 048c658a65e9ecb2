/* A range of registers or memory that a device offers and the machine file maps into an address
 * space. */
#ifndef BACKPLANE_ABI_WINDOW_H
#define BACKPLANE_ABI_WINDOW_H

#include <stdint.h>

#define BACKPLANE_MEMORY_WINDOW "backplane.memory-window/1" /* mapped as `memory@ADDRESS` */
#define BACKPLANE_PORT_WINDOW "backplane.port-window/1"     /* mapped as `io@PORT` */

/* How the host may reach a window without calling it. */
#define BACKPLANE_WINDOW_READ_DIRECT 1u /* `memory` may be read */
#define BACKPLANE_WINDOW_WRITE_DIRECT                                                              \
    2u /* `memory` may be written: RAM. Without it writes call `write` (ROM ignores) */

typedef struct backplane_window {
    uint32_t struct_size;
    uint32_t flags;
    /* Host memory of the window's whole size, or NULL. */
    uint8_t* memory;
    /* offset + size never exceeds the window; size is 1, 2, 4 or 8; larger or misaligned accesses
     * that cross what `access_sizes` allows are split by the host, little end first. */
    uint64_t (*read)(void* object, uint64_t offset, uint32_t size);
    void (*write)(void* object, uint64_t offset, uint32_t size, uint64_t value);
    uint32_t access_sizes; /* OR of 1, 2, 4, 8; 0 = all */
    uint32_t reserved;

    /* Since ABI 1.2. */
    uint64_t size; /* bytes, for components that require somebody's window; 0 = not said */
    /* For registers that are the end of a queue: what up to `count` accesses of `size` bytes to
     * this offset, one after another, would give or take, in one call. Either may be NULL, and does
     * as many of them as it can at once; 0 asks for single accesses. No access but the last may
     * have another effect than to move data. */
    uint32_t (*read_many)(void* object, uint64_t offset, uint32_t size, void* data, uint32_t count);
    uint32_t (*write_many)(void* object, uint64_t offset, uint32_t size, const void* data,
                           uint32_t count);
} backplane_window;

#endif
