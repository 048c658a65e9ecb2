// Any bytes in any code size: our decoder accepts what Zydis accepts, with the same length, never
// reads beyond what it is given, and every instruction can be disassembled and judged by a model.
// tests/oracle/decoder_length_test.cpp asks the processor too.
#include "x86/decoder.h"
#include "x86/disassembler.h"
#include "x86/instruction_set.h"

#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

using namespace backplane::x86;

[[noreturn]] void disagree(const char* what) {
    std::fprintf(stderr, "decoder: %s\n", what);
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    static const CpuModel& model = cpu_models().front();
    static const Decoder decoder{decoder_features(model)};
    const auto code_size = static_cast<CodeSize>(data[0] % 3);
    // A copy of its own, so that the sanitizer sees every byte read too far.
    const std::vector<std::byte> bytes(reinterpret_cast<const std::byte*>(data + 1),
                                       reinterpret_cast<const std::byte*>(data + size));
    Instruction instruction;
    const DecodeStatus status = decoder.decode(bytes, code_size, 0x1000, instruction);
    if (status == DecodeStatus::NeedsMoreBytes && bytes.size() >= Decoder::max_length)
        disagree("asks for more than the longest instruction has");
    if (status != DecodeStatus::Complete) return 0;
    const std::size_t length = instruction.decoded.length;
    if (length == 0 || length > bytes.size() || length > Decoder::max_length)
        disagree("a length that cannot be");
    Instruction again;
    const std::span exact{bytes.data(), length};
    if (decoder.decode(exact, code_size, 0x1000, again) != DecodeStatus::Complete ||
        again.decoded.length != length)
        disagree("bytes behind the instruction change it");
    if (length > 1 &&
        decoder.decode(exact.first(length - 1), code_size, 0x1000, again) == DecodeStatus::Complete)
        disagree("an instruction without its last byte is one as well");
    (void)has_instruction(model, instruction);
    (void)ends_block(instruction);
    (void)branch_target(instruction);
    (void)disassemble(instruction);
    return 0;
}
