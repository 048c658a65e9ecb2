// Symbols as lines of text.
#include "profile/symbol_table.h"

#include <algorithm>
#include <charconv>
#include <ranges>

namespace backplane::profile {
namespace {

std::string_view next_word(std::string_view& line) {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    const std::string_view word = line.substr(0, line.find_first_of(" \t\r"));
    line.remove_prefix(word.size());
    return word;
}

std::optional<std::uint64_t> hexadecimal(std::string_view word) {
    std::uint64_t value = 0;
    if (word.starts_with("0x")) word.remove_prefix(2);
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, 16);
    if (word.empty() || error != std::errc{} || end != word.data() + word.size())
        return std::nullopt;
    return value;
}

// Gives nothing where a line is not like that; empty ones do not count.
template <class Read>
std::optional<std::vector<Symbol>> lines_of(std::string_view text, Read read) {
    std::vector<Symbol> symbols;
    bool has_lines = false;
    for (const auto part : std::views::split(text, '\n')) {
        std::string_view line{part.begin(), part.end()};
        if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
        if (!read(line, symbols)) return std::nullopt;
        has_lines = true;
    }
    if (!has_lines) return std::nullopt;
    return symbols;
}

}  // namespace

// nm(1): T and W are code. Addresses are 0 where /proc/kallsyms hides them.
std::optional<std::vector<Symbol>> parse_system_map(std::string_view text) {
    return lines_of(text, [](std::string_view line, std::vector<Symbol>& symbols) {
        const auto address = hexadecimal(next_word(line));
        const std::string_view type = next_word(line);
        const std::string_view name = next_word(line);
        if (!address || type.size() != 1 || name.empty()) return false;
        std::string whole{name};
        if (const std::string_view module = next_word(line); !module.empty())
            whole.append(" ").append(module);
        if (std::string_view{"tTwW"}.contains(type[0]) && *address != 0)
            symbols.push_back({*address, 0, std::move(whole)});
        return true;
    });
}

std::optional<std::vector<Symbol>> parse_perf_map(std::string_view text) {
    return lines_of(text, [](std::string_view line, std::vector<Symbol>& symbols) {
        const auto address = hexadecimal(next_word(line));
        const auto size = hexadecimal(next_word(line));
        line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
        while (line.ends_with('\r'))
            line.remove_suffix(1);
        if (!address || !size || line.empty()) return false;
        symbols.push_back({*address, *size, std::string{line}});
        return true;
    });
}

}  // namespace backplane::profile
