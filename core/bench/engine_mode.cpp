#include "bench/engine_mode.h"

#include <array>

namespace backplane::bench {

namespace {

// Tier 2 shall compile a loop as soon as it is told to be hot: a kernel spends too little time for
// the default, which is made for whole systems.
constexpr std::array<EngineMode, 3> all{{
    {"interpreter", "cpu-interp", false, "type: cpu.interp"},
    {"jit_baseline", "cpu-llvmjit", true, "type: cpu.llvmjit, tier2-threshold: 0"},
    {"jit_opt", "cpu-llvmjit", true,
     "type: cpu.llvmjit, tier2-threshold: 1000, tier2-instructions: 1000000",
     "jit.tier2.blocks_compiled_total"},
}};

}  // namespace

std::span<const EngineMode> engine_modes() { return all; }

}  // namespace backplane::bench
