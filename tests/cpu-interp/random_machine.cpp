#include "random_machine.h"

#include "test_processor.h"
#include "x86/control_registers.h"
#include "x86/x87_stack.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <string_view>
#include <utility>

namespace backplane::interp::testing {
namespace {

using x86::CpuState;
using x86::SegmentRegister;

constexpr std::uint64_t ram_bytes = 256 << 10;
constexpr std::int64_t instruction_budget = 3000;
constexpr std::uint64_t exception_limit = 2000;
// A repeated instruction may go on for 2^64 elements without retiring; it ends when somebody asks.
constexpr std::uint64_t device_limit = 20'000;
// Room for compiled blocks: the small one is full, and is given back, with every block.
constexpr std::size_t small_arena = 1 << 20, large_arena = 2 << 20;

// Where a machine that is at least half sane keeps its things.
constexpr std::uint64_t tables = 0x2'0000, gdt = 0x1'0000, idt = 0x1'1000, tss = 0x1'3000,
                        code = 0x1000, stack = 0xf000;

class SmallBus : public PhysicalBus {
public:
    PhysicalRange find(std::uint64_t address) override {
        if (address < ram_bytes) return {0, ram_bytes, ram.data(), true, true};
        return {ram_bytes, ~ram_bytes, nullptr, false, false};
    }
    std::uint64_t read(std::uint64_t address, unsigned) override {
        count();
        return address * 0x9e37'79b9'7f4a'7c15 >> 7;
    }
    void write(std::uint64_t, unsigned, std::uint64_t) override { count(); }
    std::uint64_t read_port(std::uint16_t port, unsigned) override {
        count();
        return port * 0x01010101u;
    }
    void write_port(std::uint16_t, unsigned, std::uint64_t) override { count(); }
    int acknowledge_interrupt() override { return interrupt; }
    void watch_code(std::uint64_t, bool) override {}

    std::vector<std::uint8_t> ram = std::vector<std::uint8_t>(ram_bytes);
    int interrupt = -1;
    std::uint64_t accesses = 0;
    std::function<void()> on_limit;

private:
    void count() {
        if (++accesses >= device_limit) on_limit();
    }
};

// Takes numbers off the input; when it is used up, zeros, and nothing happens by chance.
class Input {
public:
    explicit Input(std::span<const std::uint8_t> bytes) : bytes_{bytes} {}

    template <class T>
    T take() {
        T value{};
        const std::size_t length = std::min(sizeof value, bytes_.size());
        if (length) std::memcpy(&value, bytes_.data(), length);
        bytes_ = bytes_.subspan(length);
        return value;
    }
    bool chance(unsigned in_256) { return !bytes_.empty() && take<std::uint8_t>() < in_256; }
    std::span<const std::uint8_t> rest() const { return bytes_; }

private:
    std::span<const std::uint8_t> bytes_;
};

class Machine {
public:
    Machine(std::span<const std::uint8_t> bytes, const EngineMaker& make_engine)
        : input_{bytes}, cpu_{bus_, input_.chance(32) ? small_arena : large_arena, test_model(),
                              block_max_instructions, make_engine(test_model())} {
        const auto mode = static_cast<Mode>(input_.take<std::uint8_t>() % 6);
        build_descriptors();
        choose_mode(mode);
        choose_registers();
        disturb_state();
        fill_code();
        disturb_memory();
        bus_.on_limit = [this] { cpu_.request_attention(); };
        cpu_.on_exception = [this](const x86::Fault&) {
            if (++report_.exceptions >= exception_limit) cpu_.request_attention();
        };
        cpu_.state_replaced();
    }

    RandomMachineReport run() {
        std::int64_t left = instruction_budget;
        for (unsigned slice = 0; slice < 16 && left > 0; ++slice) {
            const std::uint64_t before = cpu_.instructions();
            const std::int64_t wanted = std::min<std::int64_t>(left, 1 + (slice * 37 % 400));
            const RunResult result = cpu_.run(wanted);
            const auto done = static_cast<std::int64_t>(cpu_.instructions() - before);
            require(done >= 0 && done <= wanted, "the budget holds");
            left -= done;
            check_invariants();
            if (result == RunResult::Shutdown) report_.shut_down = true;
            if (result == RunResult::Halted || result == RunResult::HaltedForGood) {
                report_.halted = true;
                cpu_.raise_nmi();
            }
            if (report_.shut_down || report_.exceptions >= exception_limit ||
                bus_.accesses >= device_limit)
                break;
            disturb_between_slices(slice);
        }
        report_.instructions = cpu_.instructions();
        report_.state = std::make_unique<CpuState>(cpu_.state);
        const auto* ram = reinterpret_cast<const char*>(bus_.ram.data());
        report_.memory_digest = std::hash<std::string_view>{}({ram, bus_.ram.size()});
        report_.device_accesses = bus_.accesses;
        return std::move(report_);
    }

private:
    enum class Mode : std::uint8_t {
        Real,
        Protected16,
        Protected32,
        Virtual8086,
        Compatibility,
        Long
    };

    static void require(bool holds, const char* what) {
        if (holds) return;
        std::fprintf(stderr, "random machine: not so: %s\n", what);
        std::abort();
    }

    template <class T>
    void put(std::uint64_t address, T value) {
        std::memcpy(&bus_.ram[address % (ram_bytes - sizeof value)], &value, sizeof value);
    }

    static std::uint64_t descriptor(std::uint64_t base, std::uint64_t limit, std::uint64_t bits) {
        return (limit & 0xffff) | (base & 0xffffff) << 16 | bits << 40 | (limit >> 16 & 0xf) << 48 |
               (base >> 24 & 0xff) << 56;
    }

    // The selectors: 8 code64, 10 data, 18 code32, 20 code16, 28 data16, 30 the task, and 40 on
    // whatever the input says; each from 48 on with privilege 3.
    void build_descriptors() {
        const std::uint64_t kinds[] = {0,
                                       descriptor(0, 0xfffff, 0xa09b),
                                       descriptor(0, 0xfffff, 0xc093),
                                       descriptor(0, 0xfffff, 0xc09b),
                                       descriptor(0, 0xffff, 0x009b),
                                       descriptor(0, 0xffff, 0x0093),
                                       descriptor(tss, 0x2067, 0x0089),
                                       0};
        for (unsigned i = 0; i < 8; ++i) {
            put(gdt + i * 8, kinds[i]);
            const bool segment = kinds[i] >> 44 & 1;
            put(gdt + 0x40 + i * 8,
                segment ? kinds[i] | std::uint64_t{3} << 45 : input_.take<std::uint64_t>());
        }
        for (unsigned i = 1; i < 32; ++i)
            put<std::uint32_t>(tss + i * 4, static_cast<std::uint32_t>(stack - i * 0x100));
        for (unsigned level = 0; level < 3; ++level)
            put<std::uint64_t>(tss + 4 + level * 8, stack);
    }

    void build_gates(bool wide, std::uint16_t selector) {
        for (unsigned vector = 0; vector < 256; ++vector) {
            const std::uint64_t handler = code + 0x800 + vector * 8 % 0x400;
            const std::uint64_t type = vector % 3 == 0 ? 0xee00 : 0x8e00;
            const std::uint64_t gate = (handler & 0xffff) | std::uint64_t{selector} << 16 |
                                       type << 32;
            if (wide) {
                put(idt + vector * 16, gate);
                put<std::uint64_t>(idt + vector * 16 + 8, 0);
            } else {
                put(idt + vector * 8, gate);
            }
        }
    }

    void build_pages(bool long_mode, bool pae) {
        constexpr std::uint64_t flags = 7;
        const std::uint64_t entry_bytes = long_mode || pae ? 8 : 4;
        std::uint64_t table = tables;
        const unsigned levels = long_mode ? 4 : pae ? 3 : 2;
        for (unsigned level = 0; level + 1 < levels; ++level, table += 0x1000) {
            const bool pointers = pae && !long_mode && level == 0;
            put<std::uint64_t>(table, (table + 0x1000) | (pointers ? 1 : flags));
            if (entry_bytes == 4) put<std::uint32_t>(table + 4, 0);
        }
        for (std::uint64_t page = 0; page < ram_bytes >> 12; ++page) {
            const std::uint64_t entry = page << 12 | (page % 11 == 10 ? 5 : flags);
            if (entry_bytes == 8)
                put(table + page * 8, entry);
            else
                put(table + page * 4, static_cast<std::uint32_t>(entry));
        }
        cpu_.state.cr3 = tables;
    }

    void load(x86::SegmentIndex index, std::uint16_t selector) {
        std::uint64_t word;
        std::memcpy(&word, &bus_.ram[gdt + (selector & ~7u)], sizeof word);
        SegmentRegister& segment = cpu_.state.segments[index];
        segment.selector = selector;
        segment.attributes = static_cast<std::uint16_t>(word >> 40 & 0xf0ff);
        segment.base = (word >> 16 & 0xffffff) | (word >> 56 & 0xff) << 24;
        segment.limit = static_cast<std::uint32_t>((word & 0xffff) | (word >> 32 & 0xf0000));
        if (segment.attributes & 0x8000) segment.limit = segment.limit << 12 | 0xfff;
    }

    void choose_mode(Mode mode) {
        CpuState& state = cpu_.state;
        state = {};
        const bool user = input_.chance(90);
        const auto ring = static_cast<std::uint16_t>(user ? 0x43 : 0);
        state.gdtr = {gdt, 0x7f};
        state.idtr = {idt, 0xfff};
        state.tr = {.base = tss, .limit = 0x2067, .selector = 0x30, .attributes = 0x8b};
        state.cpl = user ? 3 : 0;
        state.cr0 = 0x33;
        state.cr4 = 0x6b8;
        const bool paging = input_.chance(160), pae = input_.chance(128);
        std::uint16_t cs = 0x18, data = 0x10;
        switch (mode) {
        case Mode::Real:
            state.cpl = 0;
            state.cr0 = 0x30;
            state.idtr = {0, 0x3ff};
            for (SegmentRegister& segment : state.segments)
                segment = {.base = 0, .limit = 0xffff, .selector = 0, .attributes = 0x93};
            return;
        case Mode::Protected16: cs = 0x20, data = 0x28; break;
        case Mode::Protected32: break;
        case Mode::Virtual8086:
            state.cpl = 3;
            state.rflags |= x86::rflags::vm;
            for (SegmentRegister& segment : state.segments)
                segment = {.base = 0, .limit = 0xffff, .selector = 0, .attributes = 0xf3};
            break;
        case Mode::Compatibility:
        case Mode::Long:
            if (mode == Mode::Long) cs = 8;
            state.efer = 0xd01;
            break;
        }
        const bool long_mode = state.efer != 0;
        if (long_mode || paging) {
            build_pages(long_mode, pae);
            state.cr0 |= 0x8001'0000;
            if (!long_mode && !pae) state.cr4 &= ~std::uint64_t{0x20};
            state.cr4 |= long_mode ? 0x20 : 0;
        }
        build_gates(long_mode, long_mode ? 8 : 0x18);
        if (mode == Mode::Virtual8086) return;
        load(x86::CS, cs | ring);
        for (const auto index : {x86::SS, x86::DS, x86::ES})
            load(index, data | ring);
    }

    void choose_registers() {
        for (auto& value : cpu_.state.gpr)
            value = input_.chance(180) ? input_.take<std::uint16_t>()
                                       : input_.take<std::uint64_t>();
        cpu_.state.gpr[x86::RSP] = stack - input_.take<std::uint8_t>() * 8u;
        cpu_.state.rip = code + (input_.take<std::uint8_t>() & 0x3f);
        const std::uint64_t vm = cpu_.state.rflags & x86::rflags::vm;
        cpu_.state.set_full_rflags(input_.take<std::uint32_t>() % 0x40'0000 | vm);
        if (!vm) cpu_.state.rflags &= ~x86::rflags::vm;
        if (input_.chance(200)) cpu_.state.rflags &= ~x86::rflags::tf;
        cpu_.state.mxcsr = input_.take<std::uint16_t>() & 0xffbf;
        // The reserved bits are as they always are: compiled code keeps them in the host's unit.
        cpu_.state.x87.control = static_cast<std::uint16_t>(
            (input_.take<std::uint16_t>() & x86::x87_control::writable) |
            x86::x87_control::reserved_one);
        cpu_.state.x87.status = input_.take<std::uint16_t>();
        cpu_.state.x87.valid = input_.take<std::uint8_t>();
        x86::X87Stack{cpu_.state}.update_summary();
    }

    // What no sane system has, but a processor may be brought into.
    void disturb_state() {
        CpuState& state = cpu_.state;
        while (input_.chance(100)) {
            const auto which = input_.take<std::uint8_t>();
            const auto value = input_.take<std::uint64_t>();
            const unsigned segment = which % 6;
            switch (which >> 4) {
            case 0: state.segments[segment].base = value & 0xffffffff; break;
            case 1: state.segments[segment].limit = static_cast<std::uint32_t>(value); break;
            case 2: state.gdtr = {value % ram_bytes, value >> 48}; break;
            case 3: state.idtr = {value % ram_bytes, value >> 48}; break;
            case 4: state.tr.limit = static_cast<std::uint32_t>(value & 0xffff); break;
            case 5: state.dr[which % 4] = code + value % 0x1000; break;
            case 6: state.dr[7] = (value & 0xffff'23ff) | 0x400; break;
            case 7: state.cr0 ^= value & 0x4'000e; break;
            case 8: state.cr4 ^= value & 0x48f; break;
            case 9:
                state.ldtr = {
                    .base = value % ram_bytes, .limit = 0xff, .selector = 0x38, .attributes = 0x82};
                break;
            case 10: state.interrupt_shadow = true; break;
            case 11: state.halted = true; break;
            case 12:
                bus_.interrupt = which % 16 * 16;
                cpu_.set_interrupt_request(true);
                break;
            default: put(value % ram_bytes, value); break;
            }
        }
    }

    // The code page repeats the rest of the input; data is whatever.
    void fill_code() {
        const auto bytes = input_.rest();
        if (bytes.empty()) return;
        for (std::uint64_t i = 0; i < 0x1000; ++i)
            bus_.ram[code + i] = bytes[i % bytes.size()];
    }

    void disturb_memory() {
        const auto bytes = input_.rest();
        for (std::size_t i = 0; i + 12 < bytes.size() && i < 256; i += 24) {
            std::uint64_t place, value;
            std::memcpy(&place, &bytes[i], 4);
            std::memcpy(&value, &bytes[i + 4], 8);
            if (place & 1) put(tables + (place >> 1) % 0x4000, value);
            if (place & 2) put(gdt + (place >> 2) % 0x4000, value);
        }
    }

    void disturb_between_slices(unsigned slice) {
        if (slice % 5 == 4) cpu_.raise_nmi();
        if (slice % 7 == 3) cpu_.post_code_written(code, 0x1000);
        if (slice % 6 == 5) cpu_.set_interrupt_request((slice & 1) == 0 && bus_.interrupt >= 0);
    }

    void check_invariants() {
        const CpuState& state = cpu_.state;
        require(state.cpl <= 3, "the privilege is 0 to 3");
        require(state.zero == 0, "the absent register reads zero");
        require(state.rflags & x86::rflags::reserved1, "bit 1 of RFLAGS is set");
        require(!(state.rflags & x86::rflags::arithmetic), "the arithmetic flags are kept apart");
    }

    Input input_;
    SmallBus bus_;
    TestInterpreter cpu_;
    RandomMachineReport report_;
};

}  // namespace

RandomMachineReport run_random_machine(std::span<const std::uint8_t> input,
                                       const EngineMaker& make_engine) {
    return std::make_unique<Machine>(input, make_engine)->run();
}

std::vector<std::uint8_t> random_machine_input(std::uint64_t seed) {
    std::mt19937_64 random{seed};
    std::vector<std::uint8_t> bytes(256 + random() % 512);
    for (auto& byte : bytes)
        byte = static_cast<std::uint8_t>(random());
    // Opcodes that lead somewhere, so that not every machine ends in its first #UD.
    static constexpr std::uint8_t likely[] = {0x0f, 0x66, 0x67, 0x8b, 0x89, 0x8e, 0xff, 0xf3,
                                              0xf2, 0xcd, 0xcf, 0xcb, 0xc4, 0xc5, 0xeb, 0x74,
                                              0x01, 0x00, 0x20, 0x22, 0x48, 0x9a, 0xea, 0xae};
    for (std::size_t i = 200; i < bytes.size(); ++i)
        if (random() % 2) bytes[i] = likely[random() % std::size(likely)];
    return bytes;
}

}  // namespace backplane::interp::testing
