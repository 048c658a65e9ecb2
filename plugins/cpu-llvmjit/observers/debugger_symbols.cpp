#include "observers/debugger_symbols.h"

#include "observers/code_symbol.h"

#include <span>

namespace backplane::jit {

void DebuggerSymbols::installed(const InstalledCode& code) {
    const std::string name = code_symbol(code);
    hot_.push_back({name, reinterpret_cast<std::uint64_t>(code.start), code.bytes});
    cold_.push_back(
        {name + cold_suffix, reinterpret_cast<std::uint64_t>(code.cold_start), code.cold_bytes});
    batches_.push_back({hot_.size() - 1, 0, file_from(hot_.size() - 1)});
    for (;;) {
        if (batches_.size() < merged_at_once) return;
        const Batch& oldest = batches_[batches_.size() - merged_at_once];
        const unsigned rank = batches_.back().rank;
        if (oldest.rank != rank) return;
        const std::size_t first = oldest.first;
        batches_.erase(batches_.end() - merged_at_once, batches_.end());
        batches_.push_back({first, rank + 1, file_from(first)});
    }
}

void DebuggerSymbols::released() {
    batches_.clear();
    hot_.clear();
    cold_.clear();
}

DebuggerFile DebuggerSymbols::file_from(std::size_t first) const {
    return DebuggerFile{elf_image(std::span{hot_}.subspan(first), std::span{cold_}.subspan(first))};
}

}  // namespace backplane::jit
