#include "observers/elf_image.h"

#include "interp/core.h"

#include <elf.h>

#include <array>
#include <cstring>
#include <string_view>

namespace backplane::jit {
namespace {

// As compiled code is called (tier1/registers.h): RSP and RBP were put away in Core, whose address
// is in RSP now. Nobody relies on the others.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Winvalid-offsetof"
constexpr std::size_t compiled = offsetof(interp::Core, compiled),
                      frame = compiled + offsetof(interp::Core::Compiled, frame),
                      stack = compiled + offsetof(interp::Core::Compiled, host_stack);
#pragma clang diagnostic pop

class Bytes {
public:
    template <class T>
    void add(const T& value) {
        const auto* from = reinterpret_cast<const std::byte*>(&value);
        bytes_.insert(bytes_.end(), from, from + sizeof value);
    }
    void add(std::initializer_list<unsigned> values) {
        for (const unsigned value : values)
            bytes_.push_back(static_cast<std::byte>(value));
    }
    // As readelf and debuggers find it; the place where it begins.
    std::uint32_t add_name(std::string_view name) {
        const auto place = static_cast<std::uint32_t>(bytes_.size());
        for (const char c : name)
            bytes_.push_back(static_cast<std::byte>(c));
        bytes_.push_back({});
        return place;
    }
    void align(std::size_t to) { bytes_.resize((bytes_.size() + to - 1) / to * to); }
    template <class T>
    void put(std::size_t place, const T& value) {
        std::memcpy(bytes_.data() + place, &value, sizeof value);
    }
    std::size_t size() const { return bytes_.size(); }
    std::vector<std::byte> take() { return std::move(bytes_); }
    void append(const Bytes& other) {
        bytes_.insert(bytes_.end(), other.bytes_.begin(), other.bytes_.end());
    }

private:
    std::vector<std::byte> bytes_;
};

// DWARF 4 section 6.4, with the register numbers of the System V ABI (x86-64, figure 3.36).
namespace dwarf {
constexpr unsigned rbx = 3, rbp = 6, rsp = 7, r12 = 12, return_address = 16;
constexpr unsigned def_cfa_expression = 0x0f, offset = 0x80, expression = 0x10, undefined = 0x07;
constexpr unsigned breg0 = 0x70, deref = 0x06, plus_uconst = 0x23;
}  // namespace dwarf

struct Range {
    std::uint64_t start = 0, end = 0;
};

Range range_of(std::span<const NamedCode> code) {
    if (code.empty()) return {};
    return {code.front().start, code.back().start + code.back().bytes};
}

Bytes debug_frame(std::initializer_list<Range> ranges) {
    Bytes frames;
    // The length of an entry goes in front of it when it is known.
    const auto entry = [&](auto fill) {
        const std::size_t start = frames.size();
        frames.add(std::uint32_t{0});
        fill();
        frames.align(8);
        frames.put(start, static_cast<std::uint32_t>(frames.size() - start - 4));
    };
    entry([&] {
        frames.add(std::uint32_t{0xffff'ffff});              // a CIE
        frames.add({1, 0, 1, 0x78, dwarf::return_address});  // version; code by 1, data by -8
        static_assert(frame < 1 << 13 && stack < 1 << 13);   // as two bytes, and not negative
        frames.add({dwarf::def_cfa_expression, 6, dwarf::breg0 + dwarf::rsp, 0x80 | (stack & 0x7f),
                    stack >> 7, dwarf::deref, dwarf::plus_uconst, 8});
        frames.add({dwarf::offset | dwarf::return_address, 1});
        frames.add({dwarf::expression, dwarf::rbp, 3, dwarf::breg0 + dwarf::rsp,
                    0x80 | (frame & 0x7f), frame >> 7});
        for (const unsigned lost : {dwarf::rbx, dwarf::r12, 13u, 14u, 15u})
            frames.add({dwarf::undefined, lost});
    });
    for (const Range& range : ranges)
        entry([&] {
            frames.add(std::uint32_t{0});  // of that CIE
            frames.add(range.start);
            frames.add(range.end - range.start);
        });
    return frames;
}

}  // namespace

std::vector<std::byte> elf_image(std::span<const NamedCode> hot, std::span<const NamedCode> cold) {
    enum Section : std::uint16_t { None, Hot, Cold, Frames, Symbols, Names, SectionNames, Count };
    std::array<Elf64_Shdr, Count> sections{};
    Bytes section_names, names, symbols;
    section_names.add_name("");
    names.add_name("");
    symbols.add(Elf64_Sym{});

    const auto add_code = [&](Section section, const char* name, std::span<const NamedCode> code) {
        const Range range = range_of(code);
        sections[section] = {.sh_name = section_names.add_name(name),
                             .sh_type = SHT_NOBITS,
                             .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
                             .sh_addr = range.start,
                             .sh_offset = 0,
                             .sh_size = range.end - range.start,
                             .sh_link = 0,
                             .sh_info = 0,
                             .sh_addralign = 1,
                             .sh_entsize = 0};
        for (const NamedCode& each : code)
            symbols.add(Elf64_Sym{.st_name = names.add_name(each.name),
                                  .st_info = ELF64_ST_INFO(STB_LOCAL, STT_FUNC),
                                  .st_other = STV_DEFAULT,
                                  .st_shndx = section,
                                  .st_value = each.start - range.start,
                                  .st_size = each.bytes});
    };
    add_code(Hot, ".text", hot);
    add_code(Cold, ".text.cold", cold);

    Bytes image;
    image.add(Elf64_Ehdr{});
    const auto add_section = [&](Section section, const char* name, std::uint32_t type,
                                 const Bytes& contents) {
        image.align(8);
        sections[section].sh_name = section_names.add_name(name);
        sections[section].sh_type = type;
        sections[section].sh_offset = image.size();
        sections[section].sh_size = contents.size();
        sections[section].sh_addralign = 8;
        image.append(contents);
    };
    add_section(Frames, ".debug_frame", SHT_PROGBITS, debug_frame({range_of(hot), range_of(cold)}));
    add_section(Symbols, ".symtab", SHT_SYMTAB, symbols);
    sections[Symbols].sh_link = Names;
    sections[Symbols].sh_info = static_cast<std::uint32_t>(symbols.size() / sizeof(Elf64_Sym));
    sections[Symbols].sh_entsize = sizeof(Elf64_Sym);
    add_section(Names, ".strtab", SHT_STRTAB, names);
    // With its own name in it.
    const std::uint32_t last_name = section_names.add_name(".shstrtab");
    add_section(SectionNames, "", SHT_STRTAB, section_names);
    sections[SectionNames].sh_name = last_name;

    image.align(8);
    Elf64_Ehdr header{.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
                                  EV_CURRENT, ELFOSABI_NONE},
                      .e_type = ET_REL,
                      .e_machine = EM_X86_64,
                      .e_version = EV_CURRENT,
                      .e_entry = 0,
                      .e_phoff = 0,
                      .e_shoff = image.size(),
                      .e_flags = 0,
                      .e_ehsize = sizeof(Elf64_Ehdr),
                      .e_phentsize = 0,
                      .e_phnum = 0,
                      .e_shentsize = sizeof(Elf64_Shdr),
                      .e_shnum = Count,
                      .e_shstrndx = SectionNames};
    image.put(0, header);
    for (const Elf64_Shdr& section : sections)
        image.add(section);
    return image.take();
}

}  // namespace backplane::jit
