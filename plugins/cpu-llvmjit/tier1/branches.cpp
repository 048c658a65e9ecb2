// Jumps, calls and returns.
#include "tier1/core_offsets.h"
#include "tier1/operands.h"
#include "tier1/translator.h"

#include <cstddef>
#include <cstdint>

namespace backplane::jit {

bool Translator::jcc() {
    const bool is_conditional = instruction_->decoded.meta.branch_type != ZYDIS_BRANCH_TYPE_NONE &&
                                is_plain();
    const std::uint8_t opcode = instruction_->decoded.opcode;
    const bool is_short = instruction_->decoded.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT &&
                          (opcode & 0xf0) == 0x70;
    const bool is_near = instruction_->decoded.opcode_map == ZYDIS_OPCODE_MAP_0F &&
                         (opcode & 0xf0) == 0x80;
    if (!is_conditional || !(is_short || is_near)) return false;
    const std::uint32_t target = next_offset_ + static_cast<std::uint32_t>(
                                                    instruction_->decoded.raw.imm[0].value.s);
    restore_flags();
    if (!is_last()) {
        side_exits_.push_back({code_.jump_if(opcode & 15), static_cast<std::uint16_t>(number_),
                               target, flags_, overflow_is_clear_});
        keeps_window_ = true;
        return true;
    }
    keep_flags();
    if (is_direct(target)) {
        const Assembler::Jump taken = code_.jump_if(opcode & 15);
        open_edges_.push_back({&add_edge(first_op(number_), target), taken});
    } else {
        const auto not_taken = code_.jump_if((opcode & 15) ^ 1);
        go_far(target);
        code_.patch_here(not_taken);
    }
    // What is not taken goes on, as behind any other instruction.
    return true;
}

bool Translator::jmp() {
    if (!is_plain()) return false;
    image_flags();
    const ZydisOperand& target = operand(0);
    if (target.type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
        const std::uint32_t offset = next_offset_ + static_cast<std::uint32_t>(
                                                        instruction_->decoded.raw.imm[0].value.s);
        if (is_direct(offset))
            end_with(first_op(number_), offset);
        else
            go_far(offset);
        ended_ = true;
        return true;
    }
    if (target.type == ZYDIS_OPERAND_TYPE_MEMORY) {
        if (target.size != word() * 8) return false;
        load_word(scratch, access(target, Access::Read, false));
    } else if (is_general(target, word() * 8)) {
        load_word(scratch, place_of(number_of(target.reg.value)));
    } else {
        return false;
    }
    find_target();
    code_.jump_through(Operand::at(scratch2, offset_of::block_entry));
    ended_ = true;
    return true;
}

// The way on is looked for before anything is pushed: where it is not known the interpreter
// executes the whole instruction.
bool Translator::call() {
    if (!is_plain()) return false;
    image_flags();
    const ZydisOperand& target = operand(0);
    const Host stack = pinned(x86::RSP);
    std::uint32_t offset = 0;
    bool is_near = false;
    if (target.type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
        offset = next_offset_ + static_cast<std::uint32_t>(instruction_->decoded.raw.imm[0].value.s);
        is_near = is_direct(offset);
        if (!is_near) {
            code_.load(scratch, offset_of::operand(offset_of::page_ip));
            lea_word(scratch, scratch, static_cast<std::int32_t>(offset));
        }
    } else if (target.type == ZYDIS_OPERAND_TYPE_MEMORY) {
        if (target.size != word() * 8) return false;
        load_word(scratch, access(target, Access::Read, false));
    } else if (is_general(target, word() * 8)) {
        load_word(scratch, place_of(number_of(target.reg.value)));
    } else {
        return false;
    }
    if (!is_near) {
        find_target();
        code_.store(offset_of::operand(offset_of::kept), scratch2);
    }
    const Operand place = stack_access(x86::RSP, -word(), Access::Write, true);
    code_.load(scratch2, offset_of::operand(offset_of::page_ip));
    code_.lea(scratch2, Operand::at(scratch2, static_cast<std::int32_t>(next_offset_)));
    store_word(place, scratch2);
    lea_word(stack, stack, -word());
    if (is_near) {
        end_with(first_op(number_), offset);
    } else {
        code_.load(scratch2, offset_of::operand(offset_of::kept));
        code_.jump_through(Operand::at(scratch2, offset_of::block_entry));
    }
    ended_ = true;
    return true;
}

bool Translator::ret() {
    if (!is_plain() || instruction_->decoded.meta.branch_type != ZYDIS_BRANCH_TYPE_NEAR)
        return false;
    image_flags();
    const Host stack = pinned(x86::RSP);
    const bool releases = instruction_->decoded.opcode == 0xc2;
    const auto arguments = releases ? static_cast<std::int32_t>(
                                          instruction_->decoded.raw.imm[0].value.u & 0xffff)
                                    : 0;
    const Operand place = stack_access(x86::RSP, 0, Access::Read, false);
    load_word(scratch, place);
    find_target();
    lea_word(stack, stack, word() + arguments);
    code_.jump_through(Operand::at(scratch2, offset_of::block_entry));
    ended_ = true;
    return true;
}

// The block at the RIP in `scratch`, from the jump cache, to `scratch2`.
void Translator::find_target() {
    static_assert(sizeof(interp::JumpCacheEntry) == 16);  // and jump_cache_index
    window_.reset();
    code_.store(offset_of::operand(offset_of::target_ip), scratch);
    code_.mov(scratch2, scratch);
    code_.shr(scratch2, 12);
    code_.exclusive_or32(scratch2, scratch);
    code_.and32(scratch2, interp::jump_cache_size - 1);
    code_.shl32(scratch2, 4);
    code_.exclusive_or(scratch, offset_of::operand(offset_of::jump_key));
    code_.cmp(scratch,
              offset_of::operand(offset_of::jump_cache + offsetof(interp::JumpCacheEntry, tag),
                                 scratch2));
    leave_if(condition::not_equal, Why::Target);
    code_.load(scratch2,
               offset_of::operand(offset_of::jump_cache + offsetof(interp::JumpCacheEntry, block),
                                  scratch2));
}

// To another page: it may be mapped differently by now.
void Translator::find_far(std::uint32_t target) {
    image_flags();
    code_.load(scratch, offset_of::operand(offset_of::page_ip));
    lea_word(scratch, scratch, static_cast<std::int32_t>(target));
    find_target();
}

void Translator::go_far(std::uint32_t target) {
    find_far(target);
    code_.jump_through(Operand::at(scratch2, offset_of::block_entry));
}

}  // namespace backplane::jit
