// How a case's registers and segments make addresses.
#pragma once

#include "case.h"
#include "x86/forms/operands.h"

namespace backplane::oracle {

constexpr std::uint64_t low(std::uint64_t value, unsigned bits) {
    return bits >= 64 ? value : value & ((std::uint64_t{1} << bits) - 1);
}

inline std::uint64_t base_of(const Case& test, x86::SegmentIndex segment) {
    if (test.code_size == x86::CodeSize::Bits64)
        return segment == x86::FS   ? test.before.fs_base
               : segment == x86::GS ? test.before.gs_base
                                    : 0;
    switch (test.before.selectors[segment]) {
    case selector::code16: return code_address;
    case selector::data16: return data16_base;
    case selector::based: return based_base;
    case selector::downward: return downward_base;
    default: return 0;
    }
}

inline std::uint64_t* register_of(Case& test, ZydisRegister name) {
    const unsigned slot = x86::forms::register_offset(name);
    return slot < 128 ? &test.before.gpr[slot / 8] : nullptr;
}

inline void set_low(std::uint64_t& place, std::uint64_t value, unsigned bits) {
    place = (place ^ low(place, bits)) | low(value, bits);
}

}  // namespace backplane::oracle
