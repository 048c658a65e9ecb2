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
} backplane_cpu;

#endif
