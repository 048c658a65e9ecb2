#include "x86/decoder.h"

#include <algorithm>
#include <cstdlib>

namespace backplane::x86 {
namespace {

ZydisDecoder make_decoder(ZydisMachineMode mode, ZydisStackWidth stack_width,
                          DecoderFeatures features) {
    ZydisDecoder decoder;
    const auto enable = [&](ZydisDecoderMode decoder_mode, bool value) {
        if (ZYAN_FAILED(ZydisDecoderEnableMode(&decoder, decoder_mode, value))) std::abort();
    };
    if (ZYAN_FAILED(ZydisDecoderInit(&decoder, mode, stack_width))) std::abort();
    // Hints for features that no CPU model has: their encodings are the no-operations they were
    // reserved as.
    enable(ZYDIS_DECODER_MODE_MPX, false);
    enable(ZYDIS_DECODER_MODE_CET, false);
    enable(ZYDIS_DECODER_MODE_CLDEMOTE, false);
    enable(ZYDIS_DECODER_MODE_WBNOINVD, false);
    enable(ZYDIS_DECODER_MODE_LZCNT, features.lzcnt);
    enable(ZYDIS_DECODER_MODE_TZCNT, features.bmi1);
    return decoder;
}

}  // namespace

Decoder::Decoder(DecoderFeatures features)
    : decoders_{make_decoder(ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16, features),
                make_decoder(ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32, features),
                make_decoder(ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64, features)} {}

DecodeStatus Decoder::decode(std::span<const std::byte> bytes, CodeSize code_size, std::uint64_t ip,
                             Instruction& instruction) const {
    const ZydisDecoder& decoder = decoders_[static_cast<std::size_t>(code_size)];
    const std::size_t length = std::min(bytes.size(), max_length);
    if (length == 0) return DecodeStatus::NeedsMoreBytes;
    const ZyanStatus status = ZydisDecoderDecodeFull(
        &decoder, bytes.data(), length, &instruction.decoded, instruction.operands.data());
    if (status == ZYDIS_STATUS_NO_MORE_DATA)
        return length == max_length ? DecodeStatus::TooLong : DecodeStatus::NeedsMoreBytes;
    if (status == ZYDIS_STATUS_INSTRUCTION_TOO_LONG) return DecodeStatus::TooLong;
    if (ZYAN_FAILED(status)) return DecodeStatus::Invalid;
    instruction.code_size = code_size;
    instruction.ip = ip;
    instruction.block_ip = ip;
    return DecodeStatus::Complete;
}

}  // namespace backplane::x86
