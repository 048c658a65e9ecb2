/* An interrupt line or any other single wire. The input provides, the output requires. */
#ifndef BACKPLANE_ABI_LINE_H
#define BACKPLANE_ABI_LINE_H

#include <stdint.h>

#define BACKPLANE_LINE "backplane.line/1"

/* What an input offers. The host sits between: it remembers the level of every output, gives the
 * input the OR of all outputs connected to it, and calls it only when that changes. */
typedef struct backplane_line {
    uint32_t struct_size;
    uint32_t reserved;
    void (*set)(void* object, int32_t level); /* 0 or 1 */
} backplane_line;

#endif
