/* An address space seen by whoever makes accesses: a CPU, or a device that does DMA. The host
 * provides `memory`, `io`. */
#ifndef BACKPLANE_ABI_ADDRESS_SPACE_H
#define BACKPLANE_ABI_ADDRESS_SPACE_H

#include "backplane/abi/window.h"

#include <stdint.h>

#define BACKPLANE_ADDRESS_SPACE "backplane.address-space/1"

/* The largest range around an address that is reached in one way. */
typedef struct backplane_range {
    uint64_t start;
    uint64_t length;
    uint8_t*
        memory; /* host memory of `start`, or NULL when accesses must be made with read and write */
    uint32_t readable; /* `memory` may be read directly */
    uint32_t writable; /* `memory` may be written directly */
} backplane_range;

/* Told after the map changed, or after a device wrote into memory that a CPU had asked to be told
 * about. */
typedef struct backplane_address_space_listener {
    uint32_t struct_size;
    uint32_t reserved;
    /* [any] Direct pointers into start..start+length obtained earlier must not be used after this
     * returns (or, on another vCPU's thread, after that vCPU's next safe point). */
    void (*remapped)(void* user, uint64_t start, uint64_t length);
    /* [any] Memory that `watch_code` covers was written by somebody other than a CPU. */
    void (*code_written)(void* user, uint64_t start, uint64_t length);
    void* user;

    /* Since ABI 1.1; may be NULL. */
    /* [any] A CPU, perhaps the listener's own, keeps translated code of this page from now on
     * (watch 1), or no longer does (0). The listener's CPU is at a safe point when code begins to
     * be kept: before it executes anything else, it gives up its direct pointers for writing into
     * the page, and calls claim_code_page before it gets any again. */
    void (*code_watched)(void* user, uint64_t page_address, int32_t watch);
} backplane_address_space_listener;

/* Where a device puts a window while the machine runs: a PCI base address register, shadow RAM, a
 * relocatable register block. Since ABI 1.2. */
#define BACKPLANE_PLACE_READS 1u
#define BACKPLANE_PLACE_WRITES 2u

typedef struct backplane_placement {
    uint32_t struct_size;
    /* The accesses that it answers, of the two above; others reach what lies beneath. */
    uint32_t accesses;
    /* Of several mappings at one address the highest is seen, of equals the one placed first. What
     * the machine file maps has 0 unless it says otherwise. */
    int32_t priority;
    uint32_t reserved;
    uint64_t address, size;
    uint64_t offset; /* of `address` into the window */
    const backplane_window* window;
    void* object;
    const char* name; /* for messages: "vga0.framebuffer" */
} backplane_placement;

typedef struct backplane_mapping backplane_mapping;

typedef struct backplane_address_space {
    uint32_t struct_size;
    uint32_t reserved;
    /* [any] Unmapped addresses are a range too, with memory NULL. */
    void (*find)(void* object, uint64_t address, backplane_range* range);
    /* [any] size 1, 2, 4 or 8. Unmapped reads give all ones, unmapped writes go nowhere. Takes the
     * machine lock. */
    uint64_t (*read)(void* object, uint64_t address, uint32_t size);
    void (*write)(void* object, uint64_t address, uint32_t size, uint64_t value);
    /* [any] DMA in bulk: goes through RAM directly, notes dirty pages, and tells listeners about
     * watched code. */
    void (*read_block)(void* object, uint64_t address, void* data, uint64_t length);
    void (*write_block)(void* object, uint64_t address, const void* data, uint64_t length);
    /* [vcpu] A CPU keeps translated code of this 4 KiB page (count up; before it reads the code),
     * or no longer does (count down). */
    void (*watch_code)(void* object, uint64_t page_address, int32_t watch);
    void (*listen)(void* object, const backplane_address_space_listener* listener);
    /* Bytes from 0 on that are mapped somewhere below this bound; the end of the highest window. */
    uint64_t (*extent)(void* object);

    /* Since ABI 1.1. */
    /* [vcpu] A CPU is about to write into a page of which others keep code: when this returns they
     * have been told by code_written, and do not execute that code again. */
    void (*claim_code_page)(void* object, uint64_t page_address);

    /* Since ABI 1.2. */
    /* The placement's window, object and name must live until unmap. NULL when the range is empty
     * or does not fit the space: a guest may program such a thing, so this is no error. */
    backplane_mapping* (*map)(void* object, const backplane_placement* placement);
    void (*unmap)(void* object, backplane_mapping* mapping);
    /* [any] Up to `count` accesses of `size` bytes to one address, as string instructions make to
     * ports. The number that were made; where that is 0, or not all, single ones must go on. */
    uint32_t (*read_many)(void* object, uint64_t address, uint32_t size, void* data,
                          uint32_t count);
    uint32_t (*write_many)(void* object, uint64_t address, uint32_t size, const void* data,
                           uint32_t count);
} backplane_address_space;

#endif
