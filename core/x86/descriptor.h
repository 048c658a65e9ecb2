// Selectors and segment descriptors: the words in the guest's descriptor tables, with their fields
// named.
#pragma once

#include "x86/cpu_state.h"

#include <cstdint>

namespace backplane::x86 {

// Bits of SegmentRegister::attributes, which are bits 40 to 55 of a descriptor (SDM 3A 3.4.5).
namespace attribute {
constexpr std::uint16_t accessed = 1u << 0, writable = 1u << 1, readable = 1u << 1,
                        expand_down = 1u << 2;
constexpr std::uint16_t conforming = 1u << 2, code = 1u << 3, code_or_data = 1u << 4,
                        present = 1u << 7;
constexpr std::uint16_t type = 0xf, dpl_shift = 5, dpl = 3u << dpl_shift;
constexpr std::uint16_t available = 1u << 12, long_code = 1u << 13, big = 1u << 14,
                        granular = 1u << 15;
}  // namespace attribute

// Types of system descriptors (SDM 3A table 3-2). In IA-32e mode the 16-bit ones and task gates are
// reserved.
enum class SystemType : std::uint8_t {
    Tss16Available = 1,
    Ldt = 2,
    Tss16Busy = 3,
    CallGate16 = 4,
    TaskGate = 5,
    InterruptGate16 = 6,
    TrapGate16 = 7,
    TssAvailable = 9,
    TssBusy = 11,
    CallGate = 12,
    InterruptGate = 14,
    TrapGate = 15,
};

// SDM 3A 3.4.2.
struct Selector {
    std::uint16_t value = 0;

    constexpr unsigned rpl() const { return value & 3u; }
    constexpr bool is_local() const { return (value & 4) != 0; }
    constexpr unsigned offset() const { return value & 0xfff8u; }
    constexpr bool is_null() const { return (value & 0xfffc) == 0; }
    // As error codes carry it: without the RPL, whose bits are EXT and IDT there (SDM 3A 6.13).
    constexpr std::uint32_t error_code() const { return value & 0xfffcu; }
    constexpr Selector with_rpl(unsigned rpl) const {
        return {static_cast<std::uint16_t>((value & ~3u) | rpl)};
    }
};

// Eight bytes of a table, or sixteen for the system descriptors of IA-32e mode (SDM 3A 7.2.3).
struct Descriptor {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    // linear, of the first byte: where the accessed and busy bits are set
    std::uint64_t address = 0;

    constexpr std::uint16_t attributes() const { return (low >> 40) & 0xf0ff; }
    constexpr bool has(std::uint16_t bits) const { return (attributes() & bits) == bits; }
    constexpr bool is_present() const { return has(attribute::present); }
    constexpr unsigned dpl() const {
        return (attributes() & attribute::dpl) >> attribute::dpl_shift;
    }
    constexpr bool is_system() const { return !has(attribute::code_or_data); }
    constexpr bool is_code() const { return has(attribute::code_or_data | attribute::code); }
    constexpr bool is_data() const { return !is_system() && !has(attribute::code); }
    constexpr bool is_conforming() const { return is_code() && has(attribute::conforming); }
    constexpr bool is_writable_data() const { return is_data() && has(attribute::writable); }
    constexpr bool is_readable() const {
        return is_data() || (is_code() && has(attribute::readable));
    }
    constexpr SystemType system_type() const {
        return static_cast<SystemType>(attributes() & attribute::type);
    }

    constexpr std::uint64_t base() const {
        return ((low >> 16) & 0xffffff) | ((low >> 32) & 0xff000000) |
               (is_system() ? high << 32 : 0);
    }

    constexpr std::uint32_t limit() const {
        const std::uint32_t raw = static_cast<std::uint32_t>((low & 0xffff) |
                                                             ((low >> 32) & 0xf0000));
        return has(attribute::granular) ? (raw << 12 | 0xfff) : raw;
    }

    constexpr SegmentRegister loaded_as(Selector selector) const {
        return {.base = base(),
                .limit = limit(),
                .selector = selector.value,
                .attributes = attributes()};
    }

    // Gates (SDM 3A 5.8.3, 6.11, 6.14.1).
    constexpr Selector gate_selector() const { return {static_cast<std::uint16_t>(low >> 16)}; }
    constexpr std::uint64_t gate_offset16() const { return low & 0xffff; }
    constexpr std::uint64_t gate_offset32() const {
        return (low & 0xffff) | ((low >> 32) & 0xffff0000);
    }
    constexpr std::uint64_t gate_offset64() const { return gate_offset32() | (high << 32); }
    constexpr unsigned gate_stack_table() const { return (low >> 32) & 7; }
    constexpr unsigned gate_parameter_count() const { return (low >> 32) & 0x1f; }
};

// Bits 63 to 47 alike (SDM 1 3.3.7.1).
constexpr bool is_canonical(std::uint64_t address) {
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(address << 16) >> 16) == address;
}

// What a null selector leaves in the hidden part: unusable, except that SS keeps a privilege (SDM
// 3A 5.4.1.1).
constexpr SegmentRegister null_segment(Selector selector, unsigned dpl = 0) {
    return {.base = 0,
            .limit = 0,
            .selector = selector.value,
            .attributes = static_cast<std::uint16_t>(dpl << attribute::dpl_shift)};
}

}  // namespace backplane::x86
