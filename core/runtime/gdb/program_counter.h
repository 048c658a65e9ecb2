// Where a CPU is in its code, by linear address: what GDB takes for the program counter.
//
// GDB knows no segments. In real mode, in virtual-8086 mode and wherever else CS has a base, the
// offset in RIP alone would not be where the code is: breakpoints would not match it and GDB would
// disassemble something else. So $pc is base plus offset, and $pc - $cs_base is what IP holds.
#pragma once

#include "runtime/virtual_cpu.h"

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace backplane::runtime::gdb {

// Zero where the engine has no such register.
inline std::uint64_t number_of(const VirtualCpu& cpu, std::string_view name) {
    std::uint64_t value = 0;
    const auto bytes = cpu.get_register(name);
    if (!bytes.empty() && bytes.size() <= sizeof value)
        std::memcpy(&value, bytes.data(), bytes.size());
    return value;
}

// 64-bit code has no base (SDM 1 3.3.4): EFER.LMA and the L bit of CS.
inline bool executes_64_bit_code(const VirtualCpu& cpu) {
    constexpr unsigned lma = 10, l = 13;
    return (number_of(cpu, "efer") >> lma & 1) != 0 &&
           (number_of(cpu, "cs.attributes") >> l & 1) != 0;
}

inline std::uint64_t code_base(const VirtualCpu& cpu) {
    return executes_64_bit_code(cpu) ? 0 : number_of(cpu, "cs.base");
}

inline std::uint64_t program_counter(const VirtualCpu& cpu) {
    const std::uint64_t rip = number_of(cpu, "rip");
    return executes_64_bit_code(cpu) ? rip : (code_base(cpu) + rip) & 0xffff'ffff;
}

// The value of RIP with which execution goes on at a linear address.
inline std::uint64_t rip_for(const VirtualCpu& cpu, std::uint64_t linear) {
    return executes_64_bit_code(cpu) ? linear : (linear - code_base(cpu)) & 0xffff'ffff;
}

}  // namespace backplane::runtime::gdb
