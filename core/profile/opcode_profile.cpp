#include "profile/opcode_profile.h"

#include "profile/guest_code.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace backplane::profile {

std::vector<OpcodeTotal> opcode_profile(const Recording& recording) {
    const GuestCode code{recording};
    std::map<std::uint64_t, std::uint64_t> by_address;
    for (const Sample& sample : recording.samples)
        if (!sample.is_idle() && (sample.flags & Sample::exact))
            by_address[sample.pc] += sample.weight;
    std::map<std::string, std::uint64_t> by_mnemonic;
    for (const auto& [address, samples] : by_address)
        if (const auto instruction = code.at(address))
            by_mnemonic[instruction->mnemonic] += samples;
    std::vector<OpcodeTotal> totals;
    for (const auto& [mnemonic, samples] : by_mnemonic)
        totals.push_back({mnemonic, samples});
    std::ranges::sort(totals, [](const OpcodeTotal& a, const OpcodeTotal& b) {
        return std::tie(b.samples, a.mnemonic) < std::tie(a.samples, b.mnemonic);
    });
    return totals;
}

}  // namespace backplane::profile
