// Copies the x87 and vector registers between CpuState and the images of the native tests, which
// have them in FXSAVE's order: ST(0) first, the upper halves of YMM registers apart.
#pragma once

#include "x86/cpu_state.h"

#include <cstring>

namespace backplane::x86::testing {

template <class Image>
void load_fp_registers(CpuState& state, const Image& from) {
    state.x87.control = from.control;
    state.x87.status = from.status;
    state.x87.valid = from.valid;
    state.x87.last_opcode = from.last_opcode;
    state.x87.last_instruction = from.last_instruction;
    state.x87.last_data = from.last_data;
    const unsigned top = from.status >> 11 & 7;
    for (unsigned i = 0; i < 8; ++i)
        state.x87.registers[(top + i) & 7] = {from.st[i].significand, from.st[i].sign_exponent};
    state.mxcsr = from.mxcsr;
    for (unsigned i = 0; i < 16; ++i) {
        std::memcpy(state.vectors[i].bytes.data(), &from.xmm[i], 16);
        std::memcpy(state.vectors[i].bytes.data() + 16, &from.ymm_high[i], 16);
    }
}

template <class Image>
void store_fp_registers(const CpuState& state, Image& to) {
    to.control = state.x87.control;
    to.status = state.x87.status;
    to.valid = state.x87.valid;
    to.last_opcode = state.x87.last_opcode;
    to.last_instruction = state.x87.last_instruction;
    to.last_data = state.x87.last_data;
    const unsigned top = to.status >> 11 & 7;
    for (unsigned i = 0; i < 8; ++i) {
        const Float80& value = state.x87.registers[(top + i) & 7];
        to.st[i] = {value.significand, value.sign_exponent, {}};
    }
    to.mxcsr = state.mxcsr;
    for (unsigned i = 0; i < 16; ++i) {
        std::memcpy(&to.xmm[i], state.vectors[i].bytes.data(), 16);
        std::memcpy(&to.ymm_high[i], state.vectors[i].bytes.data() + 16, 16);
    }
}

}  // namespace backplane::x86::testing
