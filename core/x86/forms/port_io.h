// Forms of IN, OUT, INS and OUTS.
#pragma once

#include "x86/forms/string.h"
#include "x86/semantics/port_io.h"

namespace backplane::x86 {
namespace forms {

// `data` is AL, AX or EAX, `port` an immediate or DX.
template <class Engine, template <class> class Semantic>
typename Engine::Handler port_access(const ZydisDecodedOperand& data,
                                     const ZydisDecodedOperand& port, Op& op) {
    using Handler = typename Engine::Handler;
    return with_width<std::uint8_t, std::uint16_t, std::uint32_t>(
        data.size, [&]<class T>() -> Handler {
            if (is_immediate(port)) {
                fill_immediate(port, op);
                return Engine::template handler<Semantic<T>::value, semantics::PortImmediate>();
            }
            return Engine::template handler<Semantic<T>::value, semantics::PortInDx>();
        });
}

template <class T> struct In {
    static constexpr auto value = semantics::in<T>;
};
template <class T> struct Out {
    static constexpr auto value = semantics::out<T>;
};

template <class Engine>
typename Engine::Handler in(const Instruction& instruction, Op& op) {
    return port_access<Engine, In>(instruction.operands[0], instruction.operands[1], op);
}

template <class Engine>
typename Engine::Handler out(const Instruction& instruction, Op& op) {
    return port_access<Engine, Out>(instruction.operands[1], instruction.operands[0], op);
}

template <class Engine, class T>
void register_port_string(FormTable<Engine>& table, ZydisMnemonic ins, ZydisMnemonic outs) {
    using enum semantics::Repeat;
    table[ins] = repeatable<Engine, semantics::ins<T, Once>, semantics::ins<T, Count>>;
    table[outs] = repeatable<Engine, semantics::outs<T, Once>, semantics::outs<T, Count>>;
}

}  // namespace forms

template <class Engine>
void register_port_io(FormTable<Engine>& table) {
    using namespace forms;
    table[ZYDIS_MNEMONIC_IN] = in<Engine>;
    table[ZYDIS_MNEMONIC_OUT] = out<Engine>;
    register_port_string<Engine, std::uint8_t>(table, ZYDIS_MNEMONIC_INSB, ZYDIS_MNEMONIC_OUTSB);
    register_port_string<Engine, std::uint16_t>(table, ZYDIS_MNEMONIC_INSW, ZYDIS_MNEMONIC_OUTSW);
    register_port_string<Engine, std::uint32_t>(table, ZYDIS_MNEMONIC_INSD, ZYDIS_MNEMONIC_OUTSD);
}

}  // namespace backplane::x86
