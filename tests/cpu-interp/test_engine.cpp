#include "test_engine.h"

namespace backplane::interp::testing {

[[gnu::weak]] TestEngine make_test_engine(const x86::CpuModel&) { return {}; }

}  // namespace backplane::interp::testing
