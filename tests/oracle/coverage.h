// Which forms were compared, as JSON.
#pragma once

#include "oracle.h"

#include <string>
#include <vector>

namespace backplane::oracle {

enum class FormStatus : std::uint8_t {
    Covered,        // executed to its end on the processor and compared
    RefusedOnly,    // exempt: user code sees it refused, and that was compared
    Exempt,         // see exemptions.h
    KnownToDiffer,  // all of its cases, see disagreements.h
    Unreachable,    // this host has no code of that size for user programs
    NotAdvertised,  // no CPU model has it
    Uncovered,
};

FormStatus status_of(const Oracle& oracle, std::size_t form);

// The forms that a run should have covered and did not.
std::vector<std::size_t> uncovered_forms(const Oracle& oracle);

std::string coverage_json(const Oracle& oracle, std::uint64_t seed);

}  // namespace backplane::oracle
