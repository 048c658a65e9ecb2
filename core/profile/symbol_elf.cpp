// Functions in an ELF file of either width, from its symbol table or that of dynamic linking.
#include "profile/symbol_table.h"

#include <elf.h>

#include <cstring>

namespace backplane::profile {
namespace {

template <class T>
std::optional<T> at(std::string_view bytes, std::uint64_t offset) {
    if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

struct Bits32 {
    using Header = Elf32_Ehdr;
    using Section = Elf32_Shdr;
    using Symbol = Elf32_Sym;
};
struct Bits64 {
    using Header = Elf64_Ehdr;
    using Section = Elf64_Shdr;
    using Symbol = Elf64_Sym;
};

template <class Section>
std::optional<std::string_view> content_of(std::string_view bytes, const Section& section) {
    if (section.sh_offset > bytes.size() || bytes.size() - section.sh_offset < section.sh_size)
        return std::nullopt;
    return bytes.substr(section.sh_offset, section.sh_size);
}

template <class Bits>
bool add_symbols(std::string_view bytes, const typename Bits::Section& table,
                 const typename Bits::Section& names, std::vector<Symbol>& symbols) {
    const auto entries = content_of(bytes, table), text = content_of(bytes, names);
    if (!entries || !text) return false;
    for (std::size_t i = 0; i + sizeof(typename Bits::Symbol) <= entries->size();
         i += sizeof(typename Bits::Symbol)) {
        const auto entry = *at<typename Bits::Symbol>(*entries, i);
        const unsigned type = entry.st_info & 0xf;
        const bool is_code = type == STT_FUNC || type == STT_GNU_IFUNC;
        if (!is_code || entry.st_shndx == SHN_UNDEF || entry.st_name >= text->size()) continue;
        const std::string_view name = text->substr(entry.st_name);
        symbols.push_back(
            {entry.st_value, entry.st_size, std::string{name.substr(0, name.find('\0'))}});
    }
    return true;
}

template <class Bits>
std::optional<std::vector<Symbol>> functions_of(std::string_view bytes) {
    const auto header = at<typename Bits::Header>(bytes, 0);
    if (!header || header->e_shentsize != sizeof(typename Bits::Section)) return std::nullopt;
    const auto section = [&](std::uint64_t index) {
        return index < header->e_shnum
                   ? at<typename Bits::Section>(bytes, header->e_shoff +
                                                           index * sizeof(typename Bits::Section))
                   : std::nullopt;
    };
    std::vector<Symbol> symbols;
    // What the dynamic linker needs is a part of the other one, which may have been stripped.
    for (const unsigned wanted : {SHT_SYMTAB, SHT_DYNSYM}) {
        for (std::uint64_t i = 0; i < header->e_shnum; ++i) {
            const auto table = section(i);
            if (!table) return std::nullopt;
            if (table->sh_type != wanted) continue;
            const auto names = section(table->sh_link);
            if (!names || !add_symbols<Bits>(bytes, *table, *names, symbols)) return std::nullopt;
        }
        if (!symbols.empty()) break;
    }
    return symbols;
}

}  // namespace

std::optional<std::vector<Symbol>> parse_elf(std::string_view bytes) {
    if (bytes.size() < EI_NIDENT || !bytes.starts_with(std::string_view{ELFMAG, SELFMAG}) ||
        bytes[EI_DATA] != ELFDATA2LSB)
        return std::nullopt;
    if (bytes[EI_CLASS] == ELFCLASS32) return functions_of<Bits32>(bytes);
    if (bytes[EI_CLASS] == ELFCLASS64) return functions_of<Bits64>(bytes);
    return std::nullopt;
}

}  // namespace backplane::profile
