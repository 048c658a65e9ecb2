// Makes form functions; included by the files that become the bitcode of the semantics.
#pragma once

#include "tier2/semantics/form.h"
#include "tier2/semantics/tier2_machine.h"
#include "x86/forms.h"

namespace backplane::jit::tier2 {

template <auto semantic, class... Operands>
x86::Outcome execute_form(x86::CpuState* state, const x86::FastPages* pages, std::uint64_t* target,
                          std::uint8_t reg, std::uint8_t rm, std::uint8_t base, std::uint8_t index,
                          std::uint8_t scale, std::uint8_t length, std::uint16_t offset,
                          std::int32_t displacement, std::uint32_t extra, std::uint64_t immediate) {
    const x86::Op op{.handler = nullptr,
                     .reg = reg,
                     .rm = rm,
                     .base = base,
                     .index = index,
                     .scale = scale,
                     .length = length,
                     .offset = offset,
                     .displacement = displacement,
                     .extra = extra,
                     .immediate = immediate};
    Tier2Machine machine{*state, pages, op};
    const x86::Outcome outcome = semantic(machine, Operands{}...);
    *target = machine.target();
    return outcome;
}

template <auto semantic, class... Operands>
[[gnu::used]] inline constexpr FormEntry form_entry{&typeid(Form<semantic, Operands...>),
                                                    &execute_form<semantic, Operands...>};

// Refers to all of them, so that they are made.
struct BitcodeEngine {
    using Handler = const FormEntry*;

    template <auto semantic, class... Operands>
    static Handler handler() {
        if constexpr (is_covered<Operands...>) return &form_entry<semantic, Operands...>;
        return nullptr;
    }
};

}  // namespace backplane::jit::tier2
