#include "bench/kernel_registers.h"

#include <cstring>

namespace backplane::bench {

namespace {

constexpr std::uint16_t code_selector = 0x08, data_selector = 0x10;

// Flat segments (SDM 3A 3.4.5); the hidden part of a segment register has bits 40 to 55 of these.
constexpr std::uint64_t code64_descriptor = 0x00af9b000000ffff;
constexpr std::uint64_t code32_descriptor = 0x00cf9b000000ffff;
constexpr std::uint64_t data_descriptor = 0x00cf93000000ffff;

constexpr std::uint64_t code_descriptor(CodeSize size) {
    return size == CodeSize::Bits64 ? code64_descriptor : code32_descriptor;
}

void store(std::vector<std::byte>& bytes, std::size_t at, std::uint64_t value) {
    std::memcpy(bytes.data() + at, &value, sizeof value);
}

}  // namespace

std::vector<std::byte> identity_map() {
    constexpr std::uint64_t page = 4096, present_writable = 3, large = 0x80;
    std::vector<std::byte> tables(3 * page);
    store(tables, 0, (layout::page_tables + page) | present_writable);
    store(tables, page, (layout::page_tables + 2 * page) | present_writable);
    store(tables, 2 * page, large | present_writable);
    return tables;
}

std::vector<std::byte> descriptors(CodeSize size) {
    std::vector<std::byte> table(data_selector + sizeof(std::uint64_t));
    store(table, code_selector, code_descriptor(size));
    store(table, data_selector, data_descriptor);
    return table;
}

std::vector<std::pair<std::string, std::uint64_t>> registers_at_start(CodeSize size,
                                                                      std::uint64_t rip) {
    std::vector<std::pair<std::string, std::uint64_t>> registers;
    if (size == CodeSize::Bits64)
        registers = {{"cr4", 0x20},  // PAE
                     {"cr3", layout::page_tables},
                     {"efer", 0x500},       // LME, LMA
                     {"cr0", 0x80000011}};  // PG, ET, PE
    else
        registers = {{"cr4", 0}, {"efer", 0}, {"cr0", 0x11}};
    registers.insert(registers.end(), {{"gdtr.base", layout::descriptors},
                                       {"gdtr.limit", descriptors(size).size() - 1},
                                       {"idtr.base", 0},
                                       {"idtr.limit", 0}});
    const auto add_segment = [&](const std::string& name, std::uint16_t selector,
                                 std::uint64_t descriptor) {
        registers.insert(registers.end(), {{name, selector},
                                           {name + ".base", 0},
                                           {name + ".limit", 0xffffffff},
                                           {name + ".attributes", (descriptor >> 40) & 0xf0ff}});
    };
    add_segment("cs", code_selector, code_descriptor(size));
    for (const char* name : {"ds", "es", "fs", "gs", "ss"})
        add_segment(name, data_selector, data_descriptor);
    registers.insert(registers.end(), {{"rflags", 2}, {"rsp", layout::stack}, {"rip", rip}});
    return registers;
}

}  // namespace backplane::bench
