#include "kernel_entry.h"

#include "little_endian.h"

#include <array>
#include <string>

namespace backplane::linux_boot {

namespace {

// Flat segments (SDM 3A 3.4.5); the hidden part of a segment register has bits 40 to 55 of these.
constexpr std::uint64_t code64_descriptor = 0x00af9b000000ffff;  // readable
constexpr std::uint64_t code32_descriptor = 0x00cf9b000000ffff;
constexpr std::uint64_t data_descriptor = 0x00cf93000000ffff;  // writable

constexpr std::uint64_t code_descriptor(EntryMode mode) {
    return mode == EntryMode::Bits64 ? code64_descriptor : code32_descriptor;
}

constexpr std::uint64_t attributes(std::uint64_t descriptor) { return (descriptor >> 40) & 0xf0ff; }

void add_segment(std::vector<RegisterValue>& registers, const std::string& name,
                 std::uint16_t selector, std::uint64_t descriptor) {
    registers.push_back({name, selector});
    registers.push_back({name + ".base", 0});
    registers.push_back({name + ".limit", 0xffffffff});
    registers.push_back({name + ".attributes", attributes(descriptor)});
}

}  // namespace

std::vector<std::byte> identity_map(std::uint64_t base) {
    constexpr std::uint64_t present_writable = 3, large = 0x80, page = 4096;
    std::vector<std::byte> tables(identity_map_bytes);
    store(std::span{tables}, 0, base + page | present_writable);
    for (std::uint64_t gibibyte = 0; gibibyte < 4; ++gibibyte) {
        store(std::span{tables}, page + gibibyte * 8,
              base + (2 + gibibyte) * page | present_writable);
    }
    for (std::uint64_t entry = 0; entry < 2048; ++entry) {
        store(std::span{tables}, 2 * page + entry * 8, entry << 21 | present_writable | large);
    }
    return tables;
}

std::vector<std::byte> boot_descriptors(EntryMode mode) {
    std::vector<std::byte> table(boot_data_selector + 8);
    store(std::span{table}, boot_code_selector, code_descriptor(mode));
    store(std::span{table}, boot_data_selector, data_descriptor);
    return table;
}

std::vector<RegisterValue> registers_at_entry(const KernelEntry& entry) {
    std::vector<RegisterValue> registers;
    if (entry.mode == EntryMode::Bits64) {
        registers = {
            {"cr4", 0x20},  // PAE
            {"cr3", entry.page_tables},
            {"efer", 0x500},      // LME, LMA
            {"cr0", 0x80000011},  // PG, ET, PE
        };
    } else {
        registers = {{"cr4", 0}, {"efer", 0}, {"cr0", 0x11}};
    }
    registers.insert(registers.end(), {{"gdtr.base", entry.descriptors},
                                       {"gdtr.limit", boot_descriptors(entry.mode).size() - 1},
                                       {"idtr.base", 0},
                                       {"idtr.limit", 0}});
    add_segment(registers, "cs", boot_code_selector, code_descriptor(entry.mode));
    for (const char* name : {"ds", "es", "fs", "gs", "ss"})
        add_segment(registers, name, boot_data_selector, data_descriptor);
    for (const char* name : {"rax", "rbx", "rcx", "rdx", "rdi", "rbp"})
        registers.push_back({name, 0});
    // Which 32-bit processors do not have.
    if (entry.mode == EntryMode::Bits64) {
        for (const char* name : {"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"})
            registers.push_back({name, 0});
    }
    registers.push_back({"rflags", 2});  // interrupts off
    registers.push_back({"rsp", entry.stack});
    registers.push_back({"rsi", entry.boot_params});
    registers.push_back({"rip", entry.entry});
    return registers;
}

}  // namespace backplane::linux_boot
