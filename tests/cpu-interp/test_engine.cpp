#include "test_engine.h"

namespace backplane::interp::testing {

[[gnu::weak]] bool is_engine_slow() { return false; }

[[gnu::weak]] bool names_engine_instructions() { return true; }

[[gnu::weak]] TestEngine make_test_engine(const x86::CpuModel&) { return {}; }

}  // namespace backplane::interp::testing
