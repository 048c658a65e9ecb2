#include "test_engine.h"

#include "tier1/tier1_compiler.h"

#include <utility>

namespace backplane::interp::testing {

TestEngine make_test_engine(const x86::CpuModel& model) {
    auto arena = jit::CodeArena::make(std::size_t{64} << 20);
    return {std::make_unique<jit::Tier1Compiler>(model, std::move(*arena)), 1};
}

}  // namespace backplane::interp::testing
