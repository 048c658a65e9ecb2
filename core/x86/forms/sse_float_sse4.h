// Forms of SSE3's horizontal arithmetic and of SSE4.1's rounding and dot products.
#pragma once

#include "x86/forms/vector_operands.h"
#include "x86/semantics/sse_float_sse4.h"

namespace backplane::x86 {

template <class Engine>
void register_sse_float_sse4(FormTable<Engine>& table) {
    using namespace forms;
    table[ZYDIS_MNEMONIC_ADDSUBPS] = xmm_source<Engine, semantics::addsubps>;
    table[ZYDIS_MNEMONIC_ADDSUBPD] = xmm_source<Engine, semantics::addsubpd>;
    table[ZYDIS_MNEMONIC_HADDPS] = xmm_source<Engine, semantics::haddps>;
    table[ZYDIS_MNEMONIC_HADDPD] = xmm_source<Engine, semantics::haddpd>;
    table[ZYDIS_MNEMONIC_HSUBPS] = xmm_source<Engine, semantics::hsubps>;
    table[ZYDIS_MNEMONIC_HSUBPD] = xmm_source<Engine, semantics::hsubpd>;
    table[ZYDIS_MNEMONIC_ROUNDPS] = xmm_source_control<Engine, semantics::roundps>;
    table[ZYDIS_MNEMONIC_ROUNDPD] = xmm_source_control<Engine, semantics::roundpd>;
    table[ZYDIS_MNEMONIC_ROUNDSS] =
        xmm_source_control<Engine, semantics::roundss, Memory<std::uint32_t>>;
    table[ZYDIS_MNEMONIC_ROUNDSD] =
        xmm_source_control<Engine, semantics::roundsd, Memory<std::uint64_t>>;
    table[ZYDIS_MNEMONIC_DPPS] = xmm_source_control<Engine, semantics::dpps>;
    table[ZYDIS_MNEMONIC_DPPD] = xmm_source_control<Engine, semantics::dppd>;
}

}  // namespace backplane::x86
