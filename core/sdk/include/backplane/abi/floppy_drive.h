/* A floppy disk drive at the cable of its controller. Drives provide it, the controller uses it.
 *
 * A drive shows what is under its heads: tracks that turn, as rings of sectors of which each has an
 * identification field and data. Where in a turn a sector passes, and how long anything takes, is
 * for the controller to work out; it has the motor switches as well.
 *
 * A transfer finishes at once where nobody has to wait for that, and then returns its result
 * (backplane_block_result), or returns BACKPLANE_BLOCK_PENDING, and `completed` brings the result
 * later. There is one at a time. */
#ifndef BACKPLANE_ABI_FLOPPY_DRIVE_H
#define BACKPLANE_ABI_FLOPPY_DRIVE_H

#include "backplane/abi/block.h"

#include <stdint.h>

#define BACKPLANE_FLOPPY_DRIVE "backplane.floppy-drive/1"

/* The wires of the cable, 1 when they are active. */
#define BACKPLANE_FLOPPY_TRACK_0 1u
#define BACKPLANE_FLOPPY_WRITE_PROTECT 2u
/* From when a disk is taken out, and from power-on, until a step with a disk in. */
#define BACKPLANE_FLOPPY_DISK_CHANGE 4u

typedef struct backplane_floppy_state {
    uint32_t struct_size;
    uint32_t signals;
    uint64_t revolution; /* ns that a turn takes; 0: no disk is in, and no index pulse comes */
    uint64_t spin_up;    /* ns from motor on until the disk turns at that speed */
} backplane_floppy_state;

typedef enum backplane_floppy_encoding {
    BACKPLANE_FLOPPY_FM = 1,
    BACKPLANE_FLOPPY_MFM = 2
} backplane_floppy_encoding;

/* The track under a head. */
typedef struct backplane_floppy_track {
    uint32_t struct_size;
    uint32_t sectors;  /* 0: not formatted */
    uint32_t bit_rate; /* bits of data in a second at the speed of the drive */
    uint32_t encoding; /* backplane_floppy_encoding */
} backplane_floppy_track;

/* C, H, R and N of an identification field, and the data mark behind it. */
typedef struct backplane_floppy_sector {
    uint8_t cylinder, head, record;
    uint8_t size; /* 128 << size bytes; 0 to 7 */
    uint8_t deleted;
    uint8_t reserved[3];
} backplane_floppy_sector;

/* Set by the controller; with the machine lock held. */
typedef struct backplane_floppy_host {
    uint32_t struct_size;
    uint32_t reserved;
    void (*completed)(void* user, int32_t result);
    /* Another disk is in, or none. A transfer in progress has completed. */
    void (*disk_changed)(void* user);
    void* user;
} backplane_floppy_host;

typedef struct backplane_floppy_drive {
    uint32_t struct_size;
    uint32_t reserved;
    /* Once, from start. The structure is copied. */
    void (*attach)(void* object, const backplane_floppy_host* host);
    void (*state)(void* object, backplane_floppy_state* state);
    /* One cylinder inwards, away from track 0 (1), or outwards (0); at either end the head stays
     * where it is. */
    void (*step)(void* object, int32_t inwards);
    void (*track)(void* object, uint32_t head, backplane_floppy_track* track);
    /* The sectors of a track are numbered from 0 in the order in which they pass. */
    void (*sector)(void* object, uint32_t head, uint32_t index, backplane_floppy_sector* sector);
    /* `data` is of the sector's size, and stays until the transfer is complete. */
    int32_t (*read)(void* object, uint32_t head, uint32_t index, uint8_t* data);
    int32_t (*write)(void* object, uint32_t head, uint32_t index, const uint8_t* data,
                     int32_t deleted);
    /* Gives the track these sectors, in this order, all filled with `filler`.
     * BACKPLANE_BLOCK_INVALID: the drive cannot keep such a track, and has left the old one. */
    int32_t (*format)(void* object, uint32_t head, const backplane_floppy_track* track,
                      const backplane_floppy_sector* sectors, uint8_t filler);
    /* What was written before lasts when it is complete. */
    int32_t (*flush)(void* object);
    /* Returns when nothing is pending any more; `completed` is not called. */
    void (*cancel)(void* object);
} backplane_floppy_drive;

#endif
