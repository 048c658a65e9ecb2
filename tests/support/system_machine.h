// A SemanticsMachine with descriptor tables, a task-state segment and recorded system services, for
// tests of privileged instructions and interrupt delivery.
#pragma once

#include "support/semantics_machine.h"
#include "x86/control_registers.h"
#include "x86/instruction_set.h"
#include "x86/interrupt_delivery.h"

#include <initializer_list>
#include <string>
#include <vector>

namespace backplane::x86::testing {

class FakeApic final : public LocalApicPort {
public:
    std::uint8_t task_priority() const override { return priority; }
    void set_task_priority(std::uint8_t value) override { priority = value; }
    std::uint64_t base() const override { return base_value; }
    bool set_base(std::uint64_t value) override {
        if (value & 0xff) return false;
        base_value = value;
        return true;
    }
    std::optional<std::uint64_t> read_msr(std::uint32_t) override { return {}; }
    bool write_msr(std::uint32_t, std::uint64_t) override { return false; }
    std::uint64_t tsc_deadline() const override { return deadline; }
    void set_tsc_deadline(std::uint64_t ticks) override { deadline = ticks; }

    std::uint64_t deadline = 0;
    std::uint8_t priority = 0;
    std::uint64_t base_value = 0xfee00900;
};

class FakeServices final : public SystemServices {
public:
    void flush_tlb() override { calls.push_back("flush"); }
    void flush_tlb_non_global() override { calls.push_back("flush non-global"); }
    void flush_tlb_page(std::uint64_t linear) override {
        calls.push_back("flush page " + std::to_string(linear));
    }
    void select_pcid(std::uint16_t pcid, bool keeps_entries) override {
        calls.push_back("pcid " + std::to_string(pcid) + (keeps_entries ? " kept" : ""));
    }
    bool interrupt_window_matters() override { return true; }
    bool load_page_directory_pointers(std::uint64_t) override { return pointers_valid; }
    void mode_changed() override { ++mode_changes; }
    bool segments_changed() override { return segment_change_matters; }
    const CpuModel& model() const override { return cpu_model; }
    MsrBank& msrs() override { return bank; }
    std::uint32_t apic_id() const override { return 0; }
    std::uint32_t processor_count() const override { return 1; }
    LocalApicPort* local_apic() override { return has_apic ? &apic : nullptr; }
    std::uint64_t tsc_ticks() override { return ticks; }
    void report_once(Unknown, std::uint64_t number) override { unknown.push_back(number); }

    CpuModel cpu_model = *make_cpu_model("x86-64-v1");
    MsrBank bank;
    FakeApic apic;
    std::vector<std::string> calls;
    std::vector<std::uint64_t> unknown;
    std::uint64_t ticks = 0;
    unsigned mode_changes = 0;
    bool has_apic = true, pointers_valid = true, segment_change_matters = false;
};

// Descriptors as table words.
constexpr std::uint64_t segment_word(std::uint16_t attributes, std::uint32_t limit = 0xfffff,
                                     std::uint32_t base = 0) {
    const std::uint64_t high_base = base >> 24, low_base = base & 0xffffff;
    return (limit & 0xffffu) | low_base << 16 | std::uint64_t{attributes} << 40 |
           std::uint64_t{limit >> 16} << 48 | high_base << 56;
}

constexpr std::uint64_t gate_word(SystemType type, std::uint16_t selector, std::uint64_t offset,
                                  unsigned dpl = 0, unsigned stack_table_or_count = 0) {
    const std::uint64_t attributes = static_cast<unsigned>(type) | dpl << 5 | attribute::present;
    return (offset & 0xffff) | std::uint64_t{selector} << 16 |
           std::uint64_t{stack_table_or_count} << 32 | attributes << 40 |
           ((offset >> 16) & 0xffff) << 48;
}

// Attributes of present, accessed segments; the DPL is or-ed in.
namespace attributes {
using namespace attribute;
constexpr std::uint16_t data32 = granular | big | present | code_or_data | writable | accessed;
constexpr std::uint16_t code32 = granular | big | present | code_or_data | code | readable |
                                 accessed;
constexpr std::uint16_t code64 = granular | long_code | present | code_or_data | code | readable |
                                 accessed;
constexpr std::uint16_t at(unsigned privilege) {
    return static_cast<std::uint16_t>(privilege << dpl_shift);
}
}  // namespace attributes

// The selectors every SystemMachine starts with.
namespace selector {
constexpr std::uint16_t code64 = 0x08, data = 0x10, code32 = 0x18, user_code32 = 0x20 | 3,
                        user_data = 0x28 | 3, user_code64 = 0x30 | 3, tss = 0x40, free = 0x50;
}  // namespace selector

// Segment, system, far branch and port instructions (system_machine.cpp).
const FormTable<SemanticsEngine>& system_forms();

struct MachineMemory {
    std::vector<std::byte> memory = std::vector<std::byte>(1 << 19);
};

class SystemMachine : private MachineMemory, public SemanticsMachine {
public:
    static constexpr std::uint64_t gdt = 0x1000, idt = 0x2000, task = 0x4000, code = 0x8000,
                                   stack = 0x20000, ring0_stack = 0x30000, ist1_stack = 0x40000,
                                   handler = 0x9000;

    SystemMachine() : SemanticsMachine{0, memory} {
        services = &fake;
        CpuState& s = state();
        s.gdtr = {gdt, 0xfff};
        s.idtr = {idt, 0xfff};
        using namespace attributes;
        put(gdt + selector::code64, segment_word(attributes::code64));
        put(gdt + selector::data, segment_word(data32));
        put(gdt + selector::code32, segment_word(attributes::code32));
        put(gdt + (selector::user_code32 & ~3),
            segment_word(attributes::code32 | attributes::at(3)));
        put(gdt + (selector::user_data & ~3), segment_word(data32 | attributes::at(3)));
        put(gdt + (selector::user_code64 & ~3),
            segment_word(attributes::code64 | attributes::at(3)));
        constexpr std::uint16_t available_tss = 9 | present, busy_tss = 11 | present;
        put(gdt + selector::tss, segment_word(available_tss, 0xfff, task));
        s.tr = {.base = task, .limit = 0xfff, .selector = selector::tss, .attributes = busy_tss};
        s.gpr[RSP] = stack;
        s.rip = code;
    }

    // IA-32e mode in 64-bit code, with 64-bit stacks in the TSS.
    static SystemMachine in_long_mode(unsigned cpl) {
        SystemMachine m;
        CpuState& s = m.state();
        s.cr0 |= cr0::pg | cr0::pe;
        s.cr4 = cr4::pae;
        s.efer = efer::lme | efer::lma | efer::sce;
        m.put(task + tss64::rsp0, ring0_stack);
        m.put(task + tss64::ist1, ist1_stack);
        m.load_flat(CS, cpl ? selector::user_code64 : selector::code64);
        m.load_flat(SS, cpl ? selector::user_data : selector::data);
        s.cpl = static_cast<std::uint8_t>(cpl);
        return m;
    }

    // 32-bit protected mode without paging.
    static SystemMachine in_protected_mode(unsigned cpl) {
        SystemMachine m;
        CpuState& s = m.state();
        s.cr0 |= cr0::pe;
        m.put<std::uint32_t>(task + 4, ring0_stack);
        m.put<std::uint16_t>(task + 8, selector::data);
        m.load_flat(CS, cpl ? selector::user_code32 : selector::code32);
        for (const SegmentIndex index : {SS, DS, ES})
            m.load_flat(index, cpl ? selector::user_data : selector::data);
        s.cpl = static_cast<std::uint8_t>(cpl);
        return m;
    }

    static SystemMachine in_real_mode() {
        SystemMachine m;
        CpuState& s = m.state();
        s.gdtr = {0, 0xffff};
        s.idtr = {0, 0x3ff};
        for (SegmentRegister& segment : s.segments)
            segment = {.base = 0, .limit = 0xffff, .selector = 0, .attributes = 0x93};
        s.segments[SS].selector = 0x2000;
        s.segments[SS].base = 0x20000;
        s.gpr[RSP] = 0x1000;
        return m;
    }

    SystemMachine(SystemMachine&& other)
        : MachineMemory{std::move(other)}, SemanticsMachine{0, memory} {
        state() = other.state();
        fake.cpu_model = other.fake.cpu_model;
        services = &fake;
    }

    template <class T>
    void put(std::uint64_t address, T value) {
        std::memcpy(memory.data() + address, &value, sizeof value);
    }
    template <class T>
    T get(std::uint64_t address) {
        T value;
        std::memcpy(&value, memory.data() + address, sizeof value);
        return value;
    }

    void put_gate64(unsigned vector, std::uint64_t low, std::uint64_t high = 0) {
        put(idt + vector * 16, low);
        put(idt + vector * 16 + 8, high);
    }

    // What a load of a descriptor from the table would put there, without its checks.
    void load_flat(SegmentIndex index, std::uint16_t selector) {
        const Descriptor descriptor{.low = get<std::uint64_t>(gdt + (selector & 0xfff8))};
        state().segments[index] = descriptor.loaded_as({selector});
    }

    Outcome run(std::initializer_list<unsigned char> bytes) {
        std::vector<std::byte> padded(Decoder::max_length);
        std::size_t length = 0;
        for (const unsigned char byte : bytes)
            padded[length++] = std::byte{byte};
        const bool big = (state().segments[CS].attributes & attribute::big) != 0;
        const CodeSize size = state().code64() ? CodeSize::Bits64
                              : big            ? CodeSize::Bits32
                                               : CodeSize::Bits16;
        Instruction instruction;
        const CpuModel& model = fake.cpu_model;
        const Decoder decoder{decoder_features(model)};
        if (decoder.decode(padded, size, state().rip, instruction) != DecodeStatus::Complete ||
            !has_instruction(model, instruction))
            return raise({.vector = Vector::InvalidOpcode});
        const auto outcome = execute(*this, system_forms(), instruction);
        return outcome ? *outcome : raise({.vector = Vector::InvalidOpcode});
    }

    // The vector and error code raised by the last run; -1 when there was none.
    int vector() const { return raised ? static_cast<int>(raised->vector) : -1; }
    std::uint32_t error_code() const { return raised ? raised->error_code : ~0u; }

    Fault take_fault() {
        const Fault fault = *raised;
        raised.reset();
        return fault;
    }

    std::uint64_t fault_ip(std::uint64_t ip) { return restarted_at.value_or(ip); }

    FakeServices fake;
};

}  // namespace backplane::x86::testing
