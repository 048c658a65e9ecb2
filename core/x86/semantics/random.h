// RDRAND and RDSEED (SDM 2).
//
// A guest's run has to repeat, so the numbers are a generator's, not the host's entropy: SplitMix64
// (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014). It passes the tests
// that operating systems make of the instruction, and its whole state is CpuState::random.
#pragma once

#include "x86/machine.h"
#include "x86/operand.h"

namespace backplane::x86 {

constexpr std::uint64_t next_random(std::uint64_t& state) {
    state += 0x9e3779b97f4a7c15;
    std::uint64_t value = state;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    return value ^ (value >> 31);
}

namespace semantics {

// There is always a number: CF is set, the other flags are cleared.
inline constexpr auto random = [](auto& m, auto dst) {
    CpuState& state = m.state();
    dst.write(m, static_cast<typename decltype(dst)::Value>(next_random(state.random)));
    state.flags.from_rflags(rflags::cf);
    return Outcome::Next;
};

}  // namespace semantics
}  // namespace backplane::x86
