// The report "jit-block": guest code beside the host code that was made of it.
#pragma once

#include "reports/report.h"
#include "tier1/tier1_compiler.h"

#include <string_view>

namespace backplane::jit {

// [vcpu, outside run] Of all blocks at `where`: a linear address, "" for the next instruction's,
// "physical:ADDRESS", or "host:ADDRESS" in compiled code, whose guest instruction is named.
Report block_report(Tier1Compiler& tier1, std::string_view where);

}  // namespace backplane::jit
