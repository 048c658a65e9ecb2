#include "profile/symbol_table.h"

#include "profile/host_files.h"

#include <cxxabi.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace backplane::profile {
namespace {

std::string demangled(const std::string& name) {
    if (!name.starts_with("_Z") && !name.starts_with("_R")) return name;
    int status = 0;
    char* text = abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status);
    std::string result = status == 0 && text ? text : name;
    std::free(text);
    return result;
}

}  // namespace

SymbolTable::SymbolTable(std::string module, std::vector<Symbol> symbols)
    : module_{std::move(module)}, symbols_{std::move(symbols)} {
    std::ranges::stable_sort(symbols_, {}, &Symbol::address);
    for (Symbol& symbol : symbols_)
        symbol.name = demangled(symbol.name);
}

const Symbol* SymbolTable::find(std::uint64_t address) const {
    auto behind = std::ranges::upper_bound(symbols_, address, {}, &Symbol::address);
    if (behind == symbols_.begin()) return nullptr;
    // Of several at one address the first that was written.
    const auto found = std::ranges::lower_bound(symbols_, std::prev(behind)->address, {},
                                                &Symbol::address);
    std::uint64_t end = found->address + found->size;
    if (found->size == 0) {
        // The last one is as long as functions may be.
        constexpr std::uint64_t longest = 64 << 10;
        end = behind != symbols_.end() ? behind->address : found->address + longest;
    }
    return address < end ? &*found : nullptr;
}

bool SymbolTable::has_start(std::uint64_t address) const {
    return std::ranges::binary_search(symbols_, address, {}, &Symbol::address);
}

std::expected<SymbolTable, std::string> read_symbols(const std::filesystem::path& file) {
    const auto content = read_host_file(file);
    if (!content) return std::unexpected{content.error()};
    const std::string module = file.filename().string();
    const bool is_elf = content->starts_with("\177ELF");
    auto symbols = is_elf ? parse_elf(*content) : parse_system_map(*content);
    if (!symbols && !is_elf) symbols = parse_perf_map(*content);
    if (!symbols)
        return std::unexpected{
            is_elf ? fmt::format("{}: a damaged ELF file", file.string())
                   : fmt::format("{}: neither an ELF file nor lines such as \"ffffffff81000000 T "
                                 "_stext\" (System.map, /proc/kallsyms) or \"7f0010 20 name\" (a "
                                 "perf map)",
                                 file.string())};
    if (symbols->empty())
        return std::unexpected{fmt::format("{}: has no symbols of functions{}", file.string(),
                                           is_elf ? "; it may have been stripped of them" : "")};
    return SymbolTable{module, std::move(*symbols)};
}

}  // namespace backplane::profile
