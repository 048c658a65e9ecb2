/* A stream of bytes both ways: a terminal, a file, a socket behind a serial port. The host side
 * provides. */
#ifndef BACKPLANE_ABI_CHARACTER_H
#define BACKPLANE_ABI_CHARACTER_H

#include <stdint.h>

#define BACKPLANE_CHARACTER "backplane.character/1"

/* Set by the device, called by the stream. */
typedef struct backplane_character_receiver {
    uint32_t struct_size;
    uint32_t reserved;
    /* How many bytes the device can take now. */
    uint32_t (*room)(void* user);
    /* At most `room` bytes. */
    void (*receive)(void* user, const uint8_t* data, uint32_t length);
    /* The other end sent a break, or went away (connected 0) or came (1). Each may be NULL. */
    void (*receive_break)(void* user);
    void (*connection)(void* user, int32_t connected);
    void* user;
} backplane_character_receiver;

typedef struct backplane_character {
    uint32_t struct_size;
    uint32_t reserved;
    /* One receiver; a second replaces the first. */
    void (*attach)(void* object, const backplane_character_receiver* receiver);
    /* Bytes taken; fewer than length only when the far end is full. */
    uint32_t (*send)(void* object, const uint8_t* data, uint32_t length);
    /* The device has room again after room() gave less than the stream had. */
    void (*room_again)(void* object);
} backplane_character;

#endif
