/* A PS/2 connector: what a keyboard or a mouse is plugged into. The device provides, the keyboard
 * controller requires. */
#ifndef BACKPLANE_ABI_PS2_H
#define BACKPLANE_ABI_PS2_H

#include <stdint.h>

#define BACKPLANE_PS2 "backplane.ps2/1"

/* Set by the controller, called by the device. */
typedef struct backplane_ps2_host {
    uint32_t struct_size;
    uint32_t reserved;
    /* The device has a byte to send, which it had not before. The controller fetches it with
     * backplane_ps2::read when the clock line is free: at once, or much later. */
    void (*byte_ready)(void* user);
    void* user;
} backplane_ps2_host;

typedef struct backplane_ps2 {
    uint32_t struct_size;
    uint32_t reserved;
    /* One host; a second replaces the first. */
    void (*attach)(void* object, const backplane_ps2_host* host);
    /* The byte that the device sends next, which is thereby sent; -1 when there is none. */
    int32_t (*read)(void* object);
    /* A command or parameter from the host. */
    void (*write)(void* object, uint8_t value);
} backplane_ps2;

#endif
