// Where a CPU is in its code, by linear address.
//
// In real mode, in virtual-8086 mode and wherever else CS has a base, the offset in RIP alone is
// not where the code is: it is at base plus offset. GDB, which knows no segments, takes that for
// the program counter.
#pragma once

#include "runtime/virtual_cpu.h"

#include <cstdint>
#include <cstring>
#include <string_view>

namespace backplane::runtime {

// Zero where the engine has no such register.
inline std::uint64_t number_of(const VirtualCpu& cpu, std::string_view name) {
    std::uint64_t value = 0;
    const auto bytes = cpu.get_register(name);
    if (!bytes.empty() && bytes.size() <= sizeof value)
        std::memcpy(&value, bytes.data(), bytes.size());
    return value;
}

// 64-bit code has no base (SDM 1 3.3.4): EFER.LMA and the L bit of CS. An engine that shows no base
// has none either.
inline bool code_has_base(const VirtualCpu& cpu) {
    constexpr unsigned lma = 10, l = 13;
    const bool is_64_bit = (number_of(cpu, "efer") >> lma & 1) != 0 &&
                           (number_of(cpu, "cs.attributes") >> l & 1) != 0;
    return !is_64_bit && cpu.has_register("cs.base");
}

inline std::uint64_t program_counter(const VirtualCpu& cpu) {
    const std::uint64_t rip = number_of(cpu, "rip");
    return code_has_base(cpu) ? (number_of(cpu, "cs.base") + rip) & 0xffff'ffff : rip;
}

// The value of RIP with which execution goes on at a linear address.
inline std::uint64_t rip_for(const VirtualCpu& cpu, std::uint64_t linear) {
    return code_has_base(cpu) ? (linear - number_of(cpu, "cs.base")) & 0xffff'ffff : linear;
}

}  // namespace backplane::runtime
