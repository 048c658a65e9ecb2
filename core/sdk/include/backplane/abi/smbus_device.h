/* A device on an SMBus or I2C bus. The device provides, the bus controller requires. */
#ifndef BACKPLANE_ABI_SMBUS_DEVICE_H
#define BACKPLANE_ABI_SMBUS_DEVICE_H

#include <stdint.h>

#define BACKPLANE_SMBUS_DEVICE "backplane.smbus-device/1"

typedef struct backplane_smbus_device {
    uint32_t struct_size;
    uint32_t reserved;
    /* START, or a repeated START, with a seven-bit address that is to be written to (0) or read
     * from (1). Every device of the bus is asked; 1 when it is this one's address, and the device
     * acknowledges. */
    int32_t (*start)(void* object, uint8_t address, int32_t read);
    /* One byte; 1 when the device acknowledges. */
    int32_t (*write)(void* object, uint8_t value);
    uint8_t (*read)(void* object);
    /* STOP; only to a device that acknowledged START. */
    void (*stop)(void* object);
} backplane_smbus_device;

#endif
