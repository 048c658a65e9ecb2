// For assembly that compiled code has called, or given a place to return to as if: Core to R12,
// where the other glue has it, and back.
#pragma once

#define BACKPLANE_CORE_IN "pushq %%r12\n\tleaq 16(%%rsp), %%r12\n\t"
#define BACKPLANE_CORE_OUT "popq %%r12\n\t"
