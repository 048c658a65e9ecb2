// A recording as text for people: where time went, the functions it went to, and their code.
#pragma once

#include "profile/profile_stacks.h"

#include <cstddef>
#include <string>

namespace backplane::profile {

struct ReportOptions {
    std::size_t functions = 30;  // lines of the table
    std::size_t code = 5;        // functions whose code is shown
    std::size_t opcodes = 15;    // lines of the table
};

[[nodiscard]] std::string profile_report(ProfileStacks& stacks, const Symbolizer& symbols,
                                         const ReportOptions& options);

}  // namespace backplane::profile
