// Forms of XSAVE and its relatives.
#pragma once

#include "x86/forms/shapes.h"
#include "x86/semantics/xsave.h"

namespace backplane::x86 {
namespace forms {

// What the area is aligned to.
struct XsaveLine {
    std::array<std::uint8_t, 64> bytes;
};

template <class Engine, auto semantic>
typename Engine::Handler xsave_operand(const Instruction& instruction, Op& op) {
    const ZydisDecodedOperand& area = instruction.operands[0];
    fill_memory(instruction, area, op);
    op.extra = address_op::pack(segment_number(area.mem.segment), 0, false);
    return Engine::template handler<semantic, AlignedMemory<XsaveLine>>();
}

}  // namespace forms

template <class Engine>
void register_xsave(FormTable<Engine>& table) {
    using namespace forms;
    using namespace semantics;
    using enum XsaveKind;
    using enum FxPointers;
    table[ZYDIS_MNEMONIC_XSAVE] = xsave_operand<Engine, xsave_area<All, Offset32>>;
    table[ZYDIS_MNEMONIC_XSAVE64] = xsave_operand<Engine, xsave_area<All, Offset64>>;
    table[ZYDIS_MNEMONIC_XSAVEOPT] = xsave_operand<Engine, xsave_area<Optimized, Offset32>>;
    table[ZYDIS_MNEMONIC_XSAVEOPT64] = xsave_operand<Engine, xsave_area<Optimized, Offset64>>;
    table[ZYDIS_MNEMONIC_XSAVEC] = xsave_operand<Engine, xsave_area<Compacted, Offset32>>;
    table[ZYDIS_MNEMONIC_XSAVEC64] = xsave_operand<Engine, xsave_area<Compacted, Offset64>>;
    table[ZYDIS_MNEMONIC_XRSTOR] = xsave_operand<Engine, semantics::xrstor<Offset32>>;
    table[ZYDIS_MNEMONIC_XRSTOR64] = xsave_operand<Engine, semantics::xrstor<Offset64>>;
    table[ZYDIS_MNEMONIC_XGETBV] = plain<Engine, semantics::xgetbv>;
    table[ZYDIS_MNEMONIC_XSETBV] = plain<Engine, semantics::xsetbv>;
}

}  // namespace backplane::x86
