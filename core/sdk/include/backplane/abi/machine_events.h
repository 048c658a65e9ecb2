/* Events of the hub that a machine publishes of itself: interrupts, exceptions, processors that
 * halt, disk requests, device accesses. Nothing is done for a topic that nobody subscribed to.
 * Whoever publishes is on the thread where it happens, with the locks it has there, and tells in
 * order; the order between two threads is that of host_time. Events change nothing of what the
 * guest does.
 *
 * The host publishes `block.` (except for backends that nobody is connected to), `device.` and
 * `interrupt.`, whatever plugin the device is from; processors publish `cpu.`. Since ABI 1.5. */
#ifndef BACKPLANE_ABI_MACHINE_EVENTS_H
#define BACKPLANE_ABI_MACHINE_EVENTS_H

#include <stdint.h>

/* Names of components and their ports; longer ones are cut off. Always with a NUL at the end. */
#define BACKPLANE_EVENT_NAME 40

/* What every payload begins with. */
typedef struct backplane_event_origin {
    uint64_t guest_time; /* nanoseconds, as backplane_host::peek_now gives it */
    uint64_t host_time;  /* CLOCK_MONOTONIC in nanoseconds */
    char source[BACKPLANE_EVENT_NAME];
} backplane_event_origin;

/* ---- Processors. [vcpu] source: the component. Addresses are linear. ---- */

/* A processor goes to the handler of an interrupt. */
#define BACKPLANE_TOPIC_CPU_INTERRUPT "cpu.interrupt/1"
typedef struct backplane_cpu_interrupt {
    backplane_event_origin origin;
    uint64_t pc;            /* of the instruction that would be next */
    uint64_t stack_pointer; /* RSP as the guest has it, before anything is pushed */
    uint8_t vector;
    uint8_t is_nmi;    /* 1: vector is 2 */
    uint8_t privilege; /* CPL of what is interrupted */
    uint8_t reserved[5];
} backplane_cpu_interrupt;

/* IRET: from the handler of an interrupt or exception, or of INT n. */
#define BACKPLANE_TOPIC_CPU_INTERRUPT_RETURN "cpu.interrupt-return/1"
typedef struct backplane_cpu_interrupt_return {
    backplane_event_origin origin;
    uint64_t stack_pointer; /* RSP behind it: as before the interrupt, if it goes back there */
    uint8_t privilege;      /* CPL behind it */
    uint8_t reserved[7];
} backplane_cpu_interrupt_return;

/* A fault or trap goes to its handler; INT n, INT3 and INTO are none. */
#define BACKPLANE_TOPIC_CPU_EXCEPTION "cpu.exception/1"
typedef struct backplane_cpu_exception {
    backplane_event_origin origin;
    uint64_t pc;         /* of a fault the instruction itself, of a trap the next one */
    uint64_t address;    /* of page faults: what comes into CR2; else 0 */
    uint32_t error_code; /* 0 where the vector has none */
    uint8_t vector;
    uint8_t privilege; /* CPL of what is interrupted */
    uint8_t reserved[2];
} backplane_cpu_exception;

/* HLT, or the end of it. */
#define BACKPLANE_TOPIC_CPU_HALT "cpu.halt/1"
typedef struct backplane_cpu_halt {
    backplane_event_origin origin;
    uint64_t pc;        /* of the instruction behind HLT */
    uint32_t is_halted; /* 1: from now on; 0: no longer, for an interrupt, NMI, INIT or reset */
    uint32_t reserved;
} backplane_cpu_halt;

/* ---- Requests to block backends (abi/block.h). [any] With the machine lock. source: who makes the
 * request, a drive or controller. ---- */

#define BACKPLANE_TOPIC_BLOCK_STARTED "block.started/1"
typedef struct backplane_block_started {
    backplane_event_origin origin;
    char backend[BACKPLANE_EVENT_NAME];
    uint64_t id;             /* different for each request of a run */
    uint64_t offset, length; /* bytes */
    uint32_t operation;      /* backplane_block_operation */
    uint32_t flags;
} backplane_block_started;

/* Of a request that began when somebody listened to one of the two topics. */
#define BACKPLANE_TOPIC_BLOCK_COMPLETED "block.completed/1"
typedef struct backplane_block_completed {
    backplane_event_origin origin;
    char backend[BACKPLANE_EVENT_NAME];
    uint64_t id;
    uint64_t offset, length;
    uint64_t started_guest_time, started_host_time;
    uint32_t operation;
    uint32_t result; /* backplane_block_result */
} backplane_block_completed;

/* ---- Devices. [any] With the machine lock. ---- */

typedef enum backplane_access_kind {
    BACKPLANE_ACCESS_READ = 0,
    BACKPLANE_ACCESS_WRITE = 1,
    BACKPLANE_ACCESS_MEMORY = 0,
    BACKPLANE_ACCESS_PORT = 2
} backplane_access_kind;

/* A window's device was called; told when it is done. Accesses within it, as by DMA, come before.
 * source: component and window, "com1.registers". */
#define BACKPLANE_TOPIC_DEVICE_ACCESS "device.access/1"
typedef struct backplane_device_access {
    backplane_event_origin origin; /* times: when it began */
    uint64_t duration;             /* nanoseconds of the host */
    uint64_t address;              /* in memory, of the port, or in a local APIC's page */
    uint64_t value;                /* read or written; 0 where count is not 1 */
    uint32_t kind;                 /* backplane_access_kind: one of the first and one of the last */
    uint32_t size;                 /* bytes of one */
    uint32_t count;                /* of words: REP INS and OUTS at once */
    uint32_t reserved;
} backplane_device_access;

/* An output line changed. source: "com1.irq"; target: the component with the input. */
#define BACKPLANE_TOPIC_INTERRUPT_LINE "interrupt.line/1"
typedef struct backplane_interrupt_line {
    backplane_event_origin origin;
    char target[BACKPLANE_EVENT_NAME];
    uint32_t level;
    uint32_t reserved;
} backplane_interrupt_line;

/* A message interrupt, of an I/O APIC, a PCI bus or between processors, was taken. source: who sent
 * it; target: the local APIC. */
#define BACKPLANE_TOPIC_INTERRUPT_MESSAGE "interrupt.message/1"
typedef struct backplane_interrupt_message {
    backplane_event_origin origin;
    char target[BACKPLANE_EVENT_NAME];
    uint64_t address; /* as backplane_message_interrupt::send has them */
    uint32_t data;
    uint32_t reserved;
} backplane_interrupt_message;

/* A processor took an interrupt from its controller, ahead of cpu.interrupt. [vcpu] source: the
 * controller; target: the processor. */
#define BACKPLANE_TOPIC_INTERRUPT_TAKEN "interrupt.taken/1"
typedef struct backplane_interrupt_taken {
    backplane_event_origin origin;
    char target[BACKPLANE_EVENT_NAME];
    uint32_t vector;
    uint32_t reserved;
} backplane_interrupt_taken;

#endif
