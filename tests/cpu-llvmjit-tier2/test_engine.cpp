#include "test_engine.h"

#include "tier1/tier1_compiler.h"
#include "tier2/tier2_compiler.h"

#include <utility>

namespace backplane::interp::testing {

bool is_engine_slow() { return true; }

bool names_engine_instructions() { return false; }

// Tier 2 alone, which takes every block at its first execution.
TestEngine make_test_engine(const x86::CpuModel& model) {
    auto arena = jit::CodeArena::make(std::size_t{16} << 20);
    auto upper_arena = jit::CodeArena::make(std::size_t{64} << 20);
    auto upper = std::make_unique<jit::Tier2Compiler>(model, jit::Tier2Settings{.alone = true},
                                                      std::move(*upper_arena));
    return {std::make_unique<jit::Tier1Compiler>(
                model, std::move(*arena), jit::Tier1Compiler::default_blocks, std::move(upper)),
            1};
}

}  // namespace backplane::interp::testing
