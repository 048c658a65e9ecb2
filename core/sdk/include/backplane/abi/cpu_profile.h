/* What a CPU engine tells a profiler: where the guest is, asked for from outside or every so many
 * instructions, and how often each block was executed. The engine provides port `profile`. It only
 * looks: what the guest does, and when, is the same with and without. Without a profiler nothing is
 * done for it. */
#ifndef BACKPLANE_ABI_CPU_PROFILE_H
#define BACKPLANE_ABI_CPU_PROFILE_H

#include "backplane/abi/device.h"

#include <stdint.h>

#define BACKPLANE_CPU_PROFILE "backplane.cpu-profile/1"

/* What the CPU's thread is at. */
typedef enum backplane_cpu_activity {
    BACKPLANE_CPU_OUTSIDE = 0,   /* not in backplane_cpu::run: halted, paused, not its turn */
    BACKPLANE_CPU_INTERPRETER,   /* executing, an instruction after the other */
    BACKPLANE_CPU_COMPILED_CODE, /* executing */
    BACKPLANE_CPU_MEMORY,        /* finding out what a linear address is */
    BACKPLANE_CPU_DEVICE,        /* in an access to a device */
    BACKPLANE_CPU_COMPILER,      /* looking for, decoding or compiling code */
    BACKPLANE_CPU_WAITING        /* for other CPUs */
} backplane_cpu_activity;
#define BACKPLANE_CPU_ACTIVITIES 7

/* All that is of the guest is as it was when the sample was asked for. Otherwise it is as at the
 * instruction boundary at which the sample is told: at most one block later. */
#define BACKPLANE_SAMPLE_EXACT 1u
/* Nobody asked: as many instructions have retired as sample_every says. EXACT, too. */
#define BACKPLANE_SAMPLE_COUNTED 2u

typedef struct backplane_cpu_sample {
    uint32_t struct_size;
    uint32_t flags;
    /* Linear: of the next instruction, or the one being executed; RSP in SS, and RBP in SS. */
    uint64_t pc, stack_pointer, frame_pointer;
    uint64_t address_space; /* CR3 */
    uint64_t instructions;  /* retired since power-on, at the boundary */
    uint64_t guest_time;    /* nanoseconds, as backplane_host::peek_now gives it */
    uint64_t host_time;     /* CLOCK_MONOTONIC in nanoseconds, when it was asked for */
    uint64_t thread_time;   /* CPU time of the CPU's thread so far, in nanoseconds */
    uint32_t requests;      /* how many it answers; more than one where it took long */
    uint8_t activity;       /* backplane_cpu_activity, when it was asked for */
    uint8_t tier;           /* what executed: 0 an interpreter, 1 and up compiled code */
    uint8_t privilege;      /* CPL */
    uint8_t code_size;      /* of the instructions there: 16, 32 or 64 bits */
} backplane_cpu_sample;

/* How often a run of instructions was entered. Runs are the engine's own: they begin wherever
 * control came, may overlap, and what was executed of them until control left is counted to the
 * instruction. */
typedef struct backplane_block_count {
    uint32_t struct_size;
    uint32_t length;       /* instructions from entry to end */
    uint64_t pc;           /* linear, where it was when it was first entered */
    uint64_t physical;     /* the same instruction, always */
    uint64_t hits;         /* times entered */
    uint64_t instructions; /* retired there; a REP instruction is one */
    uint32_t bytes;
    uint8_t privilege, code_size; /* as in a sample */
    uint8_t reserved[2];
} backplane_block_count;

typedef struct backplane_cpu_profiler {
    uint32_t struct_size;
    uint32_t reserved;
    void* user;
    /* [vcpu, at an instruction boundary within run, no lock held] Must be quick, must not block,
     * and must not call backplane_host::now, which a deterministic machine would notice. */
    void (*sample)(void* user, const backplane_cpu_sample* sample);
} backplane_cpu_profiler;

typedef struct backplane_cpu_profile {
    uint32_t struct_size;
    uint32_t reserved;
    /* [outside run] The profiler lives until `detach`. 0 when there is one already. */
    int32_t (*attach)(void* object, const backplane_cpu_profiler* profiler);
    /* [outside run] Nothing is told any more, counters are gone. */
    void (*detach)(void* object);

    /* ---- With a profiler attached ---- */

    /* [any] A sample of now, soon. Gives 1; or 0 when the CPU is OUTSIDE, which has no sample.
     * Where one is already on its way, that one is for both. */
    int32_t (*request_sample)(void* object);
    /* [outside run, or in the profiler's sample] A sample whenever the number of retired
     * instructions is a multiple of this: the same ones whatever executes. 0: none. */
    void (*sample_every)(void* object, uint64_t instructions);
    /* [in the profiler's sample] Guest memory by linear address as the CPU maps it, with no side
     * effects. Gives the bytes read: fewer where something is not mapped or is no memory. */
    uint64_t (*read_memory)(void* object, uint64_t linear, void* data, uint64_t length);
    /* [outside run, or in the profiler's sample] Counts blocks from the next boundary on (1), or no
     * longer (0), exactly. Costs speed while it is on: an engine may not compile then. Counters
     * stay as they are. */
    void (*count_blocks)(void* object, int32_t on);
    /* [outside run, or in the profiler's sample] Gives all counters that are not 0, which begin
     * again at 0. */
    void (*take_block_counts)(void* object,
                              void (*take)(void* user, const backplane_block_count* count),
                              void* user);

    /* ---- Since ABI 1.5 ---- */
    /* [any] The component's name in the machine file, as events have it. */
    const char* (*name)(void* object);
} backplane_cpu_profile;

#endif
