/* An ATA or ATAPI drive apart from how it is attached: parallel IDE or a SATA port. Drives provide
 * it, the controller of a channel or port uses it.
 *
 * What passes between them is what passes over a SATA link: the registers of a command one way
 * (Register FIS, host to device), phases of data (PIO Setup, DMA Setup and Data FIS), and the
 * registers of the result (Register FIS, device to host). A controller of parallel IDE keeps the
 * task file in which the host sees them. */
#ifndef BACKPLANE_ABI_ATA_H
#define BACKPLANE_ABI_ATA_H

#include <stdint.h>

#define BACKPLANE_ATA "backplane.ata/1"

/* Of each 16-bit register the low byte is the one written last; of `lba` bits 0 to 23 are LBA low,
 * mid and high as written last, bits 24 to 47 as written before. */
typedef struct backplane_ata_command {
    uint32_t struct_size;
    uint8_t command;
    uint8_t device; /* Device register; bits 0 to 3 are LBA bits 24 to 27 of 28-bit commands */
    uint16_t features;
    uint16_t count;
    uint16_t reserved;
    uint32_t tag; /* of a queued command; 0 */
    uint64_t lba;
} backplane_ata_command;

typedef struct backplane_ata_result {
    uint8_t status, error;
    uint8_t device;    /* bits 0 to 3 only */
    uint8_t interrupt; /* the host is to be interrupted */
    uint16_t count;
    uint16_t reserved;
    uint64_t lba;
} backplane_ata_result;

typedef enum backplane_ata_transfer {
    BACKPLANE_ATA_PIO_IN = 1, /* to the host */
    BACKPLANE_ATA_PIO_OUT,    /* from the host */
    BACKPLANE_ATA_DMA_IN,
    BACKPLANE_ATA_DMA_OUT,
    BACKPLANE_ATA_PACKET /* from the host: a command packet, by PIO */
} backplane_ata_transfer;

/* Data to be moved between the host and the drive's buffer. */
typedef struct backplane_ata_phase {
    uint32_t struct_size;
    uint32_t transfer;           /* backplane_ata_transfer */
    uint32_t offset, length;     /* in the buffer; may be odd, then the last word is half used */
    backplane_ata_result result; /* the registers meanwhile; status has DRQ set */
} backplane_ata_phase;

/* The controller's side. Both may be called from within execute, transferred and reset, as the last
 * thing that a drive does there, or later; the controller may call the drive from within. */
typedef struct backplane_ata_host {
    uint32_t struct_size;
    uint32_t reserved;
    /* The drive waits for `transferred`, or for a reset. */
    void (*transfer)(void* user, const backplane_ata_phase* phase);
    /* The command is done; status has BSY and DRQ clear. */
    void (*complete)(void* user, const backplane_ata_result* result);
    void* user;
} backplane_ata_host;

typedef enum backplane_ata_reset {
    BACKPLANE_ATA_RESET_HARDWARE = 1, /* RESET-, COMRESET, power-on */
    BACKPLANE_ATA_RESET_SOFTWARE      /* SRST */
} backplane_ata_reset;

typedef struct backplane_ata_drive {
    uint32_t struct_size;
    uint32_t reserved;
    void (*attach)(void* object, const backplane_ata_host* host);
    /* Between commands, and DEVICE RESET (0x08) at any time: it ends what is in progress. */
    void (*execute)(void* object, const backplane_ata_command* command);
    /* The data of the phase has been moved. */
    void (*transferred)(void* object);
    /* Ends what is in progress; *result gets the diagnostic code and the signature. */
    void (*reset)(void* object, uint32_t kind, backplane_ata_result* result);
    /* Where data phases find their data, at one place for as long as the drive lives. Asked once,
     * after the drive was started. NULL: the bay is empty, and nothing else is called. */
    uint8_t* (*buffer)(void* object, uint32_t* size);
} backplane_ata_drive;

#endif
