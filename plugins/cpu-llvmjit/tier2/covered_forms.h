// The forms of the instructions that tier 2 compiles, by name: what to look for in the bitcode.
#pragma once

#include "x86/forms.h"
#include "x86/instruction.h"
#include "x86/op.h"

#include <string_view>
#include <typeinfo>

namespace backplane::jit::tier2 {

// As forms see the program: what executes an instruction is known by the type of its form only.
struct NamingEngine {
    using Handler = const std::type_info*;

    template <auto semantic, class... Operands>
    static Handler handler();
};

class CoveredForms {
public:
    CoveredForms();

    // What executes the instruction, and what has to go in front of it, each with its op; empty:
    // the instruction is not covered, or has nothing in front.
    std::string_view bind(const x86::Instruction& instruction, x86::Op& op) const;
    static std::string_view bind_address(const x86::Instruction& instruction, x86::Op& op);

private:
    x86::FormTable<NamingEngine> forms_;
};

}  // namespace backplane::jit::tier2
