// Forms of AES-NI, PCLMULQDQ and the SHA extensions.
#pragma once

#include "x86/forms/vector_operands.h"
#include "x86/semantics/crypto.h"

namespace backplane::x86 {

template <class Engine>
void register_crypto(FormTable<Engine>& table) {
    using namespace forms;
    table[ZYDIS_MNEMONIC_AESENC] = xmm_source<Engine, semantics::aesenc>;
    table[ZYDIS_MNEMONIC_AESENCLAST] = xmm_source<Engine, semantics::aesenclast>;
    table[ZYDIS_MNEMONIC_AESDEC] = xmm_source<Engine, semantics::aesdec>;
    table[ZYDIS_MNEMONIC_AESDECLAST] = xmm_source<Engine, semantics::aesdeclast>;
    table[ZYDIS_MNEMONIC_AESIMC] = xmm_source<Engine, semantics::aesimc>;
    table[ZYDIS_MNEMONIC_AESKEYGENASSIST] = xmm_source_control<Engine, semantics::aeskeygenassist>;

    table[ZYDIS_MNEMONIC_PCLMULQDQ] = xmm_source_control<Engine, semantics::pclmulqdq>;

    // SDM 2 wants their memory aligned like the others'; AMD's processors do not ask.
    using Source = Memory<Bits128>;
    table[ZYDIS_MNEMONIC_SHA1NEXTE] = xmm_source<Engine, semantics::sha1nexte, Source>;
    table[ZYDIS_MNEMONIC_SHA1MSG1] = xmm_source<Engine, semantics::sha1msg1, Source>;
    table[ZYDIS_MNEMONIC_SHA1MSG2] = xmm_source<Engine, semantics::sha1msg2, Source>;
    table[ZYDIS_MNEMONIC_SHA1RNDS4] = xmm_source_control<Engine, semantics::sha1rnds4, Source>;
    table[ZYDIS_MNEMONIC_SHA256MSG1] = xmm_source<Engine, semantics::sha256msg1, Source>;
    table[ZYDIS_MNEMONIC_SHA256MSG2] = xmm_source<Engine, semantics::sha256msg2, Source>;
    table[ZYDIS_MNEMONIC_SHA256RNDS2] = xmm_source<Engine, semantics::sha256rnds2, Source, Xmm0>;
}

}  // namespace backplane::x86
