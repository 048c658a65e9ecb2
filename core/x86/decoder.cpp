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
    enable(ZYDIS_DECODER_MODE_AMD_BRANCHES, features.amd_operands);
    return decoder;
}

// Zydis 4.0 takes REX.B for a part of the base where mod is 00 and the base field 101b. There is no
// base then, only a displacement (SDM 2 table 2-5, "Base field encodings").
void remove_invented_base(Instruction& instruction) {
    const auto& raw = instruction.decoded.raw;
    const bool without_base = raw.modrm.mod == 0 && raw.modrm.rm == 4 && raw.sib.base == 5;
    if (!without_base || !(instruction.decoded.attributes & ZYDIS_ATTRIB_HAS_SIB)) return;
    for (unsigned i = 0; i < instruction.decoded.operand_count; ++i) {
        ZydisDecodedOperand& operand = instruction.operands[i];
        if (operand.type != ZYDIS_OPERAND_TYPE_MEMORY ||
            operand.encoding != ZYDIS_OPERAND_ENCODING_MODRM_RM)
            continue;
        operand.mem.base = ZYDIS_REGISTER_NONE;
        operand.mem.disp.has_displacement = true;
        operand.mem.disp.value = raw.disp.value;
    }
}

// Zydis gives a 16-bit MOVSXD the doubleword that AMD processors read from memory; on Intel's the
// operands are of one size (SDM 2, MOVSXD).
void narrow_short_movsxd(Instruction& instruction) {
    if (instruction.mnemonic() == ZYDIS_MNEMONIC_MOVSXD && instruction.operands[0].size == 16)
        instruction.operands[1].size = 16;
}

// F3 90 with REX.B is no PAUSE: it exchanges R8, whatever the prefix (APM 3, NOP).
bool is_exchange_taken_for_pause(const Instruction& instruction) {
    return instruction.mnemonic() == ZYDIS_MNEMONIC_PAUSE && instruction.decoded.raw.rex.B;
}

}  // namespace

Decoder::Decoder(DecoderFeatures features)
    : decoders_{make_decoder(ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16, features),
                make_decoder(ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32, features),
                make_decoder(ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64, features)},
      has_amd_operands_{features.amd_operands} {}

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
    if (is_exchange_taken_for_pause(instruction)) return decode_exchange(bytes, ip, instruction);
    remove_invented_base(instruction);
    if (!has_amd_operands_) narrow_short_movsxd(instruction);
    instruction.code_size = code_size;
    instruction.has_amd_operands = has_amd_operands_;
    instruction.ip = ip;
    instruction.block_ip = ip;
    return DecodeStatus::Complete;
}

// The same bytes with the repeat prefixes replaced by a segment's, which 64-bit code ignores.
DecodeStatus Decoder::decode_exchange(std::span<const std::byte> bytes, std::uint64_t ip,
                                      Instruction& instruction) const {
    std::array<std::byte, max_length> plain{};
    const std::size_t length = std::min(bytes.size(), max_length);
    std::copy_n(bytes.begin(), length, plain.begin());
    for (unsigned i = 0; i + 2u < instruction.decoded.length; ++i)
        if (plain[i] == std::byte{0xf3} || plain[i] == std::byte{0xf2}) plain[i] = std::byte{0x3e};
    return decode(std::span{plain}.first(length), CodeSize::Bits64, ip, instruction);
}

}  // namespace backplane::x86
