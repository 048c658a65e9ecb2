/* What a SATA port needs of a drive beyond backplane.ata/1: queued commands, data that goes
 * straight between the drive's medium and the controller's memory, and coming and going while the
 * machine runs. A drive that can be at either kind of cable provides both.
 *
 * Queued commands (READ and WRITE FPDMA QUEUED) come by backplane_ata_drive::execute too. The drive
 * answers each at once with the registers that a Register FIS, device to host, brings: from then on
 * it takes the next, while the command's data moves. `queue_done` tells of the end of any of them.
 * Their tag, which is in `count` as the command has it, is in backplane_ata_command::tag as well.
 */
#ifndef BACKPLANE_ABI_SATA_H
#define BACKPLANE_ABI_SATA_H

#include "backplane/abi/ata.h"
#include "backplane/abi/block.h"

#include <stdint.h>

#define BACKPLANE_SATA "backplane.sata/1"

#define BACKPLANE_SATA_TAGS 32u

/* In place of a tag: the command that is not queued. */
#define BACKPLANE_SATA_NOT_QUEUED 32u

/* Host memory for a part of a command's data. */
typedef struct backplane_sata_loan {
    uint32_t struct_size;
    uint32_t segment_count;
    const backplane_block_segment* segments; /* valid until the loan is given back */
    uint64_t length;                         /* bytes of them together */
} backplane_sata_loan;

/* The controller's side, with the machine lock held. All may be called from within execute,
 * transferred and reset, or later; the controller may call the drive from within queue_done. */
typedef struct backplane_sata_host {
    uint32_t struct_size;
    uint32_t reserved;
    /* Lends memory for up to `length` bytes of a DMA command's data, from byte `offset` of it, to
     * be filled (to_host 1) or read (0). The loan may be shorter than that, but is a multiple of
     * 512 bytes. 0: there is none, and the command waits for a reset that ends it. A tag has one
     * loan at a time. */
    int32_t (*borrow)(void* user, uint32_t tag, uint64_t offset, uint64_t length, int32_t to_host,
                      backplane_sata_loan* loan);
    /* The first `moved` bytes have been filled, or read; nobody uses the memory any more. */
    void (*give_back)(void* user, uint32_t tag, uint64_t moved);
    /* A Set Device Bits FIS: the queued commands of the tags in `done` have ended well. When status
     * has ERR set, another has failed, and the drive has forgotten all that were left. */
    void (*queue_done)(void* user, uint32_t done, uint32_t status, uint32_t error);
    /* is_present has changed. */
    void (*presence_changed)(void* user);
    void* user;
} backplane_sata_host;

typedef struct backplane_sata_drive {
    uint32_t struct_size;
    uint32_t reserved;
    /* The rest of the drive, with the same object. Its buffer may be asked for again each time a
     * drive was put in. */
    const backplane_ata_drive* ata;
    /* Once, from start. The structure is copied. */
    void (*attach)(void* object, const backplane_sata_host* host);
    /* Whether a drive is in the bay. Where none is, nothing else is called. */
    int32_t (*is_present)(void* object);
    /* The controller moves no more data: all loans are given back before this returns, and what is
     * in progress waits for a reset. */
    void (*halt)(void* object);
} backplane_sata_drive;

#endif
