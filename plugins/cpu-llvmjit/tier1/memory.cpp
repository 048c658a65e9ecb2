// Addresses, and accesses through the first-level TLB.
#include "interp/core.h"
#include "tier1/core_offsets.h"
#include "tier1/operands.h"
#include "tier1/translator.h"
#include "x86/host_features.h"
#include "x86/tlb.h"

#include <cstddef>

namespace backplane::jit {
namespace {

// Not one of a recent page.
constexpr std::uint8_t no_slot = 0xff;

unsigned shift_of(unsigned scale) { return scale == 8 ? 3 : scale == 4 ? 2 : scale == 2 ? 1 : 0; }

}  // namespace

// Base, index and displacement, as LEA gives them; of 32 bits, zero-extended. Nothing but the
// result goes to `to`; what is not in a register is loaded to `by`.
void Translator::form_effective_address(Host to, const ZydisOperand& operand, Host by, bool wide) {
    const auto& mem = operand.mem;
    const auto lea = [&](const Operand& address) {
        code_.emit({.byte = 0x8d, .wide = wide}, to, address);
    };
    const auto displacement = static_cast<std::int32_t>(mem.disp.has_displacement ? mem.disp.value
                                                                                  : 0);
    if (mem.base == ZYDIS_REGISTER_RIP || mem.base == ZYDIS_REGISTER_EIP) {
        code_.load(by, offset_of::operand(offset_of::page_ip));
        const std::int64_t sum = std::int64_t{displacement} + next_offset_;
        if (sum != static_cast<std::int32_t>(sum)) {
            code_.lea(by, Operand::at(by, displacement));
            lea(Operand::at(by, static_cast<std::int32_t>(next_offset_)));
        } else {
            lea(Operand::at(by, static_cast<std::int32_t>(sum)));
        }
    } else {
        const bool has_base = mem.base != ZYDIS_REGISTER_NONE;
        const bool has_index = mem.index != ZYDIS_REGISTER_NONE && mem.scale != 0;
        const bool index_in_memory = has_index && !is_pinned(number_of(mem.index));
        const bool base_in_memory = has_base && !is_pinned(number_of(mem.base));
        if (index_in_memory && base_in_memory) {
            code_.load(scratch2, slot(number_of(mem.index)));
            code_.load(by, slot(number_of(mem.base)));
            lea(Operand::at(by, scratch2, shift_of(mem.scale), displacement));
        } else if (!has_base && !has_index) {
            const auto address = static_cast<std::uint64_t>(mem.disp.value);
            code_.load_immediate(to, wide ? address : address & 0xffff'ffff);
        } else {
            const Host base = has_base ? value_of(number_of(mem.base), by) : by;
            const Host index = has_index ? value_of(number_of(mem.index), by) : by;
            Operand address{.displacement = displacement};
            if (has_base) address.base = base;
            if (has_index) {
                address.index = index;
                address.scale = static_cast<std::uint8_t>(shift_of(mem.scale));
            }
            if (has_base && !has_index && displacement == 0) {
                if (!wide)
                    code_.mov32(to, base);
                else if (base != to)
                    code_.mov(to, base);
            } else {
                lea(address);
            }
        }
    }
}

void Translator::form_address(Host to, const ZydisOperand& operand) {
    form_effective_address(to, operand);
    if (operand.mem.segment == ZYDIS_REGISTER_FS) add_segment_base(to, x86::FS, operand.size / 8u);
    if (operand.mem.segment == ZYDIS_REGISTER_GS) add_segment_base(to, x86::GS, operand.size / 8u);
}

// In 64-bit code the base is all that counts. Elsewhere the offset may not reach beyond 4 GiB,
// though the sum may.
void Translator::add_segment_base(Host to, unsigned segment, unsigned size) {
    lose_flags();
    const Operand base = offset_of::operand(offset_of::segment_base(segment));
    if (is_code64()) {
        code_.add(to, base);
        return;
    }
    code_.cmp_byte(offset_of::operand(offset_of::is_unlimited(segment)), 0);
    leave_if(condition::equal);
    if (size > 1) {
        code_.cmp32_immediate(to, -static_cast<std::int32_t>(size));
        leave_if(condition::above);
    }
    code_.emit({.byte = 0x03}, to, base);
}

// Which slot of recent pages an access looks into. What is reached through one register stays where
// it was for a while, mostly.
unsigned Translator::slot_of(const ZydisOperand& operand) const {
    constexpr unsigned fixed = 16;
    constexpr std::uint64_t fixed_slots = x86::RecentPages::slots - fixed;
    const auto& mem = operand.mem;
    if (is_general(mem.base)) return number_of(mem.base);
    if (mem.index != ZYDIS_REGISTER_NONE && mem.scale != 0) return number_of(mem.index);
    auto place = static_cast<std::uint64_t>(mem.disp.has_displacement ? mem.disp.value : 0);
    if (mem.base != ZYDIS_REGISTER_NONE)  // RIP
        place += next_offset_ + (block_->physical & ~x86::page_offset_mask);
    return static_cast<unsigned>(fixed + (place >> x86::page_shift) % fixed_slots);
}

// Those to the stack are; of others it has to be found out.
bool Translator::is_mostly_recent(const ZydisOperand& operand) {
    const Locality::Known& known = native_->locality;
    if (!has_recent_ || (known.scattered >> number_ & 1)) return false;
    const bool is_indexed = operand.mem.index != ZYDIS_REGISTER_NONE && operand.mem.scale != 0;
    if (known.is_hot ||
        (!is_indexed && is_general(operand.mem.base) && number_of(operand.mem.base) == x86::RSP))
        return true;
    native_->has_unknown_accesses = true;
    return false;
}

// Leaves the offset within the page in `scratch` and the host's page in `scratch2`.
void Translator::check_recent(Access access, unsigned size, unsigned slot) {
    const std::size_t place = recent_ + slot * offset_of::recent_slot;
    const std::size_t tag = place + (access == Access::Read ? offset_of::recent_reads
                                                            : offset_of::recent_writes);
    const std::uint32_t retry = code_.place();
    code_.sub(scratch, offset_of::operand(tag));
    code_.cmp_immediate(scratch, static_cast<std::int32_t>(x86::page_size - size));
    misses_.push_back({code_.jump_if(condition::above), retry, tag,
                       static_cast<std::uint16_t>(number_), static_cast<std::uint8_t>(size),
                       static_cast<std::uint8_t>(slot), access, recipe_in_use()});
    code_.load(scratch2, offset_of::operand(place + offset_of::recent_hosts));
}

// As x86::fast_index does.
void Translator::form_fast_index(Host to, Host from) {
    if (x86::has_fast_pext()) {
        code_.patch(code_.extract_bits_of(to, from), fast_index_mask);
        return;
    }
    code_.mov(to, from);
    code_.shr(to, x86::page_shift);
    code_.and32(to, x86::fast_pages - 1);
}

// The same, by the first level's columns.
void Translator::check(Access access, unsigned size) {
    const std::size_t tag = tlb_ +
                            (access == Access::Read ? offset_of::read_tags : offset_of::write_tags);
    const std::uint32_t retry = code_.place();
    form_fast_index(scratch2, scratch);
    code_.sub(scratch, offset_of::operand(tag, scratch2, offset_of::fast_scale));
    code_.cmp_immediate(scratch, static_cast<std::int32_t>(x86::page_size - size));
    misses_.push_back({code_.jump_if(condition::above), retry, tag,
                       static_cast<std::uint16_t>(number_), static_cast<std::uint8_t>(size),
                       no_slot, access, recipe_in_use()});
    code_.load(scratch2,
               offset_of::operand(tlb_ + offset_of::hosts, scratch2, offset_of::fast_scale));
}

void Translator::may_cross(Access access, unsigned size) {
    if (access == Access::Read && size <= sizeof(interp::Core::transfer))
        misses_.back().behind = code_.place();
}

Operand Translator::access(const ZydisOperand& operand, Access access, bool keep_scratch2_free,
                           unsigned alignment) {
    const unsigned size = operand.size / 8u;
    if (alignment == 1)
        if (const auto place = in_stack_use(operand, access)) return *place;
    const auto address = address_of(operand);
    const auto distance = address ? distance_from_window(*address, access) : std::nullopt;
    std::int32_t displacement = 0;
    if (distance) {
        lose_flags();
        const auto last = static_cast<std::int32_t>(x86::page_size - size);
        Assembler::Jump beyond = 0;
        if (*distance >= window_->checked &&
            *distance % static_cast<std::int32_t>(alignment) == 0) {
            // Ahead of what is in the page: it only has to end there.
            displacement = *distance;
            code_.cmp_immediate(scratch, last - displacement);
            beyond = code_.jump_if(condition::greater);
        } else {
            if (*distance != 0) code_.lea(scratch, Operand::at(scratch, *distance));
            window_->address = *address;
            code_.cmp_immediate(scratch, last);
            beyond = code_.jump_if(condition::above);
        }
        window_->checked = displacement;
        detours_.push_back({beyond, code_.place(), operand, next_offset_,
                            static_cast<std::uint16_t>(number_), static_cast<std::uint8_t>(size),
                            window_->access, displacement, recipe_in_use(), alignment == 1});
    } else {
        form_address(scratch, operand);
        lose_flags();
        if (is_mostly_recent(operand))
            check_recent(access, size, slot_of(operand));
        else
            check(access, size);
        if (alignment == 1) may_cross(access, size);
        window_.reset();
        if (address) window_ = Window{WindowKind::Page, *address, access, 0};
    }
    if (alignment > 1) {
        code_.test_byte(scratch, alignment - 1);
        leave_if(condition::not_equal, Why::Access);
    }
    if (keep_scratch2_free) {
        code_.add(scratch, Operand::of(scratch2));
        window_.reset();
        return Operand::at(scratch, displacement);
    }
    return Operand::at(scratch2, scratch, 0, displacement);
}

Operand Translator::stack_access(unsigned guest, std::int32_t displacement, Access access,
                                 bool keep_scratch2_free) {
    ZydisOperand operand{};
    operand.size = static_cast<std::uint16_t>(word() * 8);
    operand.mem.base = address_register(guest);
    operand.mem.disp.has_displacement = true;
    operand.mem.disp.value = displacement;
    // It says nothing about the stack.
    address_width_ = static_cast<std::uint8_t>(word() * 8);
    return this->access(operand, access, keep_scratch2_free);
}

// ---- The stack ----

std::optional<Operand> Translator::in_stack_use(const ZydisOperand& operand, Access access) {
    const StackUse::Group* group = stack_use_.group_at(number_);
    if (!group || !StackUse::is_on_stack(operand) || address_width_ != 64) return std::nullopt;
    const std::int64_t displacement = operand.mem.disp.has_displacement ? operand.mem.disp.value
                                                                        : 0;
    const std::int64_t start = stack_use_.pointer_at(number_) + displacement;
    const bool is_part = start >= group->start && start + operand.size / 8 <= group->end &&
                         (access == Access::Read || group->access == Access::Write);
    if (!is_part) return std::nullopt;
    if (checked_stack_ != group->number) {
        // It was found to be in another page than the one before too often.
        if (native_->locality.scattered >> number_ & 1) return std::nullopt;
        lose_flags();
        check_stack_use(*group, number_);
        misses_.back().recipe = recipe_in_use();
        checked_stack_ = group->number;
    } else if (window_kind() != WindowKind::Stack) {
        code_.load(scratch, offset_of::operand(offset_of::stack_host));
    }
    window_ = Window{.kind = WindowKind::Stack, .address = {}, .access = access, .checked = 0};
    return Operand::at(scratch, static_cast<std::int32_t>(start - group->start));
}

// In front of this instruction; `scratch` is where the host has the group's first byte.
void Translator::check_stack_use(const StackUse::Group& group, unsigned instruction) {
    const std::size_t place = recent_ + x86::RSP * offset_of::recent_slot;
    const std::size_t tag = place + (group.access == Access::Read ? offset_of::recent_reads
                                                                  : offset_of::recent_writes);
    const std::int32_t size = group.end - group.start;
    code_.lea(scratch,
              Operand::at(pinned(x86::RSP), group.start - stack_use_.pointer_at(instruction)));
    const std::uint32_t retry = code_.place();
    code_.sub(scratch, offset_of::operand(tag));
    code_.cmp_immediate(scratch, static_cast<std::int32_t>(x86::page_size) - size);
    misses_.push_back({.jump = code_.jump_if(condition::above),
                       .retry = retry,
                       .tag = tag,
                       .instruction = static_cast<std::uint16_t>(instruction),
                       .size = static_cast<std::uint8_t>(size),
                       .slot = x86::RSP,
                       .access = group.access,
                       .recipe = {},
                       .is_stack_use = true});
    code_.add(scratch, offset_of::operand(place + offset_of::recent_hosts));
    code_.store(offset_of::operand(offset_of::stack_host), scratch);
}

// Where the interpreter comes back to the middle of a group.
void Translator::check_stack_again(const Resumption& resumption) {
    const StackUse::Group* group = stack_use_.group(resumption.checked_stack);
    if (group && group->last >= resumption.instruction)
        check_stack_use(*group, resumption.instruction);
}

// ---- Accesses near the one before ----

std::optional<Translator::Address> Translator::address_of(const ZydisOperand& operand) const {
    const auto& mem = operand.mem;
    if (mem.segment == ZYDIS_REGISTER_FS || mem.segment == ZYDIS_REGISTER_GS) return std::nullopt;
    if (address_width_ != word() * 8) return std::nullopt;
    const std::int64_t displacement = mem.disp.has_displacement ? mem.disp.value : 0;
    const bool has_index = mem.index != ZYDIS_REGISTER_NONE && mem.scale != 0;
    return Address{.base = mem.base,
                   .index = has_index ? mem.index : ZYDIS_REGISTER_NONE,
                   .scale = has_index ? mem.scale : std::uint8_t{0},
                   .displacement = displacement +
                                   (mem.base == ZYDIS_REGISTER_RIP ? next_offset_ : 0)};
}

std::optional<std::int32_t> Translator::distance_from_window(const Address& address,
                                                             Access access) const {
    if (window_kind() != WindowKind::Page) return std::nullopt;
    const Address& known = window_->address;
    if (known.base != address.base || known.index != address.index || known.scale != address.scale)
        return std::nullopt;
    if (access == Access::Write && window_->access == Access::Read) return std::nullopt;
    const std::int64_t distance = address.displacement - known.displacement;
    constexpr std::int64_t far = 2048;
    if (distance < -far || distance > far) return std::nullopt;
    return static_cast<std::int32_t>(distance);
}

void Translator::wrote(unsigned guest) {
    const auto is_this = [&](ZydisRegister name) {
        return is_general(name) && number_of(name) == guest;
    };
    if (window_ && (is_this(window_->address.base) || is_this(window_->address.index)))
        window_.reset();
}

void Translator::moved(unsigned guest, std::int64_t distance) {
    if (!window_) return;
    const ZydisRegister name = address_register(guest);
    if (window_->address.index == name)
        window_.reset();
    else if (window_->address.base == name)
        window_->address.displacement -= distance;
}

// What lies in another page after all is looked up as any other access.
void Translator::emit_detours() {
    for (const Detour& detour : detours_) {
        note(CodePart::Kind::Detour, detour.instruction);
        code_.patch_here(detour.jump);
        number_ = detour.instruction;
        next_offset_ = detour.next_offset;
        address_width_ = static_cast<std::uint8_t>(word() * 8);
        use_recipe(detour.recipe);
        form_effective_address(scratch, detour.operand);
        check(detour.access, detour.size);
        if (detour.may_cross) may_cross(detour.access, detour.size);
        if (detour.distance != 0) code_.lea(scratch, Operand::at(scratch, -detour.distance));
        code_.patch(code_.jump(), detour.back);
    }
}

// ---- Registers ----

Operand Translator::slot(unsigned guest) {
    return Operand::at(core, static_cast<std::int32_t>(guest * 8));
}

Host Translator::value_of(unsigned guest, Host otherwise) {
    if (is_pinned(guest)) return pinned(guest);
    code_.load(otherwise, slot(guest));
    return otherwise;
}

Operand Translator::place_of(unsigned guest) const {
    return is_pinned(guest) ? Operand::of(pinned(guest)) : slot(guest);
}

void Translator::set(unsigned guest, Host from) {
    if (is_pinned(guest))
        code_.mov(pinned(guest), from);
    else
        code_.store(slot(guest), from);
}

}  // namespace backplane::jit
