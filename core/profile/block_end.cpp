#include "profile/block_end.h"

#include "profile/guest_decoder.h"

namespace backplane::profile {
namespace {

bool ends_block(const ZydisDecodedInstruction& instruction) {
    switch (instruction.meta.category) {
    case ZYDIS_CATEGORY_CALL:
    case ZYDIS_CATEGORY_COND_BR:
    case ZYDIS_CATEGORY_INTERRUPT:
    case ZYDIS_CATEGORY_RET:
    case ZYDIS_CATEGORY_SYSCALL:
    case ZYDIS_CATEGORY_SYSRET:
    case ZYDIS_CATEGORY_UNCOND_BR: return true;
    default: return instruction.mnemonic == ZYDIS_MNEMONIC_HLT;
    }
}

}  // namespace

std::optional<std::uint64_t> block_end(std::span<const std::byte> code, std::uint64_t address,
                                       unsigned code_size) {
    const ZydisDecoder decoder = guest_decoder(code_size);
    ZydisDecodedInstruction instruction;
    while (ZYAN_SUCCESS(
        ZydisDecoderDecodeInstruction(&decoder, nullptr, code.data(), code.size(), &instruction))) {
        code = code.subspan(instruction.length);
        address += instruction.length;
        if (ends_block(instruction)) return address;
    }
    return std::nullopt;
}

}  // namespace backplane::profile
