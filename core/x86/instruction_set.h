// Which instructions a CPU model has: the features of cpu_features.h applied to decoded
// instructions. Asked once for each instruction when an engine decodes it, never when it executes.
#pragma once

#include "x86/cpu_model.h"
#include "x86/decoder.h"
#include "x86/instruction.h"

namespace backplane::x86 {

// Encodings that are another, older instruction to a processor without the feature.
DecoderFeatures decoder_features(const CpuModel& model);

// False: the instruction raises #UD on this model, before its operands are looked at.
bool has_instruction(const CpuModel& model, const Instruction& instruction);

}  // namespace backplane::x86
