#include "profile/opcode_profile.h"

#include "profile/guest_code.h"
#include "profile/guest_decoder.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace backplane::profile {
namespace {

using Totals = std::map<std::string, OpcodeTotal>;

void add_samples(const Recording& recording, Totals& totals, OpcodeProfile& profile) {
    const GuestCode code{recording};
    std::map<std::uint64_t, std::uint64_t> by_address;
    for (const Sample& sample : recording.samples)
        if (!sample.is_idle() && (sample.flags & Sample::exact))
            by_address[sample.pc] += sample.weight;
    for (const auto& [address, samples] : by_address) {
        const auto instruction = code.at(address);
        if (!instruction) continue;
        totals[instruction->mnemonic].samples += samples;
        profile.samples += samples;
    }
}

// The mnemonics of a block, whose code begins with `bytes`, as far as they are of it.
std::vector<const char*> mnemonics_of(const BlockCount& block,
                                      const std::vector<std::uint8_t>& bytes) {
    const ZydisDecoder decoder = guest_decoder(block.code_size);
    std::vector<const char*> mnemonics;
    std::size_t at = 0;
    ZydisDecodedInstruction instruction;
    while (mnemonics.size() < block.length && at < bytes.size() &&
           ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, nullptr, bytes.data() + at,
                                                      bytes.size() - at, &instruction))) {
        mnemonics.push_back(ZydisMnemonicGetString(instruction.mnemonic));
        at += instruction.length;
    }
    // All of it is there, and yet it is of another length: the code was changed.
    const bool is_whole = mnemonics.size() == block.length;
    if (at > block.bytes || (is_whole && at != block.bytes)) mnemonics.clear();
    return mnemonics;
}

void add_counts(const Recording& recording, Totals& totals, OpcodeProfile& profile) {
    std::map<std::uint64_t, const CodeBytes*> by_physical;
    for (const CodeBytes& code : recording.code)
        if (code.is_physical()) {
            const CodeBytes*& longest = by_physical[code.address];
            if (!longest || code.bytes.size() > longest->bytes.size()) longest = &code;
        }
    for (const BlockCount& block : recording.blocks) {
        profile.is_counted = true;
        const auto code = by_physical.find(block.physical);
        const auto mnemonics = code == by_physical.end() ? std::vector<const char*>{}
                                                         : mnemonics_of(block, code->second->bytes);
        for (const char* mnemonic : mnemonics)
            totals[mnemonic].count += block.hits;
        profile.count += block.hits * mnemonics.size();
        profile.unknown += block.hits * (block.length - mnemonics.size());
        profile.left_out += block.hits * block.length - block.instructions;
    }
}

}  // namespace

OpcodeProfile opcode_profile(const Recording& recording) {
    OpcodeProfile profile;
    Totals totals;
    add_samples(recording, totals, profile);
    add_counts(recording, totals, profile);
    for (auto& [mnemonic, total] : totals) {
        total.mnemonic = mnemonic;
        profile.opcodes.push_back(total);
    }
    std::ranges::sort(profile.opcodes, [](const OpcodeTotal& a, const OpcodeTotal& b) {
        return std::tie(b.samples, b.count, a.mnemonic) < std::tie(a.samples, a.count, b.mnemonic);
    });
    constexpr double milliseconds = 1000;
    constexpr std::uint64_t rarely = 10;
    if (recording.settings.frequency > rarely)
        profile.milliseconds_per_sample = milliseconds /
                                          static_cast<double>(recording.settings.frequency);
    return profile;
}

}  // namespace backplane::profile
