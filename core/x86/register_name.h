// What the decoder's names of registers say, from their order: asked for each operand of each
// block, where its own tables take long.
#pragma once

#include <Zydis/Zydis.h>

namespace backplane::x86 {

// AL to R15: a general register or a part of one.
constexpr bool is_part_of_general(ZydisRegister name) {
    return name >= ZYDIS_REGISTER_AL && name <= ZYDIS_REGISTER_R15;
}

// AH to BH.
constexpr bool is_second_byte(ZydisRegister name) {
    return name >= ZYDIS_REGISTER_AH && name <= ZYDIS_REGISTER_BH;
}

// The number of the general register that this is, or is a part of.
constexpr unsigned general_number(ZydisRegister name) {
    if (name >= ZYDIS_REGISTER_RAX) return static_cast<unsigned>(name - ZYDIS_REGISTER_RAX);
    if (name >= ZYDIS_REGISTER_EAX) return static_cast<unsigned>(name - ZYDIS_REGISTER_EAX);
    if (name >= ZYDIS_REGISTER_AX) return static_cast<unsigned>(name - ZYDIS_REGISTER_AX);
    if (name >= ZYDIS_REGISTER_SPL) return static_cast<unsigned>(name - ZYDIS_REGISTER_SPL) + 4;
    if (name >= ZYDIS_REGISTER_AH) return static_cast<unsigned>(name - ZYDIS_REGISTER_AH);
    return static_cast<unsigned>(name - ZYDIS_REGISTER_AL);
}

constexpr bool is_xmm_or_ymm(ZydisRegister name) {
    return name >= ZYDIS_REGISTER_XMM0 && name <= ZYDIS_REGISTER_YMM31;
}

constexpr bool is_flags(ZydisRegister name) {
    return name >= ZYDIS_REGISTER_FLAGS && name <= ZYDIS_REGISTER_RFLAGS;
}

}  // namespace backplane::x86
