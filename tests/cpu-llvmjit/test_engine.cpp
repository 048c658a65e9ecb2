// BACKPLANE_CODE_CACHE: kilobytes for compiled code, so few that it is dropped again and again.
#include "test_engine.h"

#include "tier1/tier1_compiler.h"

#include <cstdlib>
#include <utility>

namespace backplane::interp::testing {

TestEngine make_test_engine(const x86::CpuModel& model) {
    const char* kilobytes = std::getenv("BACKPLANE_CODE_CACHE");
    auto arena = jit::CodeArena::make(
        (kilobytes ? std::strtoull(kilobytes, nullptr, 0) : std::size_t{64} << 10) << 10);
    return {std::make_unique<jit::Tier1Compiler>(model, std::move(*arena)), 1};
}

}  // namespace backplane::interp::testing
