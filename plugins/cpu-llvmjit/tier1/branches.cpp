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
        go_far(check_far(first_op(number_), target));
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
            go_far(check_far(first_op(number_), offset));
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
    go_to_target();
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
    Edge* far = nullptr;
    if (target.type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
        offset = next_offset_ +
                 static_cast<std::uint32_t>(instruction_->decoded.raw.imm[0].value.s);
        is_near = is_direct(offset);
        if (!is_near) far = &check_far(first_op(number_), offset);
    } else if (target.type == ZYDIS_OPERAND_TYPE_MEMORY) {
        if (target.size != word() * 8) return false;
        load_word(scratch, access(target, Access::Read, false));
    } else if (is_general(target, word() * 8)) {
        load_word(scratch, place_of(number_of(target.reg.value)));
    } else {
        return false;
    }
    if (!is_near && !far) {
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
    } else if (far) {
        go_far(*far);
    } else {
        code_.load(scratch2, offset_of::operand(offset_of::kept));
        go_to_target();
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
    go_to_target();
    ended_ = true;
    return true;
}

// Where the jump cache has the RIP in `scratch`, from its first entry on, to `scratch2`.
void Translator::find_target() {
    static_assert(sizeof(interp::JumpCacheEntry) == 32);  // and jump_cache_index
    static_assert(interp::jump_cache_size == 1 << 16);
    window_.reset();
    const Place retry = code_.place();
    code_.zero_extend(scratch2, scratch, 2);
    code_.shl32(scratch2, 5);
    code_.exclusive_or(scratch, offset_of::operand(offset_of::jump_key));
    code_.cmp(scratch, offset_of::operand(offset_of::jump_cache_tag, scratch2));
    lost_targets_.push_back(
        {code_.jump_if(condition::not_equal), retry, static_cast<std::uint16_t>(number_)});
}

// Two that are in use can have one place in the jump cache.
void Translator::emit_lost_targets() {
    for (const LostTarget& target : lost_targets_) {
        note(CodePart::Kind::Edge, target.instruction);
        code_.patch_here(target.jump);
        code_.exclusive_or(scratch, offset_of::operand(offset_of::jump_key));
        code_.patch(code_.call(), ways_[static_cast<std::size_t>(Way::FindTarget)]);
        code_.test32(scratch2);
        code_.patch(code_.jump_if(condition::not_equal), target.retry);
        flags_ = Flags::Image;
        recipe_.reset();
        leave(target.instruction, Why::Target);
    }
}

// To what was found there; it keeps `scratch2`.
void Translator::go_to_target() {
    code_.load(scratch, offset_of::operand(offset_of::jump_cache_page_ip, scratch2));
    code_.store(offset_of::operand(offset_of::page_ip), scratch);
    code_.add(scratch, offset_of::operand(offset_of::link_key));
    code_.store(offset_of::operand(offset_of::page_key), scratch);
    code_.jump_through(offset_of::operand(offset_of::jump_cache_entry, scratch2));
}

// To another page, which may be mapped differently by now: whether what the jump is linked to is
// there. What comes in between does not change page_ip.
Edge& Translator::check_far(unsigned op, std::uint32_t target) {
    image_flags();
    window_.reset();
    Edge& edge = add_edge(op, target);
    edge.far_link = native_->far_links_end;
    native_->far_links_end += sizeof(FarLink);
    code_.load(scratch, offset_of::operand(offset_of::page_key));
    code_.patch(code_.cmp_of(scratch), edge.far_link + offsetof(FarLink, page_key));
    const auto jump = code_.jump_if(condition::not_equal);
    far_checks_.push_back({jump, code_.place(), &edge, static_cast<std::uint16_t>(number_)});
    return edge;
}

void Translator::go_far(Edge& edge) {
    const auto pages = static_cast<std::int32_t>(edge.target_offset & ~0xfffu);
    code_.add_immediate(offset_of::operand(offset_of::page_ip), pages, is_code64());
    code_.add_immediate(offset_of::operand(offset_of::page_key), pages, is_code64());
    edge.displacement = code_.jump();
}

// If the target is still there the link is good again. Where the target is not compiled yet the
// interpreter goes there.
void Translator::emit_far_checks() {
    for (const FarCheck& check : far_checks_) {
        note(CodePart::Kind::Edge, check.instruction);
        code_.patch_here(check.jump);
        number_ = check.instruction;
        flags_ = Flags::Image;
        recipe_.reset();
        const Place link = check.edge->far_link;
        code_.load(scratch, offset_of::operand(offset_of::page_ip));
        lea_word(scratch, scratch, static_cast<std::int32_t>(check.edge->target_offset));
        code_.store(offset_of::operand(offset_of::target_ip), scratch);
        find_target();
        code_.load(scratch2, offset_of::operand(offset_of::jump_cache_entry, scratch2));
        code_.patch(code_.cmp_of(scratch2), link + offsetof(FarLink, entry));
        const auto other = code_.jump_if(condition::not_equal);
        code_.load(scratch, offset_of::operand(offset_of::page_key));
        code_.patch(code_.store_of(scratch), link + offsetof(FarLink, page_key));
        code_.patch(code_.jump(), check.back);

        code_.patch_here(other);
        const auto way = [&](Way way) { return ways_[static_cast<std::size_t>(way)]; };
        code_.patch(code_.lea_of(scratch), way(Way::LeaveToBlock));
        code_.cmp(scratch2, Operand::of(scratch));
        leave_if(condition::equal, Why::Target);
        code_.patch(code_.lea_of(scratch), link);
        code_.patch(code_.call(), way(Way::LinkFar));
        code_.test32(scratch2);
        code_.patch(code_.jump_if(condition::not_equal), check.back);
        leave(check.instruction, Why::Target);
    }
}

}  // namespace backplane::jit
