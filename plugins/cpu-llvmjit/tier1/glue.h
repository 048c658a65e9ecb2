// The ways between the interpreter and compiled code. Compiled code jumps to all of these and never
// returns; each says what it finds in which register.
#pragma once

#include "interp/dispatch.h"
#include "tier1/native_block.h"

namespace backplane::jit {

using interp::Block;
using interp::Core;
using x86::FastPages;
using x86::Op;

constexpr unsigned recall_slot_shift = 14;
static_assert(interp::block_max_instructions == 1u << (recall_slot_shift - 8));

// In R13, an offset that no access from a window reaches a page with.
constexpr std::uint32_t no_window = 1 << 30;

extern "C" {

// ---- Into compiled code: CpuState to registers; goes to R13 ----

// From a block's first op. R15: where the block begins in its page; R12 and R14 as for a
// handler.
void backplane_jit_enter();
// From an op behind one that the interpreter has executed for the block.
void backplane_jit_resume();

// ---- Out of it: registers to CpuState. R14: Block, R13: where its op is, from the Block on ----

// To that op's handler, in the middle of the block: the instruction was not translated, has an
// access that is not a plain one, a target that is not known, or another value that the code is not
// made for.
void backplane_jit_leave_untranslated();
void backplane_jit_leave_access();
void backplane_jit_leave_target();
void backplane_jit_leave_value();
// The block's last bytes are in a page that is not mapped behind the first one any more.
void backplane_jit_leave_second_page();
// By the edge of this op, which is not chained yet.
void backplane_jit_leave_by_edge();
// To the block that the jump cache has where R14 says, in bytes, which may not be compiled.
void backplane_jit_leave_to_block();
// To the code of tier 2 that begins with the block of this op: its handler.
void backplane_jit_leave_to_region();

// ---- Within ----

// The block does not fit what R12 has of the budget. As for leaving, but called: it returns if the
// budget has more, and R12 is then what is left behind the block. Else the block is left.
void backplane_jit_need_budget();

// The vector registers are needed, XMM or YMM, or the x87 unit. As for leaving, and the host's
// stack has where to go on. If the guest may not use them now, the block is left.
void backplane_jit_load_xmm();
void backplane_jit_load_ymm();
void backplane_jit_load_x87();

// What is known of an access when it is compiled; `slot` is where the recent page's first tag is,
// from Core.
constexpr std::uint32_t recall_argument(unsigned size, unsigned instruction, std::size_t slot) {
    return size | instruction << 8 | static_cast<std::uint32_t>(slot) << recall_slot_shift;
}
constexpr unsigned recall_instruction(std::uint32_t argument) {
    return argument >> 8 & (interp::block_max_instructions - 1);
}

// The access at R13 has missed its recent page; R14 says which access (recall_argument). If the
// first-level TLB has the page it is a recent one now. As the following two.
void backplane_jit_recall_read();
void backplane_jit_recall_write();
std::uint32_t backplane_jit_recalled(Core* cpu, std::uint64_t linear, std::uint32_t argument,
                                     const void* from);

// The access of R14 bytes at R13 has missed the first-level TLB. Of R14 the lowest byte counts.
// Returns conditions: equal if it is there now, below if it is not, and above if it is one in two
// pages whose bytes have been read: then R13 and R14 say where they are, as a check leaves them.
void backplane_jit_refill_read();
void backplane_jit_refill_write();
std::uint32_t backplane_jit_refill(Core* cpu, std::uint64_t linear, std::uint32_t size,
                                   std::uint32_t writes);

void backplane_jit_look_at_recall();

// The same of the bytes that a block has of the stack (StackUse), as many as the argument's size
// says, but that no page is looked up: below, if they are not in one of the first level.
void backplane_jit_recall_stack_read();
void backplane_jit_recall_stack_write();
void backplane_jit_lose_stack();
std::uint32_t backplane_jit_lost_stack(Core* cpu, std::uint64_t linear, std::uint32_t argument,
                                       const void* from);

// The jump cache has Compiled::target_ip, where the jump of this link (R13) goes. Returns R14: 0 if
// that is not compiled, and everything else as it was.
void backplane_jit_link_far();
std::uint32_t backplane_jit_link(Core* cpu, FarLink* link);

// The jump cache does not have the RIP in R13. Returns R14: 0 if it still has not, and everything
// else as it was.
void backplane_jit_find_target();
std::uint32_t backplane_jit_recollect(Core* cpu, std::uint64_t ip);

// Whether the second page of a block (R13) is behind its first one. Returns R14: 0 if it is not,
// and everything else as it was.
void backplane_jit_check_second_page();
std::uint32_t backplane_jit_find_second_page(Core* cpu, const Block* block);

void backplane_jit_refuse();

// ---- What the ways out call, as handlers of the interpreter ----

BACKPLANE_HANDLER void backplane_jit_follow_edge(Core* cpu, const Op* op, const FastPages* pages,
                                                 std::uint64_t);
BACKPLANE_HANDLER void backplane_jit_enter_block(Core* cpu, const Op* op, const FastPages* pages,
                                                 std::uint64_t);
BACKPLANE_HANDLER void backplane_jit_refuse_block(Core* cpu, const Op* op, const FastPages* pages,
                                                  std::uint64_t);
BACKPLANE_HANDLER void backplane_jit_interpret_block(Core* cpu, const Op* op,
                                                     const FastPages* pages, std::uint64_t);
BACKPLANE_HANDLER void backplane_jit_out_of_budget(Core* cpu, const Op* op, const FastPages* pages,
                                                   std::uint64_t);

// The x87 unit to CpuState; afterwards it is the host's own again.
void backplane_jit_store_x87(Core* cpu);
}

}  // namespace backplane::jit
