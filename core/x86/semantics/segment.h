// Segment registers and descriptor tables: loads, stores and the instructions that ask about
// selectors (SDM 2).
#pragma once

#include "x86/control_registers.h"
#include "x86/machine.h"
#include "x86/operand.h"
#include "x86/segmentation.h"
#include "x86/semantics/system.h"
#include "x86/stack_frame.h"

namespace backplane::x86::semantics {

// A checked segment goes into its register. In 64-bit code that changes nothing that an engine
// relies on; SS is left for what it holds back.
inline constexpr auto take_segment = [](auto& m, unsigned index, const SegmentRegister& segment) {
    CpuState& state = m.state();
    state.segments[index] = segment;
    const bool matters = !state.code64() && m.system().segments_changed();
    return matters || index == SS ? Outcome::Leave : Outcome::Next;
};

// MOV and POP of SS hold interrupts and debug exceptions for one instruction (SDM 3A 6.8.3); LSS,
// which loads the pointer too, does not.
inline constexpr auto hold_events_behind_stack_load = [](CpuState& state, unsigned index) {
    if (index == SS) state.interrupt_shadow = state.debug_shadow = true;
};

// MOV sreg, r/m16. The segment register's number is in Op::reg.
inline constexpr auto load_segment = [](auto& m, auto src) {
    const auto selector = src.read(m);
    if (!selector) return Outcome::Fault;
    const unsigned index = m.op().reg;
    const auto segment = check_segment(m, index, {static_cast<std::uint16_t>(*selector)});
    if (!segment) return Outcome::Fault;
    hold_events_behind_stack_load(m.state(), index);
    return take_segment(m, index, *segment);
};

// MOV r/m, sreg: a register destination is zero-extended, memory takes two bytes.
inline constexpr auto store_segment = [](auto& m, auto dst) {
    using T = typename decltype(dst)::Value;
    return dst.write(m, static_cast<T>(m.state().segments[m.op().reg].selector)) ? Outcome::Next
                                                                                 : Outcome::Fault;
};

template <class T>
inline constexpr auto push_segment = [](auto& m) {
    TransferStack stack{m};
    if (!stack.template push<T>(m.state().segments[m.op().reg].selector)) return Outcome::Fault;
    stack.commit();
    return Outcome::Next;
};

template <class T>
inline constexpr auto pop_segment = [](auto& m) {
    TransferStack stack{m};
    const auto value = stack.template pop<T>();
    if (!value) return Outcome::Fault;
    const unsigned index = m.op().reg;
    const auto segment = check_segment(m, index, {static_cast<std::uint16_t>(*value)});
    if (!segment) return Outcome::Fault;
    stack.commit();
    hold_events_behind_stack_load(m.state(), index);
    return take_segment(m, index, *segment);
};

// LDS, LES, LFS, LGS, LSS. The general register is Op::reg, the segment register's number is in
// Op::extra.
inline constexpr auto load_far_pointer = [](auto& m, auto dst, auto src) {
    const auto pointer = src.read_far(m);
    if (!pointer) return Outcome::Fault;
    const unsigned index = m.op().extra;
    const auto segment = check_segment(m, index, pointer->selector);
    if (!segment) return Outcome::Fault;
    dst.write(m, static_cast<typename decltype(dst)::Value>(pointer->offset));
    return take_segment(m, index, *segment);
};

// LGDT, LIDT: a limit of two bytes and a base of Base; with a 16-bit operand size the base has 24
// bits (SDM 2 LGDT).
template <DescriptorTableRegister CpuState::* table, class Base, std::uint64_t base_mask>
inline constexpr auto load_table = [](auto& m, auto src) {
    if (!privileged(m)) return Outcome::Fault;
    const std::uint64_t address = src.address(m);
    const auto limit = m.template load<std::uint16_t>(address);
    if (!limit) return Outcome::Fault;
    const auto base = m.template load<Base>(address + 2);
    if (!base) return Outcome::Fault;
    if (sizeof(Base) == 8 && !is_canonical(*base)) return m.raise(general_protection());
    m.state().*table = {.base = *base & base_mask, .limit = *limit};
    return Outcome::Next;
};

// SGDT, SIDT: later processors store all of the base whatever the operand size.
template <DescriptorTableRegister CpuState::* table, class Base>
inline constexpr auto store_table = [](auto& m, auto dst) {
    if (!may_see_system_registers(m)) return Outcome::Fault;
    const std::uint64_t address = dst.address(m);
    const DescriptorTableRegister& source = m.state().*table;
    // The probe keeps a fault on the base from leaving a limit behind.
    if (!m.template update<Base>(address + 2, [](Base before) { return before; }))
        return Outcome::Fault;
    if (!m.store(address, static_cast<std::uint16_t>(source.limit))) return Outcome::Fault;
    if (!m.store(address + 2, static_cast<Base>(source.base))) return Outcome::Fault;
    return Outcome::Next;
};

inline constexpr auto needs_protected_mode = [](auto& m) {
    if (uses_descriptors(m.state())) [[likely]]
        return true;
    m.raise({.vector = Vector::InvalidOpcode});
    return false;
};

// SLDT, STR.
template <SegmentRegister CpuState::* which>
inline constexpr auto store_system_selector = [](auto& m, auto dst) {
    if (!needs_protected_mode(m) || !may_see_system_registers(m)) return Outcome::Fault;
    using T = typename decltype(dst)::Value;
    return dst.write(m, static_cast<T>((m.state().*which).selector)) ? Outcome::Next
                                                                     : Outcome::Fault;
};

inline constexpr auto lldt = [](auto& m, auto src) {
    if (!needs_protected_mode(m) || !privileged(m)) return Outcome::Fault;
    const auto value = src.read(m);
    if (!value) return Outcome::Fault;
    const Selector selector{*value};
    if (selector.is_null()) {
        m.state().ldtr = null_segment(selector);
        return Outcome::Next;
    }
    const Fault refused = selector_fault(Vector::GeneralProtection, selector);
    if (selector.is_local()) return m.raise(refused);
    const auto descriptor = read_descriptor(m, selector, refused);
    if (!descriptor) return Outcome::Fault;
    if (!descriptor->is_system() || descriptor->system_type() != SystemType::Ldt)
        return m.raise(refused);
    if (!descriptor->is_present())
        return m.raise(selector_fault(Vector::SegmentNotPresent, selector));
    if (m.state().long_mode() && !is_canonical(descriptor->base())) return m.raise(refused);
    m.state().ldtr = descriptor->loaded_as(selector);
    return Outcome::Next;
};

inline constexpr auto ltr = [](auto& m, auto src) {
    if (!needs_protected_mode(m) || !privileged(m)) return Outcome::Fault;
    const auto value = src.read(m);
    if (!value) return Outcome::Fault;
    const Selector selector{*value};
    const Fault refused = selector_fault(Vector::GeneralProtection, selector);
    if (selector.is_null()) return m.raise(general_protection());
    if (selector.is_local()) return m.raise(refused);
    auto descriptor = read_descriptor(m, selector, refused);
    if (!descriptor) return Outcome::Fault;
    const bool wide = descriptor->system_type() == SystemType::TssAvailable;
    const bool narrow = descriptor->system_type() == SystemType::Tss16Available &&
                        !m.state().long_mode();
    if (!descriptor->is_system() || !(wide || narrow)) return m.raise(refused);
    if (!descriptor->is_present())
        return m.raise(selector_fault(Vector::SegmentNotPresent, selector));
    if (m.state().long_mode() && !is_canonical(descriptor->base())) return m.raise(refused);
    constexpr std::uint8_t busy = 2;
    descriptor->low |= std::uint64_t{busy} << 40;
    if (!set_in_descriptor(m, *descriptor, busy)) return Outcome::Fault;
    m.state().tr = descriptor->loaded_as(selector);
    return Outcome::Next;
};

// A descriptor the program may look at, for LAR, LSL, VERR and VERW. The outer optional is empty
// when a page fault was raised, the inner one when the answer is "no".
template <class M>
std::optional<std::optional<Descriptor>> visible_descriptor(M& m, Selector selector) {
    const CpuState& state = m.state();
    if (selector.is_null() || !descriptor_address(state, selector))
        return std::optional<Descriptor>{};
    const auto low = m.template load_system<std::uint64_t>(*descriptor_address(state, selector));
    if (!low) return {};
    Descriptor descriptor{.low = *low};
    const bool visible = descriptor.is_conforming() ||
                         (descriptor.dpl() >= state.cpl && descriptor.dpl() >= selector.rpl());
    if (!visible) return std::optional<Descriptor>{};
    if (state.long_mode() && descriptor.is_system() && !descriptor_address(state, selector, 16))
        return std::optional<Descriptor>{};
    return descriptor;
}

inline void set_zf(CpuState& state, bool value) {
    state.flags.from_rflags((state.flags.to_rflags() & ~rflags::zf) | (value ? rflags::zf : 0));
}

// SDM 2 LAR and LSL: the system types whose access rights and limits can be asked for.
inline bool has_access_rights(SystemType type, bool long_mode) {
    using enum SystemType;
    switch (type) {
    case Ldt:
    case TssAvailable:
    case TssBusy:
    case CallGate: return true;
    case Tss16Available:
    case Tss16Busy:
    case CallGate16:
    case TaskGate: return !long_mode;
    default: return false;
    }
}

inline bool has_limit(SystemType type, bool long_mode) {
    using enum SystemType;
    return has_access_rights(type, long_mode) && type != CallGate && type != CallGate16 &&
           type != TaskGate;
}

inline constexpr auto lar = [](auto& m, auto dst, auto src) {
    if (!needs_protected_mode(m)) return Outcome::Fault;
    const auto value = src.read(m);
    if (!value) return Outcome::Fault;
    const auto found = visible_descriptor(m, {static_cast<std::uint16_t>(*value)});
    if (!found) return Outcome::Fault;
    CpuState& state = m.state();
    const auto& descriptor = *found;
    const bool answers = descriptor &&
                         (!descriptor->is_system() ||
                          has_access_rights(descriptor->system_type(), state.long_mode()));
    using T = typename decltype(dst)::Value;
    // Bits 19-16, of the limit, are undefined; processors show them.
    if (answers) dst.write(m, static_cast<T>((descriptor->low >> 32) & 0x00ffff00));
    set_zf(state, answers);
    return Outcome::Next;
};

inline constexpr auto lsl = [](auto& m, auto dst, auto src) {
    if (!needs_protected_mode(m)) return Outcome::Fault;
    const auto value = src.read(m);
    if (!value) return Outcome::Fault;
    const auto found = visible_descriptor(m, {static_cast<std::uint16_t>(*value)});
    if (!found) return Outcome::Fault;
    CpuState& state = m.state();
    const auto& descriptor = *found;
    const bool answers = descriptor && (!descriptor->is_system() ||
                                        has_limit(descriptor->system_type(), state.long_mode()));
    using T = typename decltype(dst)::Value;
    if (answers) dst.write(m, static_cast<T>(descriptor->limit()));
    set_zf(state, answers);
    return Outcome::Next;
};

enum class Verify : std::uint8_t { Reading, Writing };

// VERR, VERW.
template <Verify verify>
inline constexpr auto verify_segment = [](auto& m, auto src) {
    if (!needs_protected_mode(m)) return Outcome::Fault;
    const auto value = src.read(m);
    if (!value) return Outcome::Fault;
    const auto found = visible_descriptor(m, {static_cast<std::uint16_t>(*value)});
    if (!found) return Outcome::Fault;
    const auto& descriptor = *found;
    const bool usable = descriptor && (verify == Verify::Reading ? descriptor->is_readable()
                                                                 : descriptor->is_writable_data());
    set_zf(m.state(), usable);
    return Outcome::Next;
};

// ARPL: raises the destination's RPL to the source's (SDM 2 ARPL). Not in 64-bit code, where the
// opcode is MOVSXD.
inline constexpr auto arpl = [](auto& m, auto dst, auto src) {
    if (!needs_protected_mode(m)) return Outcome::Fault;
    const std::uint16_t wanted = *src.read(m) & 3;
    // Writes only what it changes, so that a read-only selector that is high enough is no fault.
    const auto before = dst.read(m);
    if (!before) return Outcome::Fault;
    const bool raises = (*before & 3) < wanted;
    const auto raised = static_cast<std::uint16_t>((*before & ~3) | wanted);
    if (raises && !dst.write(m, raised)) return Outcome::Fault;
    set_zf(m.state(), raises);
    return Outcome::Next;
};

}  // namespace backplane::x86::semantics
