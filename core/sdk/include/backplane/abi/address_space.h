/* An address space seen by whoever makes accesses: a CPU, or a device that does DMA. The host
 * provides `memory`, `io`. */
#ifndef BACKPLANE_ABI_ADDRESS_SPACE_H
#define BACKPLANE_ABI_ADDRESS_SPACE_H

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
} backplane_address_space;

#endif
