// Forms of F16C.
#pragma once

#include "x86/forms/avx_float.h"
#include "x86/semantics/f16c.h"

namespace backplane::x86 {
namespace forms {

template <class Engine>
typename Engine::Handler vex_to_half(const Instruction& instruction, Op& op) {
    using Byte = Immediate<std::uint8_t>;
    constexpr auto semantic = semantics::vcvtps2ph;
    if (!fill_vex(instruction, op)) return nullptr;
    const auto of_width = [&]<class From, class To> {
        return is_memory(instruction.operands[0])
                   ? Engine::template handler<semantic, VexMemory<To>, VexReg<From>, Byte>()
                   : Engine::template handler<semantic, VexReg<To>, VexRm<From>, Byte>();
    };
    return is_ymm_wide(instruction) ? of_width.template operator()<Bits256, Bits128>()
                                    : of_width.template operator()<Bits128, Bits64>();
}

}  // namespace forms

template <class Engine>
void register_f16c(FormTable<Engine>& table) {
    using namespace forms;
    table[ZYDIS_MNEMONIC_VCVTPH2PS] =
        vex_widening<Engine, semantics::vcvtph2ps, semantics::vcvtph2ps_ymm>;
    table[ZYDIS_MNEMONIC_VCVTPS2PH] = vex_to_half<Engine>;
}

}  // namespace backplane::x86
