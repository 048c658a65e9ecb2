// Forms of SSE4.2's comparisons of strings. Their memory operand need not be aligned.
#pragma once

#include "x86/forms/vector_operands.h"
#include "x86/semantics/vector_string.h"

namespace backplane::x86 {
namespace forms {

template <class Engine, auto semantic>
typename Engine::Handler string_compare(const Instruction& instruction, Op& op) {
    return xmm_source_control<Engine, semantic, Memory<Bits128>>(instruction, op);
}

// The lengths are in EAX and EDX, or with REX.W in RAX and RDX.
template <class Engine, auto narrow, auto wide>
typename Engine::Handler string_compare_explicit(const Instruction& instruction, Op& op) {
    return instruction.decoded.operand_width == 64
               ? string_compare<Engine, wide>(instruction, op)
               : string_compare<Engine, narrow>(instruction, op);
}

}  // namespace forms

template <class Engine>
void register_vector_string(FormTable<Engine>& table) {
    using namespace forms;
    using Narrow = std::int32_t;
    using Wide = std::int64_t;
    table[ZYDIS_MNEMONIC_PCMPISTRI] = string_compare<Engine, semantics::pcmpistri>;
    table[ZYDIS_MNEMONIC_PCMPISTRM] = string_compare<Engine, semantics::pcmpistrm>;
    table[ZYDIS_MNEMONIC_PCMPESTRI] =
        string_compare_explicit<Engine, semantics::pcmpestri<Narrow>, semantics::pcmpestri<Wide>>;
    table[ZYDIS_MNEMONIC_PCMPESTRM] =
        string_compare_explicit<Engine, semantics::pcmpestrm<Narrow>, semantics::pcmpestrm<Wide>>;
}

}  // namespace backplane::x86
