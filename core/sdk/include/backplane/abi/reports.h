/* Texts that a component writes about itself when somebody asks: what is too long for a statistic,
 * or depends on what is asked about. For people; a program that reads them breaks with the next
 * version. Whoever has some provides a port `reports`. */
#ifndef BACKPLANE_ABI_REPORTS_H
#define BACKPLANE_ABI_REPORTS_H

#include "backplane/abi/device.h"

#include <stdint.h>

#define BACKPLANE_REPORTS "backplane.reports/1"

typedef struct backplane_report {
    uint32_t struct_size;
    uint32_t reserved;
    const char* name;     /* kebab-case: "jit-block" */
    const char* argument; /* what it is asked about, in one word: "ADDRESS"; "" when nothing */
    const char* doc;      /* one sentence, no full stop */
} backplane_report;

typedef struct backplane_reports {
    uint32_t struct_size;
    uint32_t reserved;
    /* [any] What there is; the same as long as the component exists. */
    uint32_t (*count)(void* object);
    const backplane_report* (*describe)(void* object, uint32_t index);
    /* [every CPU at an instruction boundary] Gives a report to `take`, in pieces as they come, and
     * changes nothing that the guest could notice. `argument` may be "". On BACKPLANE_FAILED the
     * text says why there is no report. */
    backplane_status (*write)(void* object, uint32_t index, const char* argument,
                              void (*take)(void* user, const char* text, uint64_t length),
                              void* user);
} backplane_reports;

#endif
