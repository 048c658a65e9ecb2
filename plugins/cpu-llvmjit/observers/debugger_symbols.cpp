#include "observers/debugger_symbols.h"

#include "observers/code_symbol.h"

#include <algorithm>
#include <span>

namespace backplane::jit {

void DebuggerSymbols::installed(const InstalledCode& code) {
    // Code of tier 2 has frames of its own.
    if (code.tier != 1) return;
    const std::string name = code_symbol(code);
    hot_.push_back({name, reinterpret_cast<std::uint64_t>(code.start), code.bytes});
    cold_.push_back(
        {name + cold_suffix, reinterpret_cast<std::uint64_t>(code.cold_start), code.cold_bytes});
    batches_.push_back({hot_.size() - 1, 0, file_of(hot_.size() - 1, hot_.size())});
    for (;;) {
        if (batches_.size() < merged_at_once) return;
        const Batch& oldest = batches_[batches_.size() - merged_at_once];
        const unsigned rank = batches_.back().rank;
        if (oldest.rank != rank || starts_over_behind(oldest.first)) return;
        const std::size_t first = oldest.first;
        batches_.erase(batches_.end() - merged_at_once, batches_.end());
        batches_.push_back({first, rank + 1, file_of(first, hot_.size())});
    }
}

// What stays becomes one file, or two.
void DebuggerSymbols::released(const ReleasedCode& code) {
    const auto start = reinterpret_cast<std::uint64_t>(code.start);
    const auto stays = [&](const NamedCode& named) { return named.start - start >= code.bytes; };
    const auto gone = std::ranges::find_if(hot_, stays) - hot_.begin();
    hot_.erase(hot_.begin(), hot_.begin() + gone);
    cold_.erase(cold_.begin(), cold_.begin() + gone);
    batches_.clear();
    const auto start_over = std::ranges::is_sorted_until(hot_, {}, &NamedCode::start);
    const auto middle = static_cast<std::size_t>(start_over - hot_.begin());
    add_batch(0, middle);
    add_batch(middle, hot_.size());
}

void DebuggerSymbols::add_batch(std::size_t first, std::size_t end) {
    if (first == end) return;
    unsigned rank = 0;
    for (std::size_t blocks = end - first; blocks >= merged_at_once; blocks /= merged_at_once)
        ++rank;
    batches_.push_back({first, rank, file_of(first, end)});
}

DebuggerFile DebuggerSymbols::file_of(std::size_t first, std::size_t end) const {
    const auto part = [&](const std::vector<NamedCode>& code) {
        return std::span{code}.subspan(first, end - first);
    };
    return DebuggerFile{elf_image(part(hot_), part(cold_))};
}

}  // namespace backplane::jit
