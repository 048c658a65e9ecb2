// The sixteen mnemonics of each conditional instruction, which Zydis names by the shorter synonyms.
#pragma once

#include "x86/flags.h"
#include "x86/forms.h"

#include <array>
#include <optional>
#include <utility>

namespace backplane::x86::forms {

// In the order of Condition.
using ConditionalMnemonics = std::array<ZydisMnemonic, 16>;

inline constexpr ConditionalMnemonics jumps{
    ZYDIS_MNEMONIC_JO, ZYDIS_MNEMONIC_JNO, ZYDIS_MNEMONIC_JB,  ZYDIS_MNEMONIC_JNB,
    ZYDIS_MNEMONIC_JZ, ZYDIS_MNEMONIC_JNZ, ZYDIS_MNEMONIC_JBE, ZYDIS_MNEMONIC_JNBE,
    ZYDIS_MNEMONIC_JS, ZYDIS_MNEMONIC_JNS, ZYDIS_MNEMONIC_JP,  ZYDIS_MNEMONIC_JNP,
    ZYDIS_MNEMONIC_JL, ZYDIS_MNEMONIC_JNL, ZYDIS_MNEMONIC_JLE, ZYDIS_MNEMONIC_JNLE};

inline constexpr ConditionalMnemonics sets{
    ZYDIS_MNEMONIC_SETO, ZYDIS_MNEMONIC_SETNO, ZYDIS_MNEMONIC_SETB,  ZYDIS_MNEMONIC_SETNB,
    ZYDIS_MNEMONIC_SETZ, ZYDIS_MNEMONIC_SETNZ, ZYDIS_MNEMONIC_SETBE, ZYDIS_MNEMONIC_SETNBE,
    ZYDIS_MNEMONIC_SETS, ZYDIS_MNEMONIC_SETNS, ZYDIS_MNEMONIC_SETP,  ZYDIS_MNEMONIC_SETNP,
    ZYDIS_MNEMONIC_SETL, ZYDIS_MNEMONIC_SETNL, ZYDIS_MNEMONIC_SETLE, ZYDIS_MNEMONIC_SETNLE};

inline constexpr ConditionalMnemonics moves{
    ZYDIS_MNEMONIC_CMOVO, ZYDIS_MNEMONIC_CMOVNO, ZYDIS_MNEMONIC_CMOVB,  ZYDIS_MNEMONIC_CMOVNB,
    ZYDIS_MNEMONIC_CMOVZ, ZYDIS_MNEMONIC_CMOVNZ, ZYDIS_MNEMONIC_CMOVBE, ZYDIS_MNEMONIC_CMOVNBE,
    ZYDIS_MNEMONIC_CMOVS, ZYDIS_MNEMONIC_CMOVNS, ZYDIS_MNEMONIC_CMOVP,  ZYDIS_MNEMONIC_CMOVNP,
    ZYDIS_MNEMONIC_CMOVL, ZYDIS_MNEMONIC_CMOVNL, ZYDIS_MNEMONIC_CMOVLE, ZYDIS_MNEMONIC_CMOVNLE};

// Calls f.operator()<condition>() for each of the sixteen.
template <class F>
void for_each_condition(F f) {
    [&]<std::size_t... i>(std::index_sequence<i...>) {
        (f.template operator()<static_cast<Condition>(i)>(), ...);
    }(std::make_index_sequence<16>{});
}

inline ZydisMnemonic mnemonic_for(const ConditionalMnemonics& mnemonics, Condition condition) {
    return mnemonics[static_cast<std::size_t>(condition)];
}

// The condition of a Jcc; empty for anything else.
inline std::optional<Condition> condition_of_jump(const Instruction& instruction) {
    for (std::size_t i = 0; i < jumps.size(); ++i)
        if (jumps[i] == instruction.mnemonic()) return static_cast<Condition>(i);
    return std::nullopt;
}

}  // namespace backplane::x86::forms
