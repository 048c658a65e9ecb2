// The ways out of a region's code, as handlers of the interpreter. All registers are in CpuState.
#pragma once

#include "interp/dispatch.h"

namespace backplane::jit {

extern "C" {

// To the instruction at `ip`, which is any.
BACKPLANE_HANDLER void backplane_tier2_go_to(interp::Core* cpu, const x86::Op* op,
                                             const x86::FastPages* pages, std::uint64_t ip);
// By the direct branch `op` to another page, which may not be mapped, or be no address at all: the
// interpreter executes the branch if it is not known. Compiled::kept is what goes back to the
// budget if it is.
BACKPLANE_HANDLER void backplane_tier2_go_far(interp::Core* cpu, const x86::Op* op,
                                              const x86::FastPages* pages, std::uint64_t ip);
// In front of `op`, which is left to a lower tier: it is not covered, or it failed.
BACKPLANE_HANDLER void backplane_tier2_leave_not_covered(interp::Core* cpu, const x86::Op* op,
                                                         const x86::FastPages* pages,
                                                         std::uint64_t last);
BACKPLANE_HANDLER void backplane_tier2_leave_failed(interp::Core* cpu, const x86::Op* op,
                                                    const x86::FastPages* pages,
                                                    std::uint64_t last);
// The block does not fit the budget.
BACKPLANE_HANDLER void backplane_tier2_out_of_budget(interp::Core* cpu, const x86::Op* op,
                                                     const x86::FastPages* pages,
                                                     std::uint64_t last);
}

}  // namespace backplane::jit
