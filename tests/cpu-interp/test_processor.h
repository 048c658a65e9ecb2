// A processor of the interpreter with RAM, one device page and ports, for tests: 64-bit, flat,
// paging by 4 KiB pages.
#pragma once

#include "interp/interpreter.h"
#include "test_engine.h"
#include "x86/cpu_model.h"
#include "x86/msr.h"

#include <cstdint>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <new>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace backplane::interp::testing {

// Memory as machines have it: pages of the guest are pages of the host.
template <class T>
struct PageAllocator {
    using value_type = T;
    static constexpr std::align_val_t page{4096};

    T* allocate(std::size_t count) {
        return static_cast<T*>(::operator new(count * sizeof(T), page));
    }
    void deallocate(T* place, std::size_t) { ::operator delete(place, page); }
    bool operator==(const PageAllocator&) const = default;
};

using TestMemory = std::vector<std::uint8_t, PageAllocator<std::uint8_t>>;

class TestBus : public PhysicalBus {
public:
    static constexpr std::uint64_t ram_bytes = 16 << 20;
    static constexpr std::uint64_t device = 0xfee0'0000, rom = 0xffff'0000, rom_bytes = 0x10000;

    PhysicalRange find(std::uint64_t address) override {
        if (address < ram_bytes) return {0, ram_bytes, ram.data(), true, true};
        if (address - rom < rom_bytes) return {rom, rom_bytes, rom_memory.data(), true, false};
        if (address < rom) return {ram_bytes, rom - ram_bytes, nullptr, false, false};
        return {rom + rom_bytes, ~(rom + rom_bytes), nullptr, false, false};
    }

    std::uint64_t read(std::uint64_t address, unsigned size) override {
        ++device_accesses;
        return on_read ? on_read(address, size) : ~std::uint64_t{0};
    }

    void write(std::uint64_t address, unsigned size, std::uint64_t value) override {
        ++device_accesses;
        if (on_write) on_write(address, size, value);
    }

    std::uint64_t read_port(std::uint16_t port, unsigned size) override {
        return on_read ? on_read(port, size) : 0xff;
    }

    void write_port(std::uint16_t port, unsigned size, std::uint64_t value) override {
        if (on_write) on_write(port, size, value);
    }

    std::uint32_t read_port_many(std::uint16_t port, unsigned size,
                                 std::span<std::byte> data) override {
        return on_read_many ? on_read_many(port, size, data) : 0;
    }

    std::uint32_t write_port_many(std::uint16_t port, unsigned size,
                                  std::span<const std::byte> data) override {
        return on_write_many ? on_write_many(port, size, data) : 0;
    }

    int acknowledge_interrupt() override { return on_acknowledge ? on_acknowledge() : -1; }

    void watch_code(std::uint64_t page, bool watch) override {
        watch ? (void)watched.insert(page) : (void)watched.erase(page);
        if (on_watch) on_watch(page, watch);
    }
    void claim_code_page(std::uint64_t page) override {
        if (on_claim) on_claim(page);
    }
    void begin_exclusive() override { ++exclusive, ++exclusive_sections; }
    void end_exclusive() override { --exclusive; }
    bool is_boot_processor() const override { return boot_processor; }
    int take_startup() override { return std::exchange(startup, -1); }

    TestMemory ram = TestMemory(ram_bytes);
    TestMemory rom_memory = TestMemory(rom_bytes);
    std::function<std::uint64_t(std::uint64_t, unsigned)> on_read;
    std::function<void(std::uint64_t, unsigned, std::uint64_t)> on_write;
    std::function<std::uint32_t(std::uint16_t, unsigned, std::span<std::byte>)> on_read_many;
    std::function<std::uint32_t(std::uint16_t, unsigned, std::span<const std::byte>)> on_write_many;
    std::function<int()> on_acknowledge;
    std::function<void(std::uint64_t, bool)> on_watch;
    std::function<void(std::uint64_t)> on_claim;
    int exclusive = 0, exclusive_sections = 0;
    bool boot_processor = true;
    int startup = -1;
    std::set<std::uint64_t> watched;
    unsigned device_accesses = 0;
};

inline const x86::CpuModel& test_model() {
    static const x86::CpuModel model = *x86::make_cpu_model("max");
    return model;
}

// The services that need a machine around the processor.
class TestInterpreter : private TestEngine, public Interpreter {
public:
    explicit TestInterpreter(PhysicalBus& bus, std::size_t arena = std::size_t{128} << 20,
                             const x86::CpuModel& model = test_model(),
                             std::size_t block_instructions = block_max_instructions,
                             std::optional<TestEngine> engine = {})
        : TestEngine{engine ? *std::move(engine) : make_test_engine(model)},
          Interpreter{{.bus = bus,
                       .model = model,
                       .block_arena_bytes = arena,
                       .block_instructions = block_instructions,
                       .compiler = TestEngine::compiler.get(),
                       .compile_threshold = threshold}} {}

    x86::MsrBank& msrs() override { return msrs_; }
    std::uint32_t apic_id() const override { return 0; }
    std::uint32_t processor_count() const override { return 1; }
    x86::LocalApicPort* local_apic() override { return nullptr; }
    std::uint64_t tsc_ticks() override { return instructions(); }
    void report_once(x86::Unknown, std::uint64_t) override {}
    void observe_exception(const x86::Fault& found) override {
        if (on_exception) on_exception(found);
    }

    std::function<void(const x86::Fault&)> on_exception;

private:
    x86::MsrBank msrs_;
};

// Linear addresses are mapped to themselves below 8 MiB; tests change entries through `entry`.
class TestProcessor {
public:
    static constexpr std::uint64_t tables = 0x70'0000, gdt = 0x6f'0000, idt = 0x6e'0000,
                                   stack = 0x6d'0000;
    static constexpr std::uint64_t code = 0x10'0000, data = 0x20'0000, handlers = 0x30'0000;
    static constexpr std::uint64_t entry_flags = 7;  // present, writable, user

    explicit TestProcessor(std::size_t arena = std::size_t{128} << 20,
                           std::optional<TestEngine> engine = {})
        : cpu{bus, arena, test_model(), block_max_instructions, std::move(engine)} {
        write<std::uint64_t>(tables, (tables + 0x1000) | entry_flags);
        write<std::uint64_t>(tables + 0x1000, (tables + 0x2000) | entry_flags);
        for (std::uint64_t directory = 0; directory < 4; ++directory) {
            const std::uint64_t table = tables + 0x3000 + directory * 0x1000;
            write<std::uint64_t>(tables + 0x2000 + directory * 8, table | entry_flags);
            for (std::uint64_t i = 0; i < 512; ++i)
                write<std::uint64_t>(table + i * 8, (directory << 21 | i << 12) | entry_flags);
        }
        write<std::uint64_t>(gdt + 0x08, 0x00af'9b00'0000'ffff);  // 64-bit code
        write<std::uint64_t>(gdt + 0x10, 0x00cf'9300'0000'ffff);  // data
        // Handler n is at handlers + 16 n: it is HLT, so that run returns there.
        for (std::uint64_t vector = 0; vector < 256; ++vector) {
            const std::uint64_t at = handlers + vector * 16;
            bus.ram[at] = 0xf4;
            write<std::uint64_t>(idt + vector * 16, (at & 0xffff) | 0x08 << 16 |
                                                        std::uint64_t{0x8e00} << 32 |
                                                        (at >> 16 & 0xffff) << 48);
            write<std::uint64_t>(idt + vector * 16 + 8, at >> 32);
        }
        x86::CpuState& state = cpu.state;
        state.cr0 = 0x8001'0033;
        state.cr3 = tables;
        state.cr4 = 0x6a0;
        state.efer = 0xd01;
        state.gdtr = {gdt, 0x17};
        state.idtr = {idt, 0xfff};
        state.segments[x86::CS] = {
            .base = 0, .limit = 0xffffffff, .selector = 8, .attributes = 0xa09b};
        for (const auto index : {x86::DS, x86::ES, x86::SS})
            state.segments[index] = {
                .base = 0, .limit = 0xffffffff, .selector = 0x10, .attributes = 0xc093};
        state.gpr[x86::RSP] = stack;
        state.rip = code;
        cpu.state_replaced();
    }

    template <class T>
    void write(std::uint64_t address, T value) {
        std::memcpy(&bus.ram[address], &value, sizeof value);
    }

    template <class T>
    T read(std::uint64_t address) const {
        T value;
        std::memcpy(&value, &bus.ram[address], sizeof value);
        return value;
    }

    void place(std::uint64_t address, std::initializer_list<int> bytes) {
        for (const int byte : bytes)
            bus.ram[address++] = static_cast<std::uint8_t>(byte);
    }

    void place(std::uint64_t address, std::span<const std::uint8_t> bytes) {
        std::memcpy(&bus.ram[address], bytes.data(), bytes.size());
    }

    // Where the page table entry of a 4 KiB page below 8 MiB is.
    static std::uint64_t entry(std::uint64_t linear) {
        return tables + 0x3000 + (linear >> 12) * 8;
    }

    // Maps any page; tables that are missing are made.
    void map(std::uint64_t linear, std::uint64_t physical, std::uint64_t flags = entry_flags) {
        std::uint64_t table = cpu.state.cr3 & ~std::uint64_t{0xfff};
        for (unsigned shift = 39; shift > 12; shift -= 9) {
            const std::uint64_t place = table + (linear >> shift & 511) * 8;
            if (!(read<std::uint64_t>(place) & 1)) {
                write<std::uint64_t>(place, next_table | entry_flags);
                next_table += 0x1000;
            }
            table = read<std::uint64_t>(place) & 0x000f'ffff'ffff'f000;
        }
        write<std::uint64_t>(table + (linear >> 12 & 511) * 8, physical | flags);
    }

    std::uint64_t next_table = 0x60'0000;

    std::uint64_t& operator[](x86::Gpr gpr) { return cpu.state.gpr[gpr]; }

    // Starts over at `code` and runs until HLT. True: the HLT was the program's own.
    bool run_to_halt(std::uint64_t start = code, std::int64_t budget = 1'000'000'000) {
        cpu.state.rip = start;
        cpu.state.halted = false;
        const RunResult result = cpu.run(budget);
        const bool stopped = result == RunResult::Halted || result == RunResult::HaltedForGood;
        return stopped && (cpu.state.rip < handlers || cpu.state.rip >= handlers + 0x1000);
    }

    // The vector whose handler execution stopped in.
    int stopped_in_vector() const {
        const std::uint64_t at = cpu.state.rip - 1 - handlers;
        return at < 0x1000 ? static_cast<int>(at / 16) : -1;
    }

    TestBus bus;
    TestInterpreter cpu;
};

}  // namespace backplane::interp::testing
