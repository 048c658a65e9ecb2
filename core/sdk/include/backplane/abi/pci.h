/* A place on a PCI bus. The bus provides one for each device and function number (written
 * `pci0@1f.2` in machine files), and a PCI function is connected to it. */
#ifndef BACKPLANE_ABI_PCI_H
#define BACKPLANE_ABI_PCI_H

#include "backplane/abi/device.h"

#include <stdint.h>

#define BACKPLANE_PCI_SLOT "backplane.pci-slot/1"

/* Elements of a port of slots: device number * 8 + function number. */
#define BACKPLANE_PCI_SLOTS 256u

/* What the function offers to the bus. */
typedef struct backplane_pci_function {
    uint32_t struct_size;
    uint32_t reserved;
    /* Configuration space. Size 1, 2 or 4, aligned; offset + size is at most 256, or 4096 on a PCI
     * Express bus. */
    uint32_t (*read_config)(void* user, uint32_t offset, uint32_t size);
    void (*write_config)(void* user, uint32_t offset, uint32_t size, uint32_t value);
    void* user;
} backplane_pci_function;

typedef enum backplane_pci_space {
    BACKPLANE_PCI_MEMORY = 0,
    BACKPLANE_PCI_IO = 1
} backplane_pci_space;

typedef struct backplane_pci_slot {
    uint32_t struct_size;
    uint32_t reserved;
    /* Once, from connect or start. The structure is copied. */
    void (*attach)(void* object, const backplane_pci_function* function);
    /* The level of INTA# (pin 1) to INTD# (pin 4), 1 = asserted. */
    void (*set_interrupt)(void* object, uint32_t pin, int32_t level);
    /* A message signalled interrupt: a memory write of the function. */
    void (*send_message)(void* object, uint64_t address, uint32_t data);
    /* The address spaces as the bus sees them (backplane.address-space/1): for direct memory access
     * and to place base address registers. */
    backplane_link (*space)(void* object, uint32_t which); /* backplane_pci_space */
    /* Bytes of configuration space that a guest can reach: 256 or 4096. */
    uint32_t (*config_size)(void* object);
} backplane_pci_slot;

#define BACKPLANE_PCI_INTERRUPT_ROUTER "backplane.pci-interrupt-router/1"

/* What a host bridge tells of the interrupt pins of its bus: an ISA bridge routes them. */
typedef struct backplane_pci_interrupt_router {
    uint32_t struct_size;
    uint32_t reserved;
    /* The level of one pin (1 to 4) of one device (0 to 31), of all its functions together. */
    void (*set)(void* object, uint32_t device, uint32_t pin, int32_t level);
} backplane_pci_interrupt_router;

#endif
