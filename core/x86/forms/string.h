// Forms of the string instructions and XLAT.
#pragma once

#include "x86/forms/shapes.h"
#include "x86/semantics/string.h"

namespace backplane::x86 {
namespace forms {

// The segment that overrides DS for the source; the destination stays in ES.
inline unsigned source_segment(const Instruction& instruction) {
    constexpr struct {
        ZydisInstructionAttributes attribute;
        SegmentIndex segment;
    } overrides[] = {{ZYDIS_ATTRIB_HAS_SEGMENT_CS, CS},
                     {ZYDIS_ATTRIB_HAS_SEGMENT_SS, SS},
                     {ZYDIS_ATTRIB_HAS_SEGMENT_ES, ES},
                     {ZYDIS_ATTRIB_HAS_SEGMENT_FS, FS},
                     {ZYDIS_ATTRIB_HAS_SEGMENT_GS, GS}};
    for (const auto& [attribute, segment] : overrides)
        if (instruction.has(attribute)) return segment;
    return DS;
}

template <class Engine, auto semantic>
typename Engine::Handler in_string_space(const Instruction& instruction, Op& op) {
    // MOVSD and CMPSD with operands are SSE2 instructions.
    if (instruction.decoded.operand_count_visible != 0) return nullptr;
    const unsigned segment = source_segment(instruction);
    const unsigned width = instruction.decoded.address_width;
    if (instruction.is_code64() && width == 64 && segment < FS)
        return Engine::template handler<semantic, FlatStrings>();
    op.extra = SegmentedStrings::pack(segment, width, instruction.is_code64());
    return Engine::template handler<semantic, SegmentedStrings>();
}

// MOVS, STOS and LODS: either prefix counts.
template <class Engine, auto once, auto counted>
typename Engine::Handler repeatable(const Instruction& instruction, Op& op) {
    const bool repeated = instruction.has(ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE |
                                          ZYDIS_ATTRIB_HAS_REPNE);
    return repeated ? in_string_space<Engine, counted>(instruction, op)
                    : in_string_space<Engine, once>(instruction, op);
}

// CMPS and SCAS: the prefixes also test ZF.
template <class Engine, auto once, auto while_equal, auto while_not_equal>
typename Engine::Handler comparing(const Instruction& instruction, Op& op) {
    if (instruction.has(ZYDIS_ATTRIB_HAS_REPNE))
        return in_string_space<Engine, while_not_equal>(instruction, op);
    if (instruction.has(ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE))
        return in_string_space<Engine, while_equal>(instruction, op);
    return in_string_space<Engine, once>(instruction, op);
}

template <class Engine, class T>
void register_string_width(FormTable<Engine>& table, ZydisMnemonic movs, ZydisMnemonic stos,
                           ZydisMnemonic lods, ZydisMnemonic scas, ZydisMnemonic cmps) {
    using enum semantics::Repeat;
    table[stos] = repeatable<Engine, semantics::stos<T, Once>, semantics::stos<T, Count>>;
    table[lods] = repeatable<Engine, semantics::lods<T, Once>, semantics::lods<T, Count>>;
    table[scas] = comparing<Engine, semantics::scas<T, Once>, semantics::scas<T, WhileEqual>,
                            semantics::scas<T, WhileNotEqual>>;
    table[movs] = repeatable<Engine, semantics::movs<T, Once>, semantics::movs<T, Count>>;
    table[cmps] = comparing<Engine, semantics::cmps<T, Once>, semantics::cmps<T, WhileEqual>,
                            semantics::cmps<T, WhileNotEqual>>;
}

}  // namespace forms

template <class Engine>
void register_string(FormTable<Engine>& table) {
    using namespace forms;
    register_string_width<Engine, std::uint8_t>(table, ZYDIS_MNEMONIC_MOVSB, ZYDIS_MNEMONIC_STOSB,
                                                ZYDIS_MNEMONIC_LODSB, ZYDIS_MNEMONIC_SCASB,
                                                ZYDIS_MNEMONIC_CMPSB);
    register_string_width<Engine, std::uint16_t>(table, ZYDIS_MNEMONIC_MOVSW, ZYDIS_MNEMONIC_STOSW,
                                                 ZYDIS_MNEMONIC_LODSW, ZYDIS_MNEMONIC_SCASW,
                                                 ZYDIS_MNEMONIC_CMPSW);
    register_string_width<Engine, std::uint32_t>(table, ZYDIS_MNEMONIC_MOVSD, ZYDIS_MNEMONIC_STOSD,
                                                 ZYDIS_MNEMONIC_LODSD, ZYDIS_MNEMONIC_SCASD,
                                                 ZYDIS_MNEMONIC_CMPSD);
    register_string_width<Engine, std::uint64_t>(table, ZYDIS_MNEMONIC_MOVSQ, ZYDIS_MNEMONIC_STOSQ,
                                                 ZYDIS_MNEMONIC_LODSQ, ZYDIS_MNEMONIC_SCASQ,
                                                 ZYDIS_MNEMONIC_CMPSQ);
    table[ZYDIS_MNEMONIC_XLAT] = in_string_space<Engine, semantics::xlat>;
}

}  // namespace backplane::x86
