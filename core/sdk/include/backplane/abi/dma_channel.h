/* A channel of an ISA DMA controller. The controller provides, a device such as a floppy controller
 * requires. */
#ifndef BACKPLANE_ABI_DMA_CHANNEL_H
#define BACKPLANE_ABI_DMA_CHANNEL_H

#include <stdint.h>

#define BACKPLANE_DMA_CHANNEL "backplane.dma-channel/1"

typedef enum backplane_dma_direction {
    BACKPLANE_DMA_VERIFY = 0,      /* nothing is moved, but the device sees its acknowledge */
    BACKPLANE_DMA_FROM_DEVICE = 1, /* into memory */
    BACKPLANE_DMA_TO_DEVICE = 2    /* out of memory */
} backplane_dma_direction;

/* Set by the device, called by the controller. */
typedef struct backplane_dma_device {
    uint32_t struct_size;
    uint32_t reserved;
    /* DACK: the device gives or takes `length` bytes, or fewer when it has no more, and says how
     * many; both are multiples of the channel's width. `data` is NULL when verifying. A device that
     * did fewer has withdrawn its request by that, and requests again when it can go on. When it
     * did all, it is asked again until it has withdrawn its request, in here or when it is told of
     * terminal count. */
    uint32_t (*transfer)(void* user, uint32_t direction, uint8_t* data, uint32_t length);
    /* TC: these were the last bytes that the guest wanted moved. */
    void (*terminal_count)(void* user);
    void* user;
} backplane_dma_device;

typedef struct backplane_dma_channel {
    uint32_t struct_size;
    uint32_t reserved;
    /* One device; a second replaces the first. */
    void (*attach)(void* object, const backplane_dma_device* device);
    /* DREQ, 1 or 0. When the guest has the channel ready `transfer` is called from within here,
     * otherwise as soon as it is. */
    void (*request)(void* object, int32_t level);
    /* Bytes in one transfer: 1, or 2 for channels 5 to 7. */
    uint32_t (*width)(void* object);
} backplane_dma_channel;

#endif
