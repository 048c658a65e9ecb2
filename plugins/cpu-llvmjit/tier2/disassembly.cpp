#include "tier2/disassembly.h"

#include "reports/core_part.h"
#include "x86/decoder.h"
#include "x86/disassembler.h"

#include <cstdio>

namespace backplane::jit::tier2 {
namespace {

// What Core's register is used for.
std::string part(const x86::Instruction& instruction) {
    for (const ZydisDecodedOperand& operand : instruction.operands)
        if (operand.type == ZYDIS_OPERAND_TYPE_MEMORY && operand.mem.base == ZYDIS_REGISTER_R12)
            return "  ; " + core_part(static_cast<std::size_t>(operand.mem.disp.value));
    return {};
}

}  // namespace

std::string disassembly(std::span<const std::uint8_t> code) {
    static const x86::Decoder decoder{{.lzcnt = true, .bmi1 = true}};
    const auto bytes = std::as_bytes(code);
    std::string text;
    for (std::size_t at = 0; at < code.size();) {
        x86::Instruction instruction;
        if (decoder.decode(bytes.subspan(at), x86::CodeSize::Bits64, at, instruction) !=
            x86::DecodeStatus::Complete)
            break;
        char offset[16];
        std::snprintf(offset, sizeof offset, "+%04zx  ", at);
        text += offset + x86::disassemble(instruction) + part(instruction) + '\n';
        at += instruction.decoded.length;
    }
    return text;
}

}  // namespace backplane::jit::tier2
