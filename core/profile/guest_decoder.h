// Decodes the guest's instructions, of any of the three sizes of code.
#pragma once

#include <Zydis/Zydis.h>

namespace backplane::profile {

[[nodiscard]] inline ZydisDecoder guest_decoder(unsigned code_size) {
    ZydisDecoder decoder;
    if (code_size == 16)
        ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16);
    else if (code_size == 32)
        ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32);
    else
        ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    return decoder;
}

}  // namespace backplane::profile
