#include "reports/untranslated_report.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <tuple>
#include <vector>

namespace backplane::jit {

Report untranslated_report(const Untranslated& untranslated) {
    std::vector<ZydisMnemonic> found;
    for (std::size_t i = 0; i < Untranslated::size; ++i)
        if (const auto mnemonic = static_cast<ZydisMnemonic>(i); untranslated[mnemonic].met != 0)
            found.push_back(mnemonic);
    std::ranges::stable_sort(found, std::ranges::greater{}, [&](ZydisMnemonic mnemonic) {
        return std::pair{untranslated[mnemonic].left, untranslated[mnemonic].met};
    });
    std::array<char, 80> line;
    const auto add = [&](std::string& text, const char* mnemonic, auto left, auto met) {
        std::snprintf(line.data(), line.size(), "%-16s %16s %10s\n", mnemonic, left, met);
        text += line.data();
    };
    std::string text;
    add(text, "instruction", "exits in front", "compiled");
    for (const ZydisMnemonic mnemonic : found) {
        const bool is_none = mnemonic == ZYDIS_MNEMONIC_INVALID;
        add(text, is_none ? "(none)" : ZydisMnemonicGetString(mnemonic),
            std::to_string(untranslated[mnemonic].left).c_str(),
            std::to_string(untranslated[mnemonic].met).c_str());
    }
    return text;
}

}  // namespace backplane::jit
