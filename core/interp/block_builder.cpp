#include "interp/block_builder.h"

#include "interp/dispatch.h"
#include "interp/handlers.h"
#include "x86/cpu_state.h"
#include "x86/instruction_set.h"

#include <algorithm>
#include <cstring>

namespace backplane::interp {
namespace {

using x86::DecodeStatus;
using x86::Vector;

constexpr auto raise_invalid_opcode = [](auto& m) {
    return m.raise({.vector = Vector::InvalidOpcode});
};
constexpr auto raise_too_long = [](auto& m) {
    return m.raise({.vector = Vector::GeneralProtection});
};

// Instructions that enter a handler and may clear TF on the way.
bool is_software_interrupt(ZydisMnemonic mnemonic) {
    return mnemonic == ZYDIS_MNEMONIC_INT || mnemonic == ZYDIS_MNEMONIC_INT1 ||
           mnemonic == ZYDIS_MNEMONIC_INT3 || mnemonic == ZYDIS_MNEMONIC_INTO ||
           mnemonic == ZYDIS_MNEMONIC_SYSCALL;
}

// Spares decoding most instructions twice. SDM 2, Jcc: 70 to 7F, 0F 80 to 0F 8F.
bool looks_like_jcc(std::span<const std::byte> bytes) {
    const auto byte = [&](std::size_t i) { return std::to_integer<unsigned>(bytes[i]); };
    return byte(0) >> 4 == 7 || (byte(0) == 0x0f && bytes.size() > 1 && byte(1) >> 4 == 8);
}

// Neither LOOP nor JCXZ, nor one with 16 bits.
bool is_plain_jcc(const x86::Instruction& instruction) {
    const auto& decoded = instruction.decoded;
    const unsigned group = decoded.opcode >> 4;
    return decoded.meta.category == ZYDIS_CATEGORY_COND_BR &&
           group == (decoded.opcode_map == ZYDIS_OPCODE_MAP_0F ? 8 : 7) &&
           !instruction.has(ZYDIS_ATTRIB_HAS_OPERANDSIZE);
}

bool has_no_index(const Op& op) { return op.index == offsetof(x86::CpuState, zero); }

}  // namespace

BlockBuilder::BlockBuilder(BlockCache& blocks, const x86::CpuModel& model,
                           x86::SystemServices& services, std::size_t max_instructions,
                           std::uint32_t compile_threshold)
    : blocks_{blocks}, model_{model}, services_{services},
      max_instructions_{std::min(max_instructions, block_max_instructions)},
      compile_threshold_{compile_threshold}, decoder_{x86::decoder_features(model)},
      forms_{make_forms()} {}

Block* BlockBuilder::build(const CodeBytes& code, std::uint8_t mode) {
    return build(code, mode, nullptr);
}

Block* BlockBuilder::build(const CodeBytes& code, std::uint8_t mode, const GoesOn& goes_on) {
    ops_ = instructions_ = decoded_ = bytes_ = last_instruction_ = 0;
    if (goes_on && !kept_)
        kept_ = std::make_unique_for_overwrite<x86::Instruction[]>(block_max_instructions);
    software_interrupt_ = false;
    if (counts_)
        add_counter<&count_block>(0);
    else if (is_counted(mode))
        add_counter<&count_execution>(compile_threshold_);
    for (;;) {
        const Progress progress = add(code, mode, goes_on);
        if (progress == Progress::NeedsNextPage) return nullptr;
        if (progress == Progress::EndBefore) break;
        const bool whole = instructions_ == max_instructions_ || (mode & block_mode::single);
        if (progress == Progress::EndBlock || whole || bytes_ >= code.in_first_page) break;
    }
    return finish(code, mode);
}

BlockBuilder::Progress BlockBuilder::add(const CodeBytes& code, std::uint8_t mode,
                                         const GoesOn& goes_on) {
    // Only the first instruction may reach into the next page.
    const bool first = instructions_ == 0;
    const std::size_t end = first ? code.bytes.size() : code.in_first_page;
    const std::span<const std::byte> bytes = code.bytes.subspan(bytes_, end - bytes_);

    x86::Instruction passing;
    x86::Instruction& instruction = goes_on ? kept_[decoded_] : passing;
    const auto code_size = static_cast<x86::CodeSize>(mode & block_mode::code_size);
    switch (decoder_.decode(bytes, code_size, code.ip + bytes_, instruction)) {
    case DecodeStatus::NeedsMoreBytes: return first ? Progress::NeedsNextPage : Progress::EndBefore;
    case DecodeStatus::TooLong:
        add_fault(InterpreterEngine::handler<raise_too_long>(), bytes.size());
        return Progress::EndBlock;
    case DecodeStatus::Invalid:
        add_fault(InterpreterEngine::handler<raise_invalid_opcode>(), bytes.size());
        return Progress::EndBlock;
    case DecodeStatus::Complete: break;
    }
    instruction.block_ip = code.ip;
    if (!x86::has_instruction(model_, instruction)) {
        add_fault(InterpreterEngine::handler<raise_invalid_opcode>(), bytes.size());
        return Progress::EndBlock;
    }
    ++decoded_;

    Op op;
    const Handler handler = forms_.bind(instruction, op);
    if (!handler) {
        services_.report_once(x86::Unknown::Instruction, instruction.mnemonic());
        add_fault(InterpreterEngine::handler<raise_invalid_opcode>(), bytes.size());
        return Progress::EndBlock;
    }
    Op address;
    if (const Handler address_handler = bind_address_op(instruction, address))
        add_op(address, address_handler, {.is_known = true});
    if (add_fused(code, mode, instruction)) return Progress::EndBlock;
    add_op(op, handler, effects_of(instruction));
    last_instruction_ = bytes_;
    ++instructions_;
    bytes_ += instruction.decoded.length;
    software_interrupt_ = is_software_interrupt(instruction.mnemonic());
    if (!x86::ends_block(instruction) || goes_on_behind(instruction, goes_on))
        return Progress::Continue;
    return Progress::EndBlock;
}

bool BlockBuilder::goes_on_behind(const x86::Instruction& instruction, const GoesOn& goes_on) {
    if (!goes_on || instructions_ == max_instructions_) return false;
    const auto target = x86::branch_target(instruction);
    if (!target || !is_plain_jcc(instruction)) return false;
    const auto taken = static_cast<std::int64_t>(*target - instruction.block_ip);
    if (!goes_on(taken, static_cast<std::uint32_t>(bytes_))) return false;
    static constexpr Variant only_compiled[]{{&leave_to_interpreter, 0, Left::None}};
    drafts_[ops_ - 1].handler = Handler{only_compiled};
    return true;
}

bool BlockBuilder::would_go_on(const Block& block, std::span<const std::byte> bytes,
                               const GoesOn& goes_on) const {
    const BlockLinks& links = block.links();
    const std::span<const std::byte> branch = bytes.subspan(
        links.branch_offset, links.next_offset - links.branch_offset);
    if (block.instruction_count == max_instructions_ || !looks_like_jcc(branch)) return false;
    std::int32_t distance = (std::to_integer<std::int32_t>(branch[1]) ^ 0x80) - 0x80;
    if (branch[0] == std::byte{0x0f}) std::memcpy(&distance, &branch[2], sizeof distance);
    return goes_on(std::int64_t{links.next_offset} + distance, links.next_offset);
}

// A block that may be compiled is left and entered before each of its instructions.
bool BlockBuilder::is_apart(std::uint8_t mode) const {
    return (mode & (block_mode::single | block_mode::unfused)) != 0 || is_counted(mode);
}

// An instruction whose flags are consumed at once, as those of almost all comparisons are. Both
// instructions have to lie in the first page.
bool BlockBuilder::add_fused(const CodeBytes& code, std::uint8_t mode,
                             const x86::Instruction& first) {
    if (is_apart(mode) || instructions_ + 2 > max_instructions_) return false;
    const std::size_t behind = bytes_ + first.decoded.length;
    if (behind >= code.in_first_page) return false;
    const std::span<const std::byte> bytes = code.bytes.subspan(behind,
                                                                code.in_first_page - behind);
    if (!looks_like_jcc(bytes)) return false;

    x86::Instruction jump;
    const auto code_size = static_cast<x86::CodeSize>(mode & block_mode::code_size);
    if (decoder_.decode(bytes, code_size, code.ip + behind, jump) != DecodeStatus::Complete)
        return false;
    jump.block_ip = code.ip;
    Op op;
    const Handler handler = bind_fused_op(first, jump, op);
    if (!handler) return false;
    add_op(op, handler, effects_of(first));
    last_instruction_ = behind;
    instructions_ += 2;
    bytes_ = behind + jump.decoded.length;
    return true;
}

bool BlockBuilder::is_counted(std::uint8_t mode) const {
    return compile_threshold_ != 0 && !(mode & (block_mode::single | block_mode::interpreted));
}

// No instruction's op.
template <HandlerFunction function>
void BlockBuilder::add_counter(std::uint64_t start) {
    Op op;
    op.immediate = start;
    static constexpr Variant counter[]{{function, 0, Left::None}};
    add_op(op, Handler{counter}, {.is_known = true, .is_harmless = true, .flags = FlagUse::Leaves});
}

void BlockBuilder::add_op(const Op& op, Handler handler, const Effects& effects) {
    drafts_[ops_++] = {.op = op,
                       .handler = handler,
                       .effects = effects,
                       .retired_before = static_cast<std::uint8_t>(instructions_),
                       .known = has_no_index(op) ? knows::no_index : std::uint8_t{0}};
}

// Every byte that was looked at belongs to the block: writing over any may make an instruction of
// it.
void BlockBuilder::add_fault(Handler handler, std::size_t bytes) {
    Op op;
    op.offset = static_cast<std::uint16_t>(bytes_);
    add_op(op, handler, {});
    last_instruction_ = bytes_;
    ++instructions_;
    bytes_ += std::min(bytes, x86::Decoder::max_length);
}

// Flags that are replaced before anybody can look at them need not be kept. From where they are
// missing the block is not left before they are there again.
void BlockBuilder::find_unread_flags() {
    bool unread = false;  // who comes behind the block may read them
    for (std::size_t i = ops_; i-- > 0;) {
        Draft& draft = drafts_[i];
        if (!draft.effects.is_harmless) {
            unread = false;
            continue;
        }
        if (unread && draft.effects.flags != FlagUse::Leaves) draft.known |= knows::flags_unread;
        if (draft.effects.flags == FlagUse::Reads) unread = false;
        if (draft.effects.flags == FlagUse::Replaces) unread = true;
    }
    bool missing = false;
    for (std::size_t i = 0; i < ops_; ++i) {
        Draft& draft = drafts_[i];
        if (missing) draft.retired_before = drafts_[i - 1].retired_before;
        if (draft.effects.flags == FlagUse::Leaves) continue;
        missing = (draft.known & knows::flags_unread) != 0;
    }
}

// Follows the register that is in a host register too.
void BlockBuilder::choose_handlers(bool apart) {
    constexpr unsigned none = 0xff, stack_pointer = x86::RSP * 8;
    unsigned last = none;
    for (std::size_t i = 0; i < ops_; ++i) {
        Draft& draft = drafts_[i];
        const Effects& effects = draft.effects;
        if (!apart) {
            if (draft.op.reg == last) draft.known |= knows::reg_is_last;
            if (draft.op.rm == last) draft.known |= knows::rm_is_last;
            if (last == stack_pointer) draft.known |= knows::stack_is_last;
        }
        const Variant& variant = draft.handler.choose(draft.known);
        draft.op.handler = reinterpret_cast<const void*>(variant.function);
        if (variant.leaves != Left::None && variant.leaves == effects.leaves)
            last = variant.leaves == Left::Reg ? draft.op.reg : stack_pointer;
        else if (!effects.is_known || (effects.written && variant.leaves != Left::None) ||
                 (last != none && (effects.written >> (last / 8) & 1)))
            last = none;
    }
}

BlockCount& BlockBuilder::count_of(const Block& block, const CodeBytes& code) {
    const auto view = static_cast<View>((block.mode & block_mode::view) >> block_mode::view_shift);
    const auto size = block.mode & block_mode::code_size;
    const bool is_user = privilege_of(view) == x86::Privilege::User;
    return counts_->of({.linear = code.linear,
                        .physical = code.physical,
                        .length = block.instruction_count,
                        .bytes = block.bytes,
                        .privilege = static_cast<std::uint8_t>(is_user ? 3 : 0),
                        .code_size = static_cast<std::uint8_t>(16u << size)});
}

Block* BlockBuilder::finish(const CodeBytes& code, std::uint8_t mode) {
    const bool apart = is_apart(mode);
    if (!apart) find_unread_flags();
    choose_handlers(apart);
    Block* block = blocks_.allocate(ops_);
    block->physical = code.physical;
    block->mode = mode;
    block->segment_end = code.segment_end;
    block->is_software_interrupt = software_interrupt_;
    block->bytes = static_cast<std::uint16_t>(bytes_);
    block->instruction_count = static_cast<std::uint16_t>(instructions_);
    block->length = static_cast<std::int64_t>(instructions_);
    block->crosses_page = bytes_ > code.in_first_page;
    block->second_page = block->crosses_page ? code.second_page : 0;
    block->links().next_offset = static_cast<std::uint32_t>(bytes_);
    block->links().branch_offset = static_cast<std::uint32_t>(last_instruction_);
    for (std::size_t i = 0; i < ops_; ++i) {
        block->ops()[i] = drafts_[i].op;
        block->retired_before[i] = drafts_[i].retired_before;
    }
    block->retired_before[ops_] = static_cast<std::uint8_t>(instructions_);
    block->has_counter = counts_ != nullptr;
    if (counts_) block->ops()->immediate = reinterpret_cast<std::uint64_t>(&count_of(*block, code));
    return block;
}

}  // namespace backplane::interp
