/* What a CPU engine offers to the host and to debuggers, loaders and checkers. The engine provides
 * port `cpu`. */
#ifndef BACKPLANE_ABI_CPU_H
#define BACKPLANE_ABI_CPU_H

#include <stdint.h>

#define BACKPLANE_CPU "backplane.cpu/1"

typedef enum backplane_cpu_exit {
    BACKPLANE_CPU_BUDGET = 1,      /* the budget is spent */
    BACKPLANE_CPU_ATTENTION,       /* request_attention was called */
    BACKPLANE_CPU_HALTED,          /* HLT; nothing to do until an interrupt arrives */
    BACKPLANE_CPU_HALTED_FOR_GOOD, /* HLT with interrupts off: only NMI, INIT or reset can wake it
                                    */
    BACKPLANE_CPU_SHUTDOWN,        /* triple fault; state as at the last instruction */
    BACKPLANE_CPU_BREAKPOINT       /* a debugger's breakpoint or watchpoint */
} backplane_cpu_exit;

/* One register by its usual name in lower case: "rax", "rip", "rflags", "cs", "cs.base", "cr3",
 * "xmm0", "st0", "efer". */
typedef struct backplane_cpu_register {
    const char* name;
    uint32_t bytes;
    uint32_t
        group; /* 0 general, 1 segments, 2 control, 3 debug, 4 x87, 5 vector, 6 model-specific */
} backplane_cpu_register;

/* ---- Since ABI 1.2 ---- */

/* What a debugger wants to see. The guest's own debug registers are apart from these, and guest
 * memory is not modified. */
typedef enum backplane_breakpoint_kind {
    BACKPLANE_BREAK_EXECUTE = 1, /* before the instruction that begins there */
    BACKPLANE_BREAK_WRITE,       /* behind an instruction that wrote any of the bytes, */
    BACKPLANE_BREAK_READ,        /* read any, */
    BACKPLANE_BREAK_ACCESS       /* or did one of the two */
} backplane_breakpoint_kind;

typedef struct backplane_breakpoint {
    uint32_t struct_size;
    uint32_t kind; /* backplane_breakpoint_kind */
    uint64_t linear;
    uint64_t length; /* 1 for EXECUTE */
} backplane_breakpoint;

/* step: no interrupt, also no NMI, is taken before the instruction. */
#define BACKPLANE_STEP_NO_INTERRUPTS 1u

typedef struct backplane_cpu {
    uint32_t struct_size;
    uint32_t reserved;
    /* [vcpu] Executes until exactly `budget` instructions have retired or another exit comes first.
     */
    uint32_t (*run)(void* object, int64_t budget);
    /* [any] Makes run return soon with BACKPLANE_CPU_ATTENTION, also if it is not running yet. */
    void (*request_attention)(void* object);
    /* [vcpu, also inside a device access] Instructions retired since power-on, the current one not
     * included. */
    uint64_t (*instructions)(void* object);
    /* [vcpu, outside run] The register file. get/set copy exactly `bytes`; set gives 0 when the
     * value is impossible. */
    uint32_t (*register_count)(void* object);
    const backplane_cpu_register* (*register_info)(void* object, uint32_t index);
    void (*get_register)(void* object, uint32_t index, void* value);
    int32_t (*set_register)(void* object, uint32_t index, const void* value);
    /* [vcpu, outside run] The guest-physical address behind a linear one; 0 when it is not mapped.
     * No side effects. */
    int32_t (*translate)(void* object, uint64_t linear, uint64_t* physical);
    /* [vcpu, outside run] The instruction at a linear address as text; bytes it has, 0 when
     * unreadable. */
    uint32_t (*disassemble)(void* object, uint64_t linear, char* text, uint32_t size);

    /* ---- Since ABI 1.2; NULL in engines without debugger support ---- */
    /* [vcpu, outside run] A breakpoint by its kind, linear address and length; 0 when it cannot be
     * set, or is not set. One that was set twice stays until it was removed twice. Resets keep
     * them; they are no part of the saved state. */
    int32_t (*insert_breakpoint)(void* object, const backplane_breakpoint* breakpoint);
    int32_t (*remove_breakpoint)(void* object, const backplane_breakpoint* breakpoint);
    /* [vcpu, outside run] The breakpoint for which run or step has just returned
     * BACKPLANE_CPU_BREAKPOINT; 0 when it was for none. The next run executes the instruction at an
     * EXECUTE breakpoint that hit: it does not hit again in the same place. */
    int32_t (*hit_breakpoint)(void* object, backplane_breakpoint* breakpoint);
    /* [vcpu, outside run] Like run with a budget of 1, for a debugger that wants to see every
     * instruction: breakpoints on the instruction itself do not hit, and it returns
     * BACKPLANE_CPU_BUDGET also when an exception or an interrupt was delivered instead, before the
     * first instruction of the handler. (run goes on with that one, until one has retired.) A REP
     * instruction is one. With BACKPLANE_STEP_NO_INTERRUPTS only a halted processor takes
     * interrupts. */
    uint32_t (*step)(void* object, uint32_t flags);
} backplane_cpu;

#endif
