/* A block backend: the bytes behind a disk or a drive, wherever the host keeps them. Images provide
 * it, drives and disk controllers use it.
 *
 * Requests carry byte offsets; alignment to block_size is the user's duty, and a request that is
 * not aligned, or reaches beyond the size, fails with BACKPLANE_BLOCK_INVALID. Several requests may
 * be in flight; they finish in any order, and of two that overlap either may come first.
 *
 * Time: submit finishes the request at once where that does not make anybody wait, and then returns
 * its result; else it returns BACKPLANE_BLOCK_PENDING and `complete` brings the result later, never
 * from within submit. In a deterministic machine nothing may depend on how fast the host is, so
 * there every request finishes at once, however long the host takes: guest time stands still
 * meanwhile. How long a disk takes in guest time is for the drive to say. */
#ifndef BACKPLANE_ABI_BLOCK_H
#define BACKPLANE_ABI_BLOCK_H

#include <stdint.h>

#define BACKPLANE_BLOCK "backplane.block/1"

typedef enum backplane_block_operation {
    BACKPLANE_BLOCK_READ = 1,
    BACKPLANE_BLOCK_WRITE,
    BACKPLANE_BLOCK_FLUSH,       /* what completed before it is on stable storage; no range */
    BACKPLANE_BLOCK_DISCARD,     /* a hint: the range may read as anything afterwards */
    BACKPLANE_BLOCK_WRITE_ZEROES /* reads as zeroes afterwards */
} backplane_block_operation;

#define BACKPLANE_BLOCK_FORCE_ACCESS                                                               \
    1u /* WRITE, WRITE_ZEROES: on stable storage when it completes */
#define BACKPLANE_BLOCK_MAY_DISCARD 2u /* WRITE_ZEROES: may give the storage back */

typedef enum backplane_block_result {
    BACKPLANE_BLOCK_OK = 0,
    BACKPLANE_BLOCK_PENDING, /* of submit only */
    BACKPLANE_BLOCK_FAILED,  /* the host reported an error; the backend has logged which */
    BACKPLANE_BLOCK_NO_SPACE,
    BACKPLANE_BLOCK_READ_ONLY,
    BACKPLANE_BLOCK_NO_MEDIUM,
    BACKPLANE_BLOCK_INVALID, /* the range, or an operation the backend does not know */
    BACKPLANE_BLOCK_REFUSED  /* of change_medium: locked, or no such file; the backend has logged */
} backplane_block_result;

/* Host memory; guest memory that backplane_range gives directly will do. */
typedef struct backplane_block_segment {
    void* data;
    uint64_t length;
} backplane_block_segment;

/* The request itself is the user's only until submit returns; segments and what they point at stay
 * until it is complete. */
typedef struct backplane_block_request {
    uint32_t struct_size;
    uint32_t operation; /* backplane_block_operation */
    uint32_t flags;
    uint32_t segment_count; /* of READ and WRITE */
    uint64_t offset, length;
    const backplane_block_segment* segments; /* together `length` bytes */
    /* With the machine lock held, on the I/O loop, or within `wait`. */
    void (*complete)(void* user, int32_t result);
    void* user;
} backplane_block_request;

#define BACKPLANE_BLOCK_HAS_MEDIUM 1u
#define BACKPLANE_BLOCK_IS_READ_ONLY 2u
#define BACKPLANE_BLOCK_IS_REMOVABLE 4u /* change_medium works */
#define BACKPLANE_BLOCK_CAN_DISCARD 8u

typedef struct backplane_block_info {
    uint32_t struct_size;
    uint32_t flags;
    uint64_t size;                /* bytes, a multiple of block_size; 0 without a medium */
    uint32_t block_size;          /* what requests are aligned to: a power of two, at most 4096 */
    uint32_t physical_block_size; /* what is best written at once: at least block_size */
    uint64_t maximum_transfer;    /* bytes of one request; 0 = any */
    uint32_t cylinders, heads, sectors; /* what the image says of its geometry; 0 = nothing */
    uint32_t reserved;
} backplane_block_info;

/* Set by the user of the backend; may be NULL each. With the machine lock held. */
typedef struct backplane_block_listener {
    uint32_t struct_size;
    uint32_t reserved;
    void (*resized)(void* user);
    /* Another medium is in, or none; requests in flight have completed. */
    void (*medium_changed)(void* user);
    /* Somebody asks for the medium while it is locked: the button at the drive. */
    void (*eject_requested)(void* user);
    void* user;
} backplane_block_listener;

typedef struct backplane_block {
    uint32_t struct_size;
    uint32_t reserved;
    void (*describe)(void* object, backplane_block_info* info);
    /* One listener; a second replaces the first. */
    void (*listen)(void* object, const backplane_block_listener* listener);
    int32_t (*submit)(void* object, const backplane_block_request* request);
    /* Returns when nothing is pending any more; `complete` is called from within. */
    void (*wait)(void* object);

    /* The following may be NULL. */
    /* Grows or shrinks the medium, and tells the listener. */
    int32_t (*resize)(void* object, uint64_t size);
    /* Keeps the medium in until it is unlocked. */
    void (*lock_medium)(void* object, int32_t locked);
    /* Takes out the medium and puts in the one in host file `path`; "" puts in none. Refused while
     * it is locked, unless `force`; then the listener hears of the request. */
    int32_t (*change_medium)(void* object, const char* path, int32_t force);
} backplane_block;

#endif
