// Which CPUID feature stands for each of the decoder's ISA sets.
#pragma once

#include "x86/cpu_features.h"
#include "x86/instruction.h"

#include <string_view>

namespace backplane::oracle {

// As Linux spells the feature; "" for what every processor has since the 486, and "-" for
// what no CPU model is to have.
std::string_view feature_of(ZydisISASet set);

// Whether the engines say that they execute such instructions.
bool is_advertised(const x86::Instruction& instruction, const x86::FeatureSet& features);

}  // namespace backplane::oracle
