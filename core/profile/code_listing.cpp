#include "profile/code_listing.h"

#include <fmt/format.h>

#include <map>

namespace backplane::profile {

CodeListing::CodeListing(const Recording& recording, const Symbolizer& symbols)
    : recording_{recording}, symbols_{symbols}, code_{recording} {}

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
        while (without <= context) {
            const auto line = code_.at(at);
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
