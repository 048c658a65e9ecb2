// The report "jit-untranslated": what it would pay to translate.
#pragma once

#include "reports/report.h"
#include "tier1/untranslated.h"

namespace backplane::jit {

// [vcpu, outside run] The instructions that compiled code left in front of most often come first.
Report untranslated_report(const Untranslated& untranslated);

}  // namespace backplane::jit
