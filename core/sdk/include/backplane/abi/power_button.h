/* The power button of the machine, for whoever presses it: a control socket, a window. The power
 * management chip provides. */
#ifndef BACKPLANE_ABI_POWER_BUTTON_H
#define BACKPLANE_ABI_POWER_BUTTON_H

#include <stdint.h>

#define BACKPLANE_POWER_BUTTON "backplane.power-button/1"

typedef struct backplane_power_button {
    uint32_t struct_size;
    uint32_t reserved;
    /* Pressed and released at once: the guest is asked to shut down. What it does about it is its
     * own affair. 1 when the guest will be told by an interrupt; 0 when it has not enabled that, so
     * that it has to look by itself. */
    int32_t (*press)(void* object);
} backplane_power_button;

#endif
