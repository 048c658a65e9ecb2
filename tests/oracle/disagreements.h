// Where the processor under the tests and the engine differ for a known reason: freedoms the
// manuals leave, and the vendors' different answers.
#pragma once

#include "case.h"

#include <span>
#include <string_view>

namespace backplane::oracle {

// Parts of the state that a reason covers.
namespace part {
// Both fault, but not alike; or, with the second, one of the two does not.
constexpr unsigned which_fault = 1, completion = 256;
constexpr unsigned fault_address = 2, registers = 4, flags = 8, x87 = 16, memory = 32, vectors = 64,
                   x87_pointers = 128;
constexpr unsigned all = ~0u;
}  // namespace part

struct Disagreement {
    std::string_view name, reason;
    unsigned parts;  // what is not compared when it applies
    bool (*applies)(const Case& test, const x86::Instruction* instruction, const Result& native);
};

std::span<const Disagreement> disagreements();

// The parts that are not compared in this case. `used` counts each reason that applied.
unsigned excused_parts(const Case& test, const x86::Instruction* instruction, const Result& native);

}  // namespace backplane::oracle
