// Forms of the bit tests, bit scans and BSWAP.
#pragma once

#include "x86/forms/shapes.h"
#include "x86/semantics/bit.h"

namespace backplane::x86 {
namespace forms {

template <class Engine>
typename Engine::Handler bswap(const Instruction& instruction, Op& op) {
    fill_reg(instruction.operands[0], op);
    return with_wide_width(instruction.operands[0].size,
                           [&]<class T>() -> typename Engine::Handler {
                               return Engine::template handler<semantics::bswap, Reg<T>>();
                           });
}

}  // namespace forms

template <class Engine>
void register_bit(FormTable<Engine>& table) {
    using namespace forms;
    table[ZYDIS_MNEMONIC_BT] = binary<Engine, semantics::bt, Lock::Refused>;
    table[ZYDIS_MNEMONIC_BTS] = binary<Engine, semantics::bts>;
    table[ZYDIS_MNEMONIC_BTR] = binary<Engine, semantics::btr>;
    table[ZYDIS_MNEMONIC_BTC] = binary<Engine, semantics::btc>;
    table[ZYDIS_MNEMONIC_BSF] = register_from_any<Engine, semantics::bsf>;
    table[ZYDIS_MNEMONIC_BSR] = register_from_any<Engine, semantics::bsr>;
    table[ZYDIS_MNEMONIC_BSWAP] = bswap<Engine>;
}

}  // namespace backplane::x86
