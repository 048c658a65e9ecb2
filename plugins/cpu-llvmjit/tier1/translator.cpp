#include "tier1/translator.h"

#include "interp/block_builder.h"
#include "interp/core.h"
#include "tier1/core_offsets.h"
#include "tier1/glue.h"
#include "x86/instruction_set.h"
#include "x86/paging.h"

#include <algorithm>
#include <tuple>

namespace backplane::jit {

using interp::Block;
namespace block_mode = interp::block_mode;

namespace {

x86::CodeSize code_size_of(const Block& block) {
    return static_cast<x86::CodeSize>(block.mode & block_mode::code_size);
}

}  // namespace

Translator::Translator(Assembler& code, const Ways& ways, const x86::CpuModel& model,
                       bool is_only_processor, Untranslated& untranslated,
                       std::pmr::memory_resource& workspace)
    : code_{code}, ways_{ways}, model_{model}, is_only_processor_{is_only_processor},
      untranslated_{untranslated}, x87_before_{&workspace}, exits_{&workspace},
      resumable_{&workspace}, register_loads_{&workspace}, misses_{&workspace},
      detours_{&workspace}, far_checks_{&workspace}, lost_targets_{&workspace},
      open_edges_{&workspace}, side_exits_{&workspace}, resumptions_{&workspace} {}

bool Translator::can_translate(const Block& block) {
    constexpr std::uint8_t never = block_mode::single | block_mode::unfused |
                                   block_mode::interpreted;
    const bool needs_no_segments = code_size_of(block) == x86::CodeSize::Bits64 ||
                                   (block.mode & block_mode::flat);
    return !(block.mode & never) && block.hashed && block.segment_end == 0 && needs_no_segments;
}

void Translator::translate(Block& block, std::span<const x86::Instruction> instructions, Place cold,
                           Place cold_end, NativeBlock& native) {
    block_ = &block;
    native_ = &native;
    page_offset_ = static_cast<std::uint32_t>(block.physical & x86::page_offset_mask);
    const auto view = static_cast<interp::View>((block.mode & block_mode::view) >>
                                                block_mode::view_shift);
    tlb_ = offset_of::tlb_of(view);
    has_recent_ = view != interp::View::UserAligned;
    recent_ = offset_of::recent_of(view);
    code_size_ = code_size_of(block);
    find_needed_flags(instructions);
    if (is_code64() && has_recent_ && !native.locality.has_split_stack)
        stack_use_ = StackUse::of(instructions);
    native.start = code_.place();
    native.far_links_end = native.far_links;
    emit_entries();

    std::size_t offset = 0;
    bool left = false;  // the instruction before was left to the interpreter
    bool resumable = false;
    for (number_ = 0; number_ < block.instruction_count; ++number_) {
        const bool known = number_ < instructions.size();
        note(CodePart::Kind::Instruction, number_);
        if (known) {
            instruction_ = &instructions[number_];
            address_width_ = instruction_->decoded.address_width;
            offset += instruction_->decoded.length;
        }
        next_offset_ = page_offset_ + static_cast<std::uint32_t>(offset);
        const auto exits = [this] { return exits_.size() + misses_.size() + detours_.size(); };
        const Mark mark{code_.place(), exits(),       flags_,         vectors_,
                        x87_,          window_kind(), checked_stack_, recipe_};
        x87_before_.push_back(x87_);
        keeps_window_ = false;
        if (!needs_flags_before(number_)) flags_ = Flags::Dead;
        if (known)
            keep_recipe_from(*instruction_,
                             replaces_flags(*instruction_) || !needs_flags_behind(number_));
        if (known && translate_instruction()) {
            if (!needs_flags_behind(number_)) flags_ = Flags::Dead;
            if (left || resumable)
                resumable_.push_back({static_cast<std::uint16_t>(number_), mark.place, mark.flags,
                                      mark.vectors, mark.x87, mark.window, mark.checked_stack});
            // Where its use of the stack has to be checked the interpreter goes on for a while.
            const bool checks_stack = checked_stack_ != mark.checked_stack;
            resumable = exits() != mark.exits + (checks_stack ? 1 : 0);
            if (!keeps_window_) window_.reset();
            left = false;
            continue;
        }
        code_.rewind(mark.place);
        const auto is_of_this = [&](const auto& jump) { return jump.instruction == number_; };
        std::erase_if(register_loads_, is_of_this);
        std::erase_if(misses_, is_of_this);
        std::erase_if(detours_, is_of_this);
        std::erase_if(lost_targets_, is_of_this);
        std::erase_if(exits_, is_of_this);
        flags_ = mark.flags;
        recipe_ = mark.recipe;
        vectors_ = mark.vectors;
        x87_ = mark.x87;
        const ZydisMnemonic mnemonic = known ? instruction_->mnemonic() : ZYDIS_MNEMONIC_INVALID;
        Untranslated::Counts& counts = untranslated_[mnemonic];
        ++counts.met;
        ++untranslated_count_;
        if (map_) map_->leave_to_interpreter();
        if (!left) {
            keep_flags();
            leave(number_, Why::Untranslated, &counts.left);
        }
        left = true;
        resumable = false;
        window_.reset();
        checked_stack_ = 0;
        flags_ = Flags::Image;
        overflow_is_clear_ = false;
        vectors_ = 0;
        x87_ = {};
    }
    if (!ended_ && !left) {
        note_x87();
        x87_before_.push_back(x87_);
        note(CodePart::Kind::Edge);
        keep_flags();
        if (is_direct(next_offset_))
            end_with(block.op_count, next_offset_);
        else
            go_far(check_far(block.op_count, next_offset_));
    }
    native.end = code_.place();
    code_.move_to(cold, cold_end);
    native.cold_start = cold;
    emit_resumptions();
    emit_side_exits();
    emit_detours();
    emit_misses();
    emit_far_checks();
    emit_lost_targets();
    emit_second_page_check();
    emit_exits();
    native.cold_end = code_.place();
}

// ---- Ways in ----

void Translator::emit_entries() {
    note(CodePart::Kind::Entry);
    code_.sub_immediate(Operand::of(budget), block_->instruction_count);
    open_edges_.push_back({nullptr, code_.jump_if(condition::sign)});
    if (native_->locality.is_counted)
        code_.increment32(offset_of::operand(offset_of::executions(native_->locality.counter)));
    if (block_->crosses_page) check_second_page();
}

// Control comes here by what is known of the first page alone.
void Translator::check_second_page() {
    native_->second_page = native_->far_links_end;
    native_->far_links_end += sizeof(FarLink);
    code_.load(scratch, offset_of::operand(offset_of::page_key));
    code_.patch(code_.cmp_of(scratch), native_->second_page + offsetof(FarLink, page_key));
    const auto jump = code_.jump_if(condition::not_equal);
    second_page_check_ = {jump, code_.place()};
}

// Where something else is mapped by now, the interpreter finds out what to execute.
void Translator::emit_second_page_check() {
    if (!second_page_check_) return;
    note(CodePart::Kind::Entry);
    code_.patch_here(second_page_check_->jump);
    flags_ = Flags::Image;
    recipe_.reset();
    code_.load_immediate(scratch, reinterpret_cast<std::uint64_t>(block_));
    code_.patch(code_.call(), ways_[static_cast<std::size_t>(Way::CheckSecondPage)]);
    code_.test32(scratch2);
    code_.patch(code_.jump_if(condition::not_equal), second_page_check_->back);
    leave(0, Why::SecondPage);
}

// The interpreter's handlers have the op in R13 and their chained value in R15.
void Translator::emit_resumptions() {
    note(CodePart::Kind::Entry);
    first_entry_ = code_.place();
    code_.load_immediate(r15, page_offset_);
    const auto entered = code_.lea_of(scratch);
    // Behind the budget, which the interpreter has looked at.
    code_.patch(entered, open_edges_.front().jump + 4);
    go(Way::Enter);

    for (const Resumption& resumption : resumable_) {
        note(CodePart::Kind::Resumption, resumption.instruction);
        resumptions_.emplace_back(first_op(resumption.instruction), code_.place());
        const auto inside = code_.lea_of(scratch);
        go(Way::Resume);
        code_.patch_here(inside);
        return_to_x87(resumption);
        if (resumption.vectors != 0) {
            code_.cmp_byte(offset_of::operand(offset_of::vectors), resumption.vectors);
            const auto load = code_.jump_if(condition::below);
            register_loads_.push_back({load,
                                       code_.place(),
                                       resumption.instruction,
                                       resumption.vectors == 1 ? Way::LoadXmm : Way::LoadYmm,
                                       {}});
        }
        flags_ = Flags::Image;
        check_stack_again(resumption);
        if (resumption.flags == Flags::Host || resumption.flags == Flags::Both) restore_flags();
        if (resumption.window == WindowKind::Page) code_.load_immediate(scratch, no_window);
        code_.patch(code_.jump(), resumption.place);
    }
}

// ---- Ways out ----

void Translator::go(Way way) { code_.patch(code_.jump(), ways_[static_cast<std::size_t>(way)]); }

std::uint16_t Translator::first_op(unsigned instruction) const {
    // The counter is in front of all.
    std::uint16_t op = 1;
    while (op < block_->op_count && block_->retired_before[op] < instruction)
        ++op;
    return op;
}

std::uint32_t Translator::op_offset(unsigned op) const {
    return static_cast<std::uint32_t>(sizeof(Block) + op * sizeof(x86::Op));
}

void Translator::leave(unsigned instruction, Why why, std::uint64_t* count) {
    exits_.push_back(
        {code_.jump(), static_cast<std::uint16_t>(instruction), why, recipe_in_use(), count});
}

void Translator::leave_if(unsigned condition, Why why) {
    exits_.push_back(
        {code_.jump_if(condition), static_cast<std::uint16_t>(number_), why, recipe_in_use()});
}

// The linear address is made again of what the check has left.
void Translator::emit_misses() {
    for (const Miss& miss : misses_) {
        note(CodePart::Kind::Miss, miss.instruction);
        code_.patch_here(miss.jump);
        const bool reads = miss.access == Access::Read;
        Way way = reads ? Way::RefillRead : Way::RefillWrite;
        if (miss.slot < x86::RecentPages::slots) {
            if (miss.is_stack_use)
                way = reads ? Way::RecallStackRead : Way::RecallStackWrite;
            else
                way = reads ? Way::RecallRead : Way::RecallWrite;
            code_.add(scratch, offset_of::operand(miss.tag));
            code_.load_immediate(scratch2,
                                 recall_argument(miss.size, miss.instruction,
                                                 recent_ + miss.slot * offset_of::recent_slot));
        } else {
            code_.add(scratch, offset_of::operand(miss.tag, scratch2, offset_of::fast_scale));
            code_.load_immediate(scratch2, miss.size);
        }
        code_.patch(code_.call(), ways_[static_cast<std::size_t>(way)]);
        code_.patch(code_.jump_if(condition::equal), miss.retry);
        if (miss.behind != 0) code_.patch(code_.jump_if(condition::above), miss.behind);
        use_recipe(miss.recipe);
        leave(miss.instruction, Why::Access);
    }
}

void Translator::emit_exits() {
    constexpr Way way_of[]{Way::LeaveUntranslated, Way::LeaveAccess, Way::LeaveTarget,
                           Way::LeaveValue, Way::LeaveSecondPage};
    const auto block = reinterpret_cast<std::uint64_t>(block_);
    // Those of one instruction for one reason are mostly the same.
    const auto kind = [](const Exit& exit) {
        return std::tuple{exit.why, exit.instruction, exit.recipe.has_value()};
    };
    std::ranges::sort(exits_, {}, kind);
    std::pmr::vector<Assembler::Jump> to_leave{exits_.get_allocator()};
    for (std::size_t i = 0; i < exits_.size();) {
        const Exit& exit = exits_[i];
        note(CodePart::Kind::Exit, exit.instruction);
        for (; i < exits_.size() && kind(exits_[i]) == kind(exit); ++i)
            code_.patch_here(exits_[i].jump);
        use_recipe(exit.recipe);
        keep_flags();
        emit_x87_notes(x87_before_[exit.instruction]);
        if (exit.count) {
            code_.load_immediate(scratch, reinterpret_cast<std::uint64_t>(exit.count));
            code_.increment(Operand::at(scratch));
        }
        code_.load_immediate(scratch, op_offset(first_op(exit.instruction)));
        if (i < exits_.size() && exits_[i].why == exit.why) {
            to_leave.push_back(code_.jump());
            continue;
        }
        for (const Assembler::Jump jump : to_leave)
            code_.patch_here(jump);
        to_leave.clear();
        code_.load_immediate(scratch2, block);
        go(way_of[static_cast<std::size_t>(exit.why)]);
    }
    for (const RegisterLoad& load : register_loads_) {
        note(CodePart::Kind::RegisterLoad, load.instruction);
        code_.patch_here(load.jump);
        use_recipe(load.recipe);
        keep_flags();
        emit_x87_notes(x87_before_[load.instruction]);
        code_.patch(code_.lea_of(scratch2), load.back);
        code_.byte(0x41);  // PUSH R14
        code_.byte(0x56);
        code_.load_immediate(scratch, op_offset(first_op(load.instruction)));
        code_.load_immediate(scratch2, block);
        go(load.way);
    }
    for (const OpenEdge& edge : open_edges_) {
        note(CodePart::Kind::Edge);
        code_.patch_here(edge.jump);
        if (edge.edge) {
            edge.edge->displacement = edge.jump;
            edge.edge->stub = code_.place();
        }
        code_.load_immediate(scratch, op_offset(edge.edge ? edge.edge->op : 0));
        code_.load_immediate(scratch2, block);
        if (edge.edge) {
            go(Way::LeaveByEdge);
        } else {
            code_.patch(code_.call(), ways_[static_cast<std::size_t>(Way::NeedBudget)]);
            code_.patch(code_.jump(), edge.jump + 4);
        }
    }
}

Edge& Translator::add_edge(unsigned op, std::uint32_t target) {
    native_->edges.push_back({.op = static_cast<std::uint16_t>(op), .target_offset = target});
    return native_->edges.back();
}

void Translator::end_with(unsigned op, std::uint32_t target) {
    open_edges_.push_back({&add_edge(op, target), code_.jump()});
}

// The instructions behind the branch go back to the budget.
void Translator::emit_side_exits() {
    for (const SideExit& exit : side_exits_) {
        code_.patch_here(exit.jump);
        number_ = exit.instruction;
        flags_ = exit.flags;
        overflow_is_clear_ = exit.overflow_is_clear;
        keep_flags();
        const auto refund = [&] {
            const int rest = block_->instruction_count - (exit.instruction + 1);
            code_.sub_immediate(Operand::of(budget), -rest);
        };
        if (is_direct(exit.target)) {
            refund();
            end_with(first_op(exit.instruction), exit.target);
        } else {
            Edge& edge = check_far(first_op(exit.instruction), exit.target);
            refund();
            go_far(edge);
        }
    }
}

// ---- Vector registers ----

void Translator::need_vectors(unsigned size) {
    if (vectors_ >= size) return;
    lose_flags();
    code_.cmp_byte(offset_of::operand(offset_of::vectors), size);
    const auto load = code_.jump_if(condition::below);
    register_loads_.push_back({load, code_.place(), static_cast<std::uint16_t>(number_),
                               size == 1 ? Way::LoadXmm : Way::LoadYmm, recipe_in_use()});
    vectors_ = static_cast<std::uint8_t>(size);
    window_.reset();
}

}  // namespace backplane::jit
