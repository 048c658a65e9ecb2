#include "runtime/gdb/register_layout.h"

#include "runtime/gdb/x87_tags.h"
#include "runtime/program_counter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

namespace backplane::runtime::gdb {

namespace {

constexpr std::string_view core_feature = "org.gnu.gdb.i386.core",
                           sse_feature = "org.gnu.gdb.i386.sse",
                           avx_feature = "org.gnu.gdb.i386.avx",
                           segments_feature = "org.gnu.gdb.i386.segments",
                           system_feature = "org.backplane.x86.system";

constexpr unsigned x87_registers = 8, x87_register_bytes = 10, status_top_shift = 11;

struct Flag {
    const char* name;
    unsigned bit;
};

// SDM 1 3.4.3, SDM 3A 2.2.1 and 2.5.
constexpr std::array eflags{Flag{"CF", 0},  Flag{"PF", 2},   Flag{"AF", 4},   Flag{"ZF", 6},
                            Flag{"SF", 7},  Flag{"TF", 8},   Flag{"IF", 9},   Flag{"DF", 10},
                            Flag{"OF", 11}, Flag{"NT", 14},  Flag{"RF", 16},  Flag{"VM", 17},
                            Flag{"AC", 18}, Flag{"VIF", 19}, Flag{"VIP", 20}, Flag{"ID", 21}};
constexpr std::array cr0{Flag{"PE", 0},  Flag{"MP", 1},  Flag{"EM", 2},  Flag{"TS", 3},
                         Flag{"ET", 4},  Flag{"NE", 5},  Flag{"WP", 16}, Flag{"AM", 18},
                         Flag{"NW", 29}, Flag{"CD", 30}, Flag{"PG", 31}};
constexpr std::array cr4{Flag{"VME", 0},       Flag{"PVI", 1},         Flag{"TSD", 2},
                         Flag{"DE", 3},        Flag{"PSE", 4},         Flag{"PAE", 5},
                         Flag{"MCE", 6},       Flag{"PGE", 7},         Flag{"PCE", 8},
                         Flag{"OSFXSR", 9},    Flag{"OSXMMEXCPT", 10}, Flag{"UMIP", 11},
                         Flag{"FSGSBASE", 16}, Flag{"PCIDE", 17},      Flag{"OSXSAVE", 18},
                         Flag{"SMEP", 20},     Flag{"SMAP", 21}};
constexpr std::array efer{Flag{"SCE", 0}, Flag{"LME", 8}, Flag{"LMA", 10}, Flag{"NXE", 11}};
constexpr std::array mxcsr{Flag{"IE", 0},  Flag{"DE", 1}, Flag{"ZE", 2},  Flag{"OE", 3},
                           Flag{"UE", 4},  Flag{"PE", 5}, Flag{"DAZ", 6}, Flag{"IM", 7},
                           Flag{"DM", 8},  Flag{"ZM", 9}, Flag{"OM", 10}, Flag{"UM", 11},
                           Flag{"PM", 12}, Flag{"FZ", 15}};

std::string flags_type(const char* id, unsigned bytes, std::span<const Flag> flags) {
    std::string text = fmt::format("<flags id=\"{}\" size=\"{}\">", id, bytes);
    for (const Flag& flag : flags)
        text += fmt::format("<field name=\"{}\" start=\"{}\" end=\"{}\"/>", flag.name, flag.bit,
                            flag.bit);
    return text + "</flags>\n";
}

// What the registers of a part of the description are made of.
std::string types_of(std::string_view feature) {
    if (feature == core_feature) return flags_type("i386_eflags", 4, eflags);
    if (feature == system_feature)
        return flags_type("x86_cr0", 8, cr0) + flags_type("x86_cr4", 8, cr4) +
               flags_type("x86_efer", 8, efer);
    if (feature != sse_feature) return "";
    return R"(<vector id="v4f" type="ieee_single" count="4"/>
<vector id="v2d" type="ieee_double" count="2"/>
<vector id="v16i8" type="int8" count="16"/>
<vector id="v8i16" type="int16" count="8"/>
<vector id="v4i32" type="int32" count="4"/>
<vector id="v2i64" type="int64" count="2"/>
<union id="vec128"><field name="v4_float" type="v4f"/><field name="v2_double" type="v2d"/>
<field name="v16_int8" type="v16i8"/><field name="v8_int16" type="v8i16"/>
<field name="v4_int32" type="v4i32"/><field name="v2_int64" type="v2i64"/>
<field name="uint128" type="uint128"/></union>
)" + flags_type("i386_mxcsr", 4, mxcsr);
}

std::uint16_t status_word(const VirtualCpu& cpu) {
    std::uint16_t value = 0;
    if (const auto bytes = cpu.get_register("fsw"); bytes.size() == sizeof value)
        std::memcpy(&value, bytes.data(), sizeof value);
    return value;
}

// ST(i) is one of the eight registers, counted from the top of the stack.
std::string x87_register(const VirtualCpu& cpu, unsigned stack_index) {
    const unsigned top = status_word(cpu) >> status_top_shift & 7;
    return fmt::format("r{}.x87", (top + stack_index) % x87_registers);
}

std::uint16_t full_tags(const VirtualCpu& cpu) {
    const auto valid = cpu.get_register("ftw");
    std::uint16_t tags = 0;
    for (unsigned i = 0; i < x87_registers; ++i) {
        X87Tag tag = X87Tag::Empty;
        const bool is_valid = !valid.empty() && (std::to_integer<unsigned>(valid[0]) >> i & 1);
        if (const auto value = cpu.get_register(fmt::format("r{}.x87", i));
            is_valid && value.size() == x87_register_bytes)
            tag = x87_tag(value);
        tags = static_cast<std::uint16_t>(tags | static_cast<unsigned>(tag) << (2 * i));
    }
    return tags;
}

std::byte abridged_tags(std::span<const std::byte> full) {
    unsigned valid = 0;
    for (unsigned i = 0; i < x87_registers; ++i) {
        const unsigned tag = std::to_integer<unsigned>(full[i / 4]) >> (2 * (i % 4)) & 3;
        if (static_cast<X87Tag>(tag) != X87Tag::Empty) valid |= 1u << i;
    }
    return static_cast<std::byte>(valid);
}

}  // namespace

RegisterLayout::RegisterLayout(const VirtualCpu& cpu) : is_64_bit_{cpu.has_register("r8")} {
    add_core();
    add_x87();
    if (cpu.has_register("xmm0")) add_sse();
    if (cpu.has_register("ymm0")) add_avx();
    add_system(cpu);
}

void RegisterLayout::add(std::string_view feature, std::string name, unsigned bits,
                         std::string type, std::string source) {
    registers_.push_back({.name = std::move(name),
                          .bits = bits,
                          .type = std::move(type),
                          .feature = std::string{feature},
                          .source = std::move(source)});
}

void RegisterLayout::add_core() {
    if (is_64_bit_) {
        for (const char* name : {"rax", "rbx", "rcx", "rdx", "rsi", "rdi"})
            add(core_feature, name, 64, "int64", name);
        for (const char* name : {"rbp", "rsp"})
            add(core_feature, name, 64, "data_ptr", name);
        for (int i = 8; i < 16; ++i)
            add(core_feature, fmt::format("r{}", i), 64, "int64", fmt::format("r{}", i));
        add(core_feature, "rip", 64, "code_ptr", "rip");
    } else {
        for (const char* name : {"ax", "cx", "dx", "bx"})
            add(core_feature, fmt::format("e{}", name), 32, "int32", fmt::format("r{}", name));
        for (const char* name : {"sp", "bp"})
            add(core_feature, fmt::format("e{}", name), 32, "data_ptr", fmt::format("r{}", name));
        for (const char* name : {"si", "di"})
            add(core_feature, fmt::format("e{}", name), 32, "int32", fmt::format("r{}", name));
        add(core_feature, "eip", 32, "code_ptr", "rip");
    }
    registers_.back().kind = Register::Kind::ProgramCounter;
    add(core_feature, "eflags", 32, "i386_eflags", "rflags");
    for (const char* name : {"cs", "ss", "ds", "es", "fs", "gs"})
        add(core_feature, name, 32, "int32", name);
}

void RegisterLayout::add_x87() {
    for (unsigned i = 0; i < x87_registers; ++i) {
        add(core_feature, fmt::format("st{}", i), 8 * x87_register_bytes, "i387_ext", "");
        registers_.back().kind = Register::Kind::Stack;
        registers_.back().stack_index = i;
    }
    constexpr std::array<std::pair<const char*, const char*>, 8> control{{{"fctrl", "fcw"},
                                                                          {"fstat", "fsw"},
                                                                          {"ftag", "ftw"},
                                                                          {"fiseg", "fcs"},
                                                                          {"fioff", "fip"},
                                                                          {"foseg", "fds"},
                                                                          {"fooff", "fdp"},
                                                                          {"fop", "fop"}}};
    for (const auto& [name, source] : control) {
        add(core_feature, name, 32, "int", source);
        if (std::string_view{name} == "ftag") registers_.back().kind = Register::Kind::Tags;
    }
}

void RegisterLayout::add_sse() {
    for (int i = 0; i < (is_64_bit_ ? 16 : 8); ++i)
        add(sse_feature, fmt::format("xmm{}", i), 128, "vec128", fmt::format("xmm{}", i));
    add(sse_feature, "mxcsr", 32, "i386_mxcsr", "mxcsr");
}

void RegisterLayout::add_avx() {
    constexpr std::size_t high_half = 16;
    for (int i = 0; i < (is_64_bit_ ? 16 : 8); ++i) {
        add(avx_feature, fmt::format("ymm{}h", i), 128, "uint128", fmt::format("ymm{}", i));
        registers_.back().from = high_half;
    }
}

void RegisterLayout::add_system(const VirtualCpu& cpu) {
    if (is_64_bit_)
        for (const char* name : {"fs", "gs"})
            add(segments_feature, fmt::format("{}_base", name), 64, "int",
                fmt::format("{}.base", name));
    const auto add_if_present = [&](const char* name, const char* type, const char* source) {
        if (cpu.has_register(source)) add(system_feature, name, 64, type, source);
    };
    add_if_present("k_gs_base", "int64", "kernel_gs_base");
    for (const char* name : {"cs", "ss", "ds", "es"})
        add_if_present(fmt::format("{}_base", name).c_str(), "int64",
                       fmt::format("{}.base", name).c_str());
    if (!is_64_bit_) {
        add_if_present("fs_base", "int64", "fs.base");
        add_if_present("gs_base", "int64", "gs.base");
    }
    add_if_present("gdt_base", "int64", "gdtr.base");
    add_if_present("idt_base", "int64", "idtr.base");
    add_if_present("cr0", "x86_cr0", "cr0");
    add_if_present("cr2", "int64", "cr2");
    add_if_present("cr3", "int64", "cr3");
    add_if_present("cr4", "x86_cr4", "cr4");
    add_if_present("cr8", "int64", "cr8");
    add_if_present("efer", "x86_efer", "efer");
}

std::string RegisterLayout::target_description() const {
    std::string text = "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n";
    text += fmt::format("<target version=\"1.0\">\n<architecture>{}</architecture>\n",
                        is_64_bit_ ? "i386:x86-64" : "i386");
    std::string_view open;
    for (const Register& each : registers_) {
        if (each.feature != open) {
            if (!open.empty()) text += "</feature>\n";
            open = each.feature;
            text += fmt::format("<feature name=\"{}\">\n{}", open, types_of(open));
        }
        text += fmt::format("<reg name=\"{}\" bitsize=\"{}\" type=\"{}\"/>\n", each.name, each.bits,
                            each.type);
    }
    return text + "</feature>\n</target>\n";
}

std::size_t RegisterLayout::bytes(std::size_t number) const {
    return number < size() ? registers_[number].bits / 8 : 0;
}

std::vector<std::byte> RegisterLayout::read(const VirtualCpu& cpu, std::size_t number) const {
    if (number >= size()) return {};
    const Register& wanted = registers_[number];
    std::vector<std::byte> value(wanted.bits / 8);
    if (wanted.kind == Register::Kind::Tags) {
        const std::uint16_t tags = full_tags(cpu);
        std::memcpy(value.data(), &tags, sizeof tags);
        return value;
    }
    if (wanted.kind == Register::Kind::ProgramCounter) {
        const std::uint64_t place = program_counter(cpu);
        std::memcpy(value.data(), &place, value.size());
        return value;
    }
    const auto found = cpu.get_register(wanted.kind == Register::Kind::Stack
                                            ? x87_register(cpu, wanted.stack_index)
                                            : wanted.source);
    if (found.size() > wanted.from)
        std::memcpy(value.data(), found.data() + wanted.from,
                    std::min(value.size(), found.size() - wanted.from));
    return value;
}

bool RegisterLayout::write(VirtualCpu& cpu, std::size_t number,
                           std::span<const std::byte> value) const {
    if (number >= size() || value.size() != bytes(number)) return false;
    const Register& wanted = registers_[number];
    // GDB writes all to change one; the others keep what it does not show of them.
    if (std::ranges::equal(value, read(cpu, number))) return true;
    if (wanted.kind == Register::Kind::Tags)
        return cpu.set_register("ftw", std::array{abridged_tags(value)});
    if (wanted.kind == Register::Kind::ProgramCounter) {
        std::uint64_t place = 0;
        std::memcpy(&place, value.data(), value.size());
        place = rip_for(cpu, place);
        return cpu.set_register("rip", std::as_bytes(std::span{&place, 1}));
    }
    const std::string source = wanted.kind == Register::Kind::Stack
                                   ? x87_register(cpu, wanted.stack_index)
                                   : wanted.source;
    // What GDB does not see of a wider register: zero, but for the half of a vector register.
    auto whole = cpu.get_register(source);
    if (whole.size() <= wanted.from) return false;
    if (wanted.from == 0) std::ranges::fill(whole, std::byte{0});
    std::memcpy(whole.data() + wanted.from, value.data(),
                std::min(value.size(), whole.size() - wanted.from));
    return cpu.set_register(source, whole);
}

}  // namespace backplane::runtime::gdb
