// Names of addresses: functions of kernels, programs and code that was made while they ran.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::profile {

struct Symbol {
    std::uint64_t address = 0, size = 0;  // 0: up to the next one
    std::string name;
};

// The functions of one file.
class SymbolTable {
public:
    SymbolTable() = default;
    SymbolTable(std::string module, std::vector<Symbol> symbols);

    // Null: none. The address is as in the file.
    const Symbol* find(std::uint64_t address) const;
    // Whether a function begins there.
    bool has_start(std::uint64_t address) const;

    const std::string& module() const { return module_; }
    void set_module(std::string module) { module_ = std::move(module); }
    const std::vector<Symbol>& symbols() const { return symbols_; }
    bool is_empty() const { return symbols_.empty(); }

private:
    std::string module_;
    std::vector<Symbol> symbols_;  // by address
};

// System.map or /proc/kallsyms ("ffffffff81000000 T _stext"), a perf map ("7f00 20 name"), or an
// ELF file's functions: whatever it is. Messages name the file.
[[nodiscard]] std::expected<SymbolTable, std::string>
read_symbols(const std::filesystem::path& file);

// Nothing: it is no such text, or no ELF file.
[[nodiscard]] std::optional<std::vector<Symbol>> parse_system_map(std::string_view text);
[[nodiscard]] std::optional<std::vector<Symbol>> parse_perf_map(std::string_view text);
[[nodiscard]] std::optional<std::vector<Symbol>> parse_elf(std::string_view bytes);

}  // namespace backplane::profile
