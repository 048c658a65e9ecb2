#include "x86/disassembler.h"

#include <cstdlib>

namespace backplane::x86 {
namespace {

ZydisFormatter make_formatter() {
    ZydisFormatter formatter;
    if (ZYAN_FAILED(ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL))) std::abort();
    return formatter;
}

}  // namespace

std::string disassemble(const Instruction& instruction) {
    static const ZydisFormatter formatter = make_formatter();
    char text[128];
    const ZyanStatus status = ZydisFormatterFormatInstruction(
        &formatter, &instruction.decoded, instruction.operands.data(),
        instruction.decoded.operand_count_visible, text, sizeof text, instruction.ip, nullptr);
    return ZYAN_FAILED(status) ? "(unprintable)" : text;
}

}  // namespace backplane::x86
