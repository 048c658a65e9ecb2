#include "interp/dispatch.h"

#include "interp/interpreter.h"
#include "x86/semantics/address.h"

namespace backplane::interp {
namespace {

Interpreter& owner(Core* cpu) { return *static_cast<Interpreter*>(cpu); }

// Goes back to the run loop with the instructions of the block from `op` on not executed.
void leave_at(Core* core, const Op* op, Exit exit) {
    const Block& block = *core->block;
    const std::size_t index = block.index_of(op);
    const std::int64_t left = block.instruction_count - block.retired_before[index];
    owner(core).refund(left);
    if (block.has_counter) [[unlikely]]
        BlockCounts::give_back(block, left);
    core->exit = exit;
}

// An address that is not canonical, formed from RSP or RBP: SS is the segment then, and what
// Interpreter::translate found is #SS (SDM 2 2.1.5 table 2-2, SDM 3A 6.15 interrupt 12).
bool is_stack_reference(const Core& cpu, const Op& op) {
    if (cpu.fault.vector != x86::Vector::GeneralProtection || cpu.fault.address == 0) return false;
    // The op in front formed the address, from the segment it names.
    if (op.base == offsetof(x86::CpuState, effective_address))
        return x86::address_op::segment((&op)[-1].extra) == x86::SS;
    return op.base == x86::RSP * 8 || op.base == x86::RBP * 8;
}

// The next block, where the run loop would do nothing else (Interpreter::may_go_on): mostly nothing
// has changed but the mode.
BACKPLANE_HANDLER void go_on(Core* cpu, const Op* op, const x86::FastPages*, std::uint64_t) {
    Block* block = owner(cpu).locate();
    if (!block) {
        cpu->exit = Exit::Lookup;
        return;
    }
    cpu->count(Counter::ExitsLeave);
    const x86::FastPages* pages = cpu->pages(cpu->view);
    if (!enter(cpu, block, cpu->state.rip)) BACKPLANE_TAIL leave_for_budget(cpu, op, pages, 0);
    BACKPLANE_TAIL handler_of (*block->ops())(cpu, block->ops(), pages, 0);
}

}  // namespace

void leave_for_budget(Core* cpu, const Op*, const x86::FastPages*, std::uint64_t) {
    owner(cpu).refund(cpu->block->length);
    cpu->state.rip = cpu->state.block_ip;
    cpu->exit = Exit::Budget;
}

void leave_with_fault(Core* cpu, const Op* op, const x86::FastPages*, std::uint64_t) {
    if (is_stack_reference(*cpu, *op)) cpu->fault = {.vector = x86::Vector::StackFault};
    cpu->state.rip = cpu->state.block_ip + op->offset;
    leave_at(cpu, op, Exit::Fault);
}

void leave_again(Core* cpu, const Op* op, const x86::FastPages*, std::uint64_t) {
    cpu->state.rip = cpu->state.block_ip + op->offset;
    leave_at(cpu, op, Exit::Again);
}

void leave_after(Core* cpu, const Op* op, const x86::FastPages* pages, std::uint64_t last) {
    leave_at(cpu, op + 1, Exit::Leave);
    if (owner(cpu).may_go_on()) BACKPLANE_TAIL go_on(cpu, op, pages, last);
}

void leave_before(Core* cpu, const Op* op, const x86::FastPages*, std::uint64_t) {
    cpu->state.rip = cpu->state.block_ip + op->offset;
    owner(cpu).restore_patch();
    leave_at(cpu, op, Exit::Leave);
}

void leave_to_interpreter(Core* cpu, const Op* op, const x86::FastPages* pages,
                          std::uint64_t last) {
    owner(cpu).interpret_once();
    BACKPLANE_TAIL leave_before(cpu, op, pages, last);
}

void enter_stale(Core* cpu, const Op* op, const x86::FastPages* pages, std::uint64_t last) {
    cpu->state.rip = cpu->state.block_ip;
    BACKPLANE_TAIL follow_rip(cpu, op, pages, last);
}

void count_execution(Core* cpu, const Op* op, const x86::FastPages* pages, std::uint64_t last) {
    cpu->count(Counter::CountedExecutions);
    // At 0 the block was offered and is not compiled.
    std::uint64_t& left = const_cast<Op*>(op)->immediate;
    const bool is_due = left == 1;
    if (left != 0) --left;
    if (is_due) [[unlikely]] {
        if (!owner(cpu).offer(*cpu->block)) left = 1;
        const HandlerFunction handler = handler_of(*op);
        if (handler != &count_execution) BACKPLANE_TAIL handler(cpu, op, pages, last);
    }
    BACKPLANE_TAIL handler_of(op[1])(cpu, op + 1, pages, last);
}

void count_block(Core* cpu, const Op* op, const x86::FastPages* pages, std::uint64_t last) {
    ++reinterpret_cast<BlockCount*>(op->immediate)->hits;
    BACKPLANE_TAIL handler_of(op[1])(cpu, op + 1, pages, last);
}

// A block that could not be found within the chain is left to the run loop, which deals with the
// reason.
void follow_rip(Core* cpu, const Op* op, const x86::FastPages* pages, std::uint64_t last) {
    if (owner(cpu).is_mode_stale()) {
        cpu->exit = Exit::Lookup;
        if (owner(cpu).may_go_on()) BACKPLANE_TAIL go_on(cpu, op, pages, last);
        return;
    }
    Block* block = owner(cpu).locate();
    if (!block) {
        cpu->exit = Exit::Lookup;
        return;
    }
    if (!enter(cpu, block, cpu->state.rip)) BACKPLANE_TAIL leave_for_budget(cpu, op, pages, last);
    BACKPLANE_TAIL handler_of (*block->ops())(cpu, block->ops(), pages, last);
}

// A relative branch to an address that is not canonical: #GP of the branch. As an op may be more
// than the branch, which is complete then, the branch is executed once more by itself.
void refuse_target(Core* cpu, const Op* op, const x86::FastPages* pages, std::uint64_t last) {
    if (cpu->block->mode & block_mode::single) {
        cpu->fault = {.vector = x86::Vector::GeneralProtection};
        BACKPLANE_TAIL leave_with_fault(cpu, op, pages, last);
    }
    cpu->state.rip = cpu->state.block_ip + links_behind(op).branch_offset;
    owner(cpu).refund(1);
    if (cpu->block->has_counter) [[unlikely]]
        BlockCounts::give_back(*cpu->block, 1);
    owner(cpu).step_once();
    cpu->exit = Exit::Leave;
}

// Branches to other pages come here each time: what is linked is entered without looking at the
// page tables again.
void follow_taken(Core* cpu, const Op* op, const x86::FastPages* pages, std::uint64_t last) {
    const std::uint64_t ip = cpu->state.rip;
    if (cpu->state.code64() && !x86::is_canonical(ip)) [[unlikely]]
        BACKPLANE_TAIL refuse_target(cpu, op, pages, last);
    Block* block = find_in_jump_cache(cpu, ip);
    if (!block || !block->valid || owner(cpu).may_link(ip)) {
        block = owner(cpu).locate();
        if (!block) {
            cpu->exit = Exit::Lookup;
            return;
        }
        owner(cpu).link(const_cast<BlockLinks&>(links_behind(op)).taken, block, ip);
    }
    if (!enter(cpu, block, ip)) BACKPLANE_TAIL leave_for_budget(cpu, op, pages, last);
    BACKPLANE_TAIL handler_of (*block->ops())(cpu, block->ops(), pages, last);
}

void follow_next(Core* cpu, const Op* op, const x86::FastPages* pages, std::uint64_t last) {
    const std::uint64_t ip = cpu->state.rip;
    Block* block = owner(cpu).locate();
    if (!block) {
        cpu->exit = Exit::Lookup;
        return;
    }
    owner(cpu).link(const_cast<BlockLinks&>(links_behind(op)).next, block, ip);
    if (!enter(cpu, block, ip)) BACKPLANE_TAIL leave_for_budget(cpu, op, pages, last);
    BACKPLANE_TAIL handler_of (*block->ops())(cpu, block->ops(), pages, last);
}

void fall_through(Core* cpu, const Op* op, const x86::FastPages* pages, std::uint64_t last) {
    const auto& links = reinterpret_cast<const BlockLinks&>(*op);
    const std::uint64_t ip = cpu->state.block_ip + links.next_offset;
    Block* next = links.next;
    if (!next) [[unlikely]] {
        cpu->state.rip = ip;
        BACKPLANE_TAIL follow_next(cpu, op - 1, pages, last);
    }
    if (!enter(cpu, next, ip)) [[unlikely]]
        BACKPLANE_TAIL leave_for_budget(cpu, op, pages, last);
    BACKPLANE_TAIL handler_of (*next->ops())(cpu, next->ops(), pages, last);
}

}  // namespace backplane::interp
