// Loads descriptors from the guest's tables and puts segments into registers, with the checks of
// protected mode.
//
// Everything here checks first and changes a register last. A false or empty result means that a
// fault was raised.
#pragma once

#include "x86/descriptor.h"
#include "x86/machine.h"

namespace backplane::x86 {

constexpr Fault general_protection(std::uint32_t error_code = 0) {
    return {.vector = Vector::GeneralProtection, .error_code = error_code};
}

constexpr Fault selector_fault(Vector vector, Selector selector, std::uint32_t external = 0) {
    return {.vector = vector, .error_code = selector.error_code() | external};
}

// Where in its table a selector's descriptor of `bytes` bytes lies; empty when it is not wholly
// inside (SDM 3A 3.5.1).
inline std::optional<std::uint64_t> descriptor_address(const CpuState& state, Selector selector,
                                                       unsigned bytes = 8) {
    if (!selector.is_local()) {
        if (selector.offset() + bytes - 1 > state.gdtr.limit) return {};
        return state.gdtr.base + selector.offset();
    }
    if (!(state.ldtr.attributes & attribute::present) ||
        selector.offset() + bytes - 1 > state.ldtr.limit)
        return {};
    return state.ldtr.base + selector.offset();
}

// Reads the descriptor a selector names; `outside` is raised when it lies beyond its table. The
// upper half of a sixteen-byte system descriptor is read too in IA-32e mode; types that do not
// exist there are judged by the caller.
template <class M>
[[gnu::noinline]] std::optional<Descriptor> read_descriptor(M& m, Selector selector,
                                                            Fault outside) {
    const CpuState& state = m.state();
    const auto address = descriptor_address(state, selector);
    if (!address) {
        m.raise(outside);
        return {};
    }
    const auto low = m.template load_system<std::uint64_t>(*address);
    if (!low) return {};
    Descriptor descriptor{.low = *low, .address = *address};
    if (!state.long_mode() || !descriptor.is_system()) return descriptor;
    if (!descriptor_address(state, selector, 16)) {
        m.raise(outside);
        return {};
    }
    const auto high = m.template load_system<std::uint64_t>(*address + 8);
    if (!high) return {};
    descriptor.high = *high;
    return descriptor;
}

// A type bit, by a locked access as the processor does it (SDM 3A 9.1.2.1).
template <class M>
bool set_in_descriptor(M& m, const Descriptor& descriptor, std::uint8_t bit) {
    return m
        .template update_system_atomically<std::uint8_t>(
            descriptor.address + 5,
            [=](std::uint8_t type) { return static_cast<std::uint8_t>(type | bit); })
        .has_value();
}

// SDM 3A 3.4.5.1: the processor sets the accessed bit of a segment it loads, and only when it is
// clear.
template <class M>
bool mark_accessed(M& m, Descriptor& descriptor) {
    if (descriptor.has(attribute::accessed)) return true;
    descriptor.low |= std::uint64_t{attribute::accessed} << 40;
    return set_in_descriptor(m, descriptor, attribute::accessed);
}

// The checks for SS. `invalid` is #GP for instructions and #TS for stacks taken from a task-state
// segment, whose privilege is `cpl` (SDM 2 MOV, SDM 3A 5.7 and 6.12.1). `external` is the EXT bit
// of the error codes.
template <class M>
[[gnu::noinline]] std::optional<SegmentRegister> check_stack_segment(M& m, Selector selector,
                                                                     unsigned cpl, Vector invalid,
                                                                     std::uint32_t external = 0) {
    const Fault refused = selector_fault(invalid, selector, external);
    if (selector.is_null()) {
        m.raise({.vector = invalid, .error_code = external});
        return {};
    }
    auto descriptor = read_descriptor(m, selector, refused);
    if (!descriptor) return {};
    if (selector.rpl() != cpl || !descriptor->is_writable_data() || descriptor->dpl() != cpl) {
        m.raise(refused);
        return {};
    }
    if (!descriptor->is_present()) {
        m.raise(selector_fault(Vector::StackFault, selector, external));
        return {};
    }
    if (!mark_accessed(m, *descriptor)) return {};
    return descriptor->loaded_as(selector);
}

// The checks for DS, ES, FS and GS (SDM 2 MOV, SDM 3A 5.6).
template <class M>
[[gnu::noinline]] std::optional<SegmentRegister> check_data_segment(M& m, Selector selector) {
    if (selector.is_null()) return null_segment(selector);
    auto descriptor = read_descriptor(m, selector,
                                      selector_fault(Vector::GeneralProtection, selector));
    if (!descriptor) return {};
    const unsigned cpl = m.state().cpl;
    const bool privileged = selector.rpl() > descriptor->dpl() || cpl > descriptor->dpl();
    if (!descriptor->is_readable() || (privileged && !descriptor->is_conforming())) {
        m.raise(selector_fault(Vector::GeneralProtection, selector));
        return {};
    }
    if (!descriptor->is_present()) {
        m.raise(selector_fault(Vector::SegmentNotPresent, selector));
        return {};
    }
    if (!mark_accessed(m, *descriptor)) return {};
    return descriptor->loaded_as(selector);
}

// Real-address and virtual-8086 mode: the base is sixteen times the selector. Real mode keeps limit
// and attributes, which is how "unreal mode" works (SDM 3A 20.1.1); V86 mode fixes them (SDM
// 3A 20.2.1).
inline SegmentRegister real_mode_segment(const CpuState& state, const SegmentRegister& before,
                                         Selector selector) {
    SegmentRegister loaded = before;
    loaded.selector = selector.value;
    loaded.base = std::uint64_t{selector.value} << 4;
    if (state.rflags & rflags::vm) {
        loaded.limit = 0xffff;
        loaded.attributes = attribute::present | attribute::dpl | attribute::code_or_data |
                            attribute::writable | attribute::accessed;
    }
    return loaded;
}

inline bool uses_descriptors(const CpuState& state) {
    return state.protected_mode() && !(state.rflags & rflags::vm);
}

// MOV, POP and the far pointer loads: what register `index` becomes. CS is not loaded this way.
template <class M>
[[gnu::noinline]] std::optional<SegmentRegister> check_segment(M& m, unsigned index,
                                                               Selector selector) {
    const CpuState& state = m.state();
    if (!uses_descriptors(state)) return real_mode_segment(state, state.segments[index], selector);
    if (index != SS) return check_data_segment(m, selector);
    // SDM 2 MOV: 64-bit code below privilege 3 may load a null SS whose RPL is its CPL.
    if (selector.is_null() && state.code64() && state.cpl != 3 && selector.rpl() == state.cpl)
        return null_segment(selector, state.cpl);
    return check_stack_segment(m, selector, state.cpl, Vector::GeneralProtection);
}

// The common part of every transfer to a code segment: IA-32e mode refuses L and D together; then
// present, then the target must be canonical or within the limit. `cpl` becomes the selector's RPL.
// CS is not yet changed.
template <class M>
[[gnu::noinline]] std::optional<SegmentRegister>
check_code_target(M& m, Selector selector, Descriptor& descriptor, unsigned cpl, std::uint64_t ip,
                  std::uint32_t external = 0) {
    const bool long_mode = m.state().long_mode();
    if (long_mode && descriptor.has(attribute::long_code | attribute::big)) {
        m.raise(selector_fault(Vector::GeneralProtection, selector, external));
        return {};
    }
    if (!descriptor.is_present()) {
        m.raise(selector_fault(Vector::SegmentNotPresent, selector, external));
        return {};
    }
    const bool to_64bit = long_mode && descriptor.has(attribute::long_code);
    if (to_64bit ? !is_canonical(ip) : ip > descriptor.limit()) {
        m.raise(general_protection(external));
        return {};
    }
    if (!mark_accessed(m, descriptor)) return {};
    return descriptor.loaded_as(selector.with_rpl(cpl));
}

// Same-privilege rules for code segments reached without a gate, or through a gate by JMP (SDM
// 3A 5.8.1).
inline bool code_reachable(const Descriptor& descriptor, unsigned rpl, unsigned cpl) {
    if (!descriptor.is_code()) return false;
    if (descriptor.is_conforming()) return descriptor.dpl() <= cpl;
    return rpl <= cpl && descriptor.dpl() == cpl;
}

// A return to a less privileged level takes away data segments the new level could not load (SDM 2
// RET).
inline void drop_privileged_segments(CpuState& state) {
    for (const SegmentIndex index : {ES, DS, FS, GS}) {
        SegmentRegister& segment = state.segments[index];
        const bool conforming_code = (segment.attributes &
                                      (attribute::code | attribute::conforming)) ==
                                     (attribute::code | attribute::conforming);
        const unsigned dpl = (segment.attributes & attribute::dpl) >> attribute::dpl_shift;
        // A null selector keeps its hidden base: FS and GS bases set through MSRs survive.
        if (Selector{segment.selector}.is_null() || conforming_code || dpl >= state.cpl) continue;
        segment = null_segment({});
    }
}

}  // namespace backplane::x86
