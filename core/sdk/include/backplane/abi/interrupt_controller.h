/* What a CPU asks of the interrupt controller in front of it: an 8259 pair, or a local APIC. The
 * controller provides. */
#ifndef BACKPLANE_ABI_INTERRUPT_CONTROLLER_H
#define BACKPLANE_ABI_INTERRUPT_CONTROLLER_H

#include <stdint.h>

#define BACKPLANE_INTERRUPT_CONTROLLER "backplane.interrupt-controller/1"

/* The request itself is a line to the CPU's `intr` input. */
typedef struct backplane_interrupt_controller {
    uint32_t struct_size;
    uint32_t reserved;
    /* [vcpu] The vector of the highest pending interrupt, which is now in service; -1 when it went
     * away. */
    int32_t (*acknowledge)(void* object);

    /* Local APICs only; the rest is NULL for an 8259. */
    /* [vcpu] The register page: the CPU routes accesses inside IA32_APIC_BASE's page here, before
     * the bus. */
    uint64_t (*read)(void* object, uint64_t offset, uint32_t size);
    void (*write)(void* object, uint64_t offset, uint32_t size, uint64_t value);
    /* [vcpu] IA32_APIC_BASE, IA32_TSC_DEADLINE and the x2APIC range 0x800-0x8ff. 0 = the guest gets
     * #GP. The deadline is guest time in nanoseconds here, since only the CPU knows its time-stamp
     * counter; 0 stands for none. */
    int32_t (*read_msr)(void* object, uint32_t index, uint64_t* value);
    int32_t (*write_msr)(void* object, uint32_t index, uint64_t value);
    /* [vcpu] CR8: bits 7-4 of the task priority. */
    uint8_t (*task_priority)(void* object);
    void (*set_task_priority)(void* object, uint8_t priority);

    /* Since ABI 1.1; NULL for an 8259. */
    /* [vcpu] The vector of the STARTUP interrupt that a line to the CPU's `startup` input has
     * announced, once; -1 when there is none, or an INIT came after it. */
    int32_t (*take_startup)(void* object);
} backplane_interrupt_controller;

#endif
