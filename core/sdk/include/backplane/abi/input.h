/* Keys and pointers: what a user does, on its way to a keyboard, mouse or tablet of the guest. The
 * device provides port `input`; windows, control sockets and tests send. */
#ifndef BACKPLANE_ABI_INPUT_H
#define BACKPLANE_ABI_INPUT_H

#include "backplane/abi/input_codes.h"

#include <stdint.h>

#define BACKPLANE_INPUT "backplane.input/1"

/* Event types, as evdev numbers them. */
typedef enum backplane_input_type {
    BACKPLANE_INPUT_KEY = 1,      /* backplane_key, backplane_button; 1 pressed, 0 released */
    BACKPLANE_INPUT_RELATIVE = 2, /* backplane_relative_axis; how far */
    BACKPLANE_INPUT_ABSOLUTE = 3  /* backplane_absolute_axis; where */
} backplane_input_type;

#define BACKPLANE_INPUT_ABSOLUTE_MAXIMUM 0x7fff

typedef struct backplane_input_event {
    uint16_t type; /* backplane_input_type */
    uint16_t code;
    int32_t value;
} backplane_input_event;

/* What a device makes of events; whoever sends chooses the devices by it. */
#define BACKPLANE_INPUT_ACCEPTS_KEYS 1u
#define BACKPLANE_INPUT_ACCEPTS_RELATIVE 2u /* a pointer that is moved, and its buttons */
#define BACKPLANE_INPUT_ACCEPTS_ABSOLUTE 4u /* a pointer that is put somewhere, and its buttons */

typedef struct backplane_input {
    uint32_t struct_size;
    uint32_t reserved;
    /* OR of BACKPLANE_INPUT_ACCEPTS_...; does not change while the machine runs. */
    uint32_t (*accepts)(void* object);
    /* How many key presses and releases the device can take now without losing any: who types
     * faster than the guest reads loses keys, as on every keyboard. */
    uint32_t (*room)(void* object);
    /* What happened at one instant, in order: of a pointer, its movement and its buttons together.
     * Types, codes and values that mean nothing to the device are ignored, and so is pressing a key
     * that is down already: devices repeat held keys themselves, in guest time. */
    void (*send)(void* object, const backplane_input_event* events, uint32_t count);
    /* Lamps that are lit: bit n is backplane_led n. */
    uint32_t (*leds)(void* object);
} backplane_input;

#endif
