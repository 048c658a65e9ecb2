// Forms of the instructions that combine neighbouring lanes of packed integers.
#pragma once

#include "x86/forms/vector_operands.h"
#include "x86/semantics/vector_neighbours.h"

namespace backplane::x86 {

template <class Engine>
void register_vector_neighbours(FormTable<Engine>& table) {
    using namespace forms;
    table[ZYDIS_MNEMONIC_PHADDW] = either_source<Engine, semantics::phaddw>;
    table[ZYDIS_MNEMONIC_PHADDD] = either_source<Engine, semantics::phaddd>;
    table[ZYDIS_MNEMONIC_PHADDSW] = either_source<Engine, semantics::phaddsw>;
    table[ZYDIS_MNEMONIC_PHSUBW] = either_source<Engine, semantics::phsubw>;
    table[ZYDIS_MNEMONIC_PHSUBD] = either_source<Engine, semantics::phsubd>;
    table[ZYDIS_MNEMONIC_PHSUBSW] = either_source<Engine, semantics::phsubsw>;
    table[ZYDIS_MNEMONIC_PMADDUBSW] = either_source<Engine, semantics::pmaddubsw>;
    table[ZYDIS_MNEMONIC_MPSADBW] = xmm_source_control<Engine, semantics::mpsadbw>;
    table[ZYDIS_MNEMONIC_PHMINPOSUW] = xmm_source<Engine, semantics::phminposuw>;
}

}  // namespace backplane::x86
