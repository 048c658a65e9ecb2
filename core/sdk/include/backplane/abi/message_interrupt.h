/* An interrupt sent as a memory write (SDM 3A 11.11): what PCI MSI and I/O APICs send and local
 * APICs accept. */
#ifndef BACKPLANE_ABI_MESSAGE_INTERRUPT_H
#define BACKPLANE_ABI_MESSAGE_INTERRUPT_H

#include <stdint.h>

#define BACKPLANE_MESSAGE_INTERRUPT "backplane.message-interrupt/1"

typedef struct backplane_message_interrupt {
    uint32_t struct_size;
    uint32_t reserved;
    /* 1 when this receiver is among the destinations and took it. */
    int32_t (*send)(void* object, uint64_t address, uint32_t data);
} backplane_message_interrupt;

#define BACKPLANE_END_OF_INTERRUPT "backplane.end-of-interrupt/1"

/* Told when a local APIC ends a level-triggered interrupt (SDM 3A 11.8.5). */
typedef struct backplane_end_of_interrupt {
    uint32_t struct_size;
    uint32_t reserved;
    void (*end)(void* object, uint8_t vector);
} backplane_end_of_interrupt;

#endif
