// Forms of fused multiply-add.
#pragma once

#include "x86/forms/vex_operands.h"
#include "x86/semantics/fma.h"

namespace backplane::x86 {
namespace forms {

template <class Bits> using VexFirstSource = VexRegister<Bits, InFirstSource>;

template <class Engine, class Operation>
typename Engine::Handler fma_packed(const Instruction& instruction, Op& op) {
    constexpr auto semantic = semantics::fused_multiply_add<Operation>;
    if (!fill_vex(instruction, op)) return nullptr;
    const auto of_width = [&]<class Bits> {
        using First = VexFirstSource<Bits>;
        return has_memory(instruction)
                   ? Engine::template handler<semantic, VexReg<Bits>, First, VexMemory<Bits>>()
                   : Engine::template handler<semantic, VexReg<Bits>, First, VexRm<Bits>>();
    };
    return is_ymm_wide(instruction) ? of_width.template operator()<Bits256>()
                                    : of_width.template operator()<Bits128>();
}

template <class Engine, class Operation, class T>
typename Engine::Handler fma_scalar(const Instruction& instruction, Op& op) {
    constexpr auto semantic = semantics::fused_multiply_add<Operation>;
    using Target = VexReg<Bits128>;
    using First = VexFirstSource<Bits128>;
    if (!fill_vex(instruction, op)) return nullptr;
    return has_memory(instruction)
               ? Engine::template handler<semantic, Target, First, VexMemory<T>>()
               : Engine::template handler<semantic, Target, First, VexRm<Bits128>>();
}

template <class Engine>
void register_fma_add(FormTable<Engine>& table) {
    using Single = std::uint32_t;
    using Double = std::uint64_t;
    table[ZYDIS_MNEMONIC_VFMADD132PS] = fma_packed<Engine, host::Vfmadd132ps>;
    table[ZYDIS_MNEMONIC_VFMADD132PD] = fma_packed<Engine, host::Vfmadd132pd>;
    table[ZYDIS_MNEMONIC_VFMADD132SS] = fma_scalar<Engine, host::Vfmadd132ss, Single>;
    table[ZYDIS_MNEMONIC_VFMADD132SD] = fma_scalar<Engine, host::Vfmadd132sd, Double>;
    table[ZYDIS_MNEMONIC_VFMADD213PS] = fma_packed<Engine, host::Vfmadd213ps>;
    table[ZYDIS_MNEMONIC_VFMADD213PD] = fma_packed<Engine, host::Vfmadd213pd>;
    table[ZYDIS_MNEMONIC_VFMADD213SS] = fma_scalar<Engine, host::Vfmadd213ss, Single>;
    table[ZYDIS_MNEMONIC_VFMADD213SD] = fma_scalar<Engine, host::Vfmadd213sd, Double>;
    table[ZYDIS_MNEMONIC_VFMADD231PS] = fma_packed<Engine, host::Vfmadd231ps>;
    table[ZYDIS_MNEMONIC_VFMADD231PD] = fma_packed<Engine, host::Vfmadd231pd>;
    table[ZYDIS_MNEMONIC_VFMADD231SS] = fma_scalar<Engine, host::Vfmadd231ss, Single>;
    table[ZYDIS_MNEMONIC_VFMADD231SD] = fma_scalar<Engine, host::Vfmadd231sd, Double>;
    table[ZYDIS_MNEMONIC_VFMSUB132PS] = fma_packed<Engine, host::Vfmsub132ps>;
    table[ZYDIS_MNEMONIC_VFMSUB132PD] = fma_packed<Engine, host::Vfmsub132pd>;
    table[ZYDIS_MNEMONIC_VFMSUB132SS] = fma_scalar<Engine, host::Vfmsub132ss, Single>;
    table[ZYDIS_MNEMONIC_VFMSUB132SD] = fma_scalar<Engine, host::Vfmsub132sd, Double>;
    table[ZYDIS_MNEMONIC_VFMSUB213PS] = fma_packed<Engine, host::Vfmsub213ps>;
    table[ZYDIS_MNEMONIC_VFMSUB213PD] = fma_packed<Engine, host::Vfmsub213pd>;
    table[ZYDIS_MNEMONIC_VFMSUB213SS] = fma_scalar<Engine, host::Vfmsub213ss, Single>;
    table[ZYDIS_MNEMONIC_VFMSUB213SD] = fma_scalar<Engine, host::Vfmsub213sd, Double>;
    table[ZYDIS_MNEMONIC_VFMSUB231PS] = fma_packed<Engine, host::Vfmsub231ps>;
    table[ZYDIS_MNEMONIC_VFMSUB231PD] = fma_packed<Engine, host::Vfmsub231pd>;
    table[ZYDIS_MNEMONIC_VFMSUB231SS] = fma_scalar<Engine, host::Vfmsub231ss, Single>;
    table[ZYDIS_MNEMONIC_VFMSUB231SD] = fma_scalar<Engine, host::Vfmsub231sd, Double>;
}

template <class Engine>
void register_fma_negated(FormTable<Engine>& table) {
    using Single = std::uint32_t;
    using Double = std::uint64_t;
    table[ZYDIS_MNEMONIC_VFNMADD132PS] = fma_packed<Engine, host::Vfnmadd132ps>;
    table[ZYDIS_MNEMONIC_VFNMADD132PD] = fma_packed<Engine, host::Vfnmadd132pd>;
    table[ZYDIS_MNEMONIC_VFNMADD132SS] = fma_scalar<Engine, host::Vfnmadd132ss, Single>;
    table[ZYDIS_MNEMONIC_VFNMADD132SD] = fma_scalar<Engine, host::Vfnmadd132sd, Double>;
    table[ZYDIS_MNEMONIC_VFNMADD213PS] = fma_packed<Engine, host::Vfnmadd213ps>;
    table[ZYDIS_MNEMONIC_VFNMADD213PD] = fma_packed<Engine, host::Vfnmadd213pd>;
    table[ZYDIS_MNEMONIC_VFNMADD213SS] = fma_scalar<Engine, host::Vfnmadd213ss, Single>;
    table[ZYDIS_MNEMONIC_VFNMADD213SD] = fma_scalar<Engine, host::Vfnmadd213sd, Double>;
    table[ZYDIS_MNEMONIC_VFNMADD231PS] = fma_packed<Engine, host::Vfnmadd231ps>;
    table[ZYDIS_MNEMONIC_VFNMADD231PD] = fma_packed<Engine, host::Vfnmadd231pd>;
    table[ZYDIS_MNEMONIC_VFNMADD231SS] = fma_scalar<Engine, host::Vfnmadd231ss, Single>;
    table[ZYDIS_MNEMONIC_VFNMADD231SD] = fma_scalar<Engine, host::Vfnmadd231sd, Double>;
    table[ZYDIS_MNEMONIC_VFNMSUB132PS] = fma_packed<Engine, host::Vfnmsub132ps>;
    table[ZYDIS_MNEMONIC_VFNMSUB132PD] = fma_packed<Engine, host::Vfnmsub132pd>;
    table[ZYDIS_MNEMONIC_VFNMSUB132SS] = fma_scalar<Engine, host::Vfnmsub132ss, Single>;
    table[ZYDIS_MNEMONIC_VFNMSUB132SD] = fma_scalar<Engine, host::Vfnmsub132sd, Double>;
    table[ZYDIS_MNEMONIC_VFNMSUB213PS] = fma_packed<Engine, host::Vfnmsub213ps>;
    table[ZYDIS_MNEMONIC_VFNMSUB213PD] = fma_packed<Engine, host::Vfnmsub213pd>;
    table[ZYDIS_MNEMONIC_VFNMSUB213SS] = fma_scalar<Engine, host::Vfnmsub213ss, Single>;
    table[ZYDIS_MNEMONIC_VFNMSUB213SD] = fma_scalar<Engine, host::Vfnmsub213sd, Double>;
    table[ZYDIS_MNEMONIC_VFNMSUB231PS] = fma_packed<Engine, host::Vfnmsub231ps>;
    table[ZYDIS_MNEMONIC_VFNMSUB231PD] = fma_packed<Engine, host::Vfnmsub231pd>;
    table[ZYDIS_MNEMONIC_VFNMSUB231SS] = fma_scalar<Engine, host::Vfnmsub231ss, Single>;
    table[ZYDIS_MNEMONIC_VFNMSUB231SD] = fma_scalar<Engine, host::Vfnmsub231sd, Double>;
}

template <class Engine>
void register_fma_alternating(FormTable<Engine>& table) {
    table[ZYDIS_MNEMONIC_VFMADDSUB132PS] = fma_packed<Engine, host::Vfmaddsub132ps>;
    table[ZYDIS_MNEMONIC_VFMADDSUB132PD] = fma_packed<Engine, host::Vfmaddsub132pd>;
    table[ZYDIS_MNEMONIC_VFMADDSUB213PS] = fma_packed<Engine, host::Vfmaddsub213ps>;
    table[ZYDIS_MNEMONIC_VFMADDSUB213PD] = fma_packed<Engine, host::Vfmaddsub213pd>;
    table[ZYDIS_MNEMONIC_VFMADDSUB231PS] = fma_packed<Engine, host::Vfmaddsub231ps>;
    table[ZYDIS_MNEMONIC_VFMADDSUB231PD] = fma_packed<Engine, host::Vfmaddsub231pd>;
    table[ZYDIS_MNEMONIC_VFMSUBADD132PS] = fma_packed<Engine, host::Vfmsubadd132ps>;
    table[ZYDIS_MNEMONIC_VFMSUBADD132PD] = fma_packed<Engine, host::Vfmsubadd132pd>;
    table[ZYDIS_MNEMONIC_VFMSUBADD213PS] = fma_packed<Engine, host::Vfmsubadd213ps>;
    table[ZYDIS_MNEMONIC_VFMSUBADD213PD] = fma_packed<Engine, host::Vfmsubadd213pd>;
    table[ZYDIS_MNEMONIC_VFMSUBADD231PS] = fma_packed<Engine, host::Vfmsubadd231ps>;
    table[ZYDIS_MNEMONIC_VFMSUBADD231PD] = fma_packed<Engine, host::Vfmsubadd231pd>;
}

}  // namespace forms

template <class Engine>
void register_fma(FormTable<Engine>& table) {
    forms::register_fma_add(table);
    forms::register_fma_negated(table);
    forms::register_fma_alternating(table);
}

}  // namespace backplane::x86
