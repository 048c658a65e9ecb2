#include "profile/code_listing.h"

#include <Zydis/Zydis.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

namespace backplane::profile {
namespace {

struct Decoded {
    std::string text;
    std::size_t length;
};

ZydisMachineMode mode_of(std::uint8_t code_size) {
    if (code_size == 16) return ZYDIS_MACHINE_MODE_LEGACY_16;
    return code_size == 32 ? ZYDIS_MACHINE_MODE_LEGACY_32 : ZYDIS_MACHINE_MODE_LONG_64;
}

std::optional<Decoded> disassemble(const CodeBytes& code, std::uint64_t address) {
    ZydisDecoder decoder;
    const auto width = code.code_size == 64   ? ZYDIS_STACK_WIDTH_64
                       : code.code_size == 32 ? ZYDIS_STACK_WIDTH_32
                                              : ZYDIS_STACK_WIDTH_16;
    ZydisDecoderInit(&decoder, mode_of(code.code_size), width);
    ZydisFormatter formatter;
    ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL);
    ZydisDecodedInstruction instruction;
    std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> operands;
    const std::size_t offset = address - code.address;
    if (offset >= code.bytes.size() ||
        !ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code.bytes.data() + offset,
                                             code.bytes.size() - offset, &instruction,
                                             operands.data())))
        return std::nullopt;
    std::array<char, 128> text{};
    if (!ZYAN_SUCCESS(ZydisFormatterFormatInstruction(&formatter, &instruction, operands.data(),
                                                      instruction.operand_count_visible,
                                                      text.data(), text.size(), address, nullptr)))
        return std::nullopt;
    return Decoded{text.data(), instruction.length};
}

}  // namespace

CodeListing::CodeListing(const Recording& recording, const Symbolizer& symbols)
    : recording_{recording}, symbols_{symbols} {}

const CodeBytes* CodeListing::bytes_at(std::uint64_t address) const {
    const auto found = std::ranges::find_if(recording_.code, [&](const CodeBytes& code) {
        return address >= code.address && address - code.address < code.bytes.size();
    });
    return found == recording_.code.end() ? nullptr : &*found;
}

// From the first instruction that a sample names: before it nobody knows where instructions begin.
// Then on, as far as code was recorded and the function goes.
std::string CodeListing::of_function(Space space, std::uint64_t address) const {
    const Place place = symbols_.find(space, address);
    std::map<std::uint64_t, std::uint64_t> samples;
    std::uint64_t total = 0;
    for (const Sample& sample : recording_.samples) {
        if (sample.is_idle() || space_of(sample.privilege) != space) continue;
        const bool is_inside = place.symbol ? symbols_.find(space, sample.pc).start == place.start
                                            : sample.pc == address;
        if (!is_inside) continue;
        samples[sample.pc] += sample.weight;
        total += sample.weight;
    }
    std::string text;
    constexpr std::size_t context = 4;  // instructions without a sample that are shown
    auto next = samples.begin();
    while (next != samples.end()) {
        std::uint64_t at = next->first;
        std::size_t without = 0;
        const CodeBytes* code = bytes_at(at);
        while (code && without <= context) {
            const auto line = disassemble(*code, at);
            if (!line) break;
            if (place.symbol && symbols_.find(space, at).start != place.start) break;
            const auto found = samples.find(at);
            const bool is_hit = found != samples.end();
            without = is_hit ? 0 : without + 1;
            const std::uint64_t count = is_hit ? found->second : 0;
            text += fmt::format(
                "  {:>8} {:>6}  {:x}{}  {}\n", is_hit ? fmt::to_string(count) : "",
                is_hit ? fmt::format("{:.1f} %", 100.0 * static_cast<double>(count) /
                                                     static_cast<double>(total))
                       : "",
                at, place.symbol ? fmt::format(" +{:#x}", at - place.start) : "", line->text);
            at += line->length;
            if (at - code->address >= code->bytes.size()) code = bytes_at(at);
        }
        if (at == next->first) {
            text += fmt::format("  {:>8} {:>6}  {:x}  (no code was recorded)\n", next->second, "",
                                at);
            ++at;
        }
        next = samples.lower_bound(at);
        if (next != samples.end()) text += "  ...\n";
    }
    return text;
}

}  // namespace backplane::profile
