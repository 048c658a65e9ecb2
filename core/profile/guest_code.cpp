#include "profile/guest_code.h"

#include "profile/guest_decoder.h"

#include <array>

namespace backplane::profile {
namespace {

std::optional<GuestInstruction> decode(const CodeBytes& code, std::uint64_t address) {
    const ZydisDecoder decoder = guest_decoder(code.code_size);
    ZydisFormatter formatter;
    ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL);
    ZydisDecodedInstruction instruction;
    std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> operands;
    const std::size_t offset = address - code.address;
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code.bytes.data() + offset,
                                             code.bytes.size() - offset, &instruction,
                                             operands.data())))
        return std::nullopt;
    std::array<char, 128> text{};
    if (!ZYAN_SUCCESS(ZydisFormatterFormatInstruction(&formatter, &instruction, operands.data(),
                                                      instruction.operand_count_visible,
                                                      text.data(), text.size(), address, nullptr)))
        return std::nullopt;
    return GuestInstruction{ZydisMnemonicGetString(instruction.mnemonic), text.data(),
                            instruction.length};
}

}  // namespace

GuestCode::GuestCode(const Recording& recording) {
    for (const CodeBytes& code : recording.code)
        if (!code.is_physical()) by_start_.emplace(code.address, &code);
}

// Pieces overlap by an instruction's length.
std::optional<GuestInstruction> GuestCode::at(std::uint64_t address) const {
    constexpr int pieces = 4;
    auto behind = by_start_.upper_bound(address);
    for (int i = 0; i < pieces && behind != by_start_.begin(); ++i) {
        const CodeBytes& code = *(--behind)->second;
        if (address - code.address >= code.bytes.size()) continue;
        if (auto instruction = decode(code, address)) return instruction;
    }
    return std::nullopt;
}

}  // namespace backplane::profile
