// What both sides have to agree on.
#pragma once

#include "case.h"

#include <string>
#include <vector>

namespace backplane::oracle {

// Takes out of the processor's result what only the way it was obtained put there: the trap behind
// the instruction, and what 32- and 16-bit code cannot see.
void normalize_native(const Case& test, Result& result);

struct Difference {
    std::string where;  // "rax", "flags", "memory 0x20000040"
    std::uint64_t native, engine;
};

// Empty: equal in everything the architecture defines. `instruction` is null for bytes that are
// none.
std::vector<Difference> compare(const Case& test, const x86::Instruction* instruction,
                                const Result& native, const Result& engine);

// A report for people: the instruction, the state that matters, the differences.
std::string describe(const Case& test, const x86::Instruction* instruction, const Result& native,
                     const Result& engine, const std::vector<Difference>& differences);

}  // namespace backplane::oracle
