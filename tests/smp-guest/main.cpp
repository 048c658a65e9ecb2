// Four processors of a machine without an operating system test what they do to each other. What
// must come out is exact; every failure is a line, and the exit code says whether there was one.
#include "machine.h"

extern "C" {
extern std::uint8_t trampoline[], trampoline_end[];
extern std::uint32_t trampoline_cr3;
extern std::uint8_t gdt_pointer[];
volatile std::uint32_t starting_cpu;
void first_main(const std::uint8_t* boot_params);
void other_main(unsigned cpu);

// The compiler calls them.
void* memset(void* to, int value, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
        static_cast<volatile std::uint8_t*>(to)[i] = static_cast<std::uint8_t>(value);
    return to;
}
void* memcpy(void* to, const void* from, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
        static_cast<volatile std::uint8_t*>(to)[i] = static_cast<const std::uint8_t*>(from)[i];
    return to;
}
}

namespace guest {

u64 repetitions = 0;

namespace {

constexpr u64 trampoline_address = 0x50000;

volatile u32 arrived, meetings, failures, print_lock;
volatile u32 started;
void (*volatile starting_program)(unsigned cpu);

struct Gate {
    u16 low, selector, flags, middle;
    u32 high, reserved;
};
Gate idt[256];

void load_idt() {
    const struct [[gnu::packed]] {
        u16 limit;
        u64 base;
    } pointer{sizeof idt - 1, reinterpret_cast<u64>(idt)};
    asm volatile("lidt %0" : : "m"(pointer));
}

void lock_output() {
    while (exchange(&print_lock, 1u) != 0)
        pause();
}
void unlock_output() {
    asm volatile("" : : : "memory");
    print_lock = 0;
}

[[gnu::interrupt]] void unexpected(Frame*) {
    print("an interrupt or exception that nobody expected\n");
    lock_add(&failures, 1u);
    finish();
}

void begin(unsigned cpu) {
    load_idt();
    apic::at(apic::svr) = 0x1ff;
    apic::at(apic::ldr) = 1u << (24 + cpu);
}

void run_tests(unsigned cpu) {
    const struct {
        const char* name;
        void (*test)(unsigned cpu);
    } tests[] = {{"locked", test_locked},
                 {"ordering", test_ordering},
                 {"interrupts", test_interrupts},
                 {"shootdown", test_shootdown},
                 {"code", test_code}};
    for (const auto& [name, test] : tests) {
        meet();
        test(cpu);
        meet();
        if (cpu != 0) continue;
        print(name);
        print(": done\n");
    }
    test_restart(cpu);
}

void other_program(unsigned cpu) { run_tests(cpu); }

// The number at the end of the command line.
u64 number_of(const char* text) {
    u64 number = 0;
    for (; *text != 0; ++text)
        number = *text >= '0' && *text <= '9' ? number * 10 + static_cast<u64>(*text - '0') : 0;
    return number;
}

}  // namespace

void print(const char* text) {
    for (; *text != 0; ++text) {
        while ((in8(0x3fd) & 0x20) == 0)
            pause();
        out8(0x3f8, static_cast<u8>(*text));
    }
}

void print(u64 value) {
    char text[17];
    unsigned at = 16;
    text[16] = 0;
    do {
        text[--at] = "0123456789abcdef"[value & 15];
        value >>= 4;
    } while (value != 0);
    print(text + at);
}

void expect(const char* what, u64 got, u64 wanted) {
    if (got == wanted) return;
    lock_add(&failures, 1u);
    lock_output();
    print("FAILED ");
    print(what);
    print(": 0x");
    print(got);
    print(" instead of 0x");
    print(wanted);
    print("\n");
    unlock_output();
}

// By power management when all is well, otherwise by the port that gives an exit code.
void finish() {
    print(failures == 0 ? "all passed\n" : "there were failures\n");
    if (failures == 0)
        out16(0x604, 0x2000);
    else
        out8(0x501, 1);
    for (;;)
        asm volatile("hlt");
}

void meet() {
    const u32 meeting = meetings;
    if (lock_xadd(&arrived, 1u) == cpus - 1) {
        arrived = 0;
        asm volatile("" : : : "memory");
        meetings = meeting + 1;
        return;
    }
    while (meetings == meeting)
        pause();
    asm volatile("" : : : "memory");
}

void start_cpu(unsigned cpu, void (*program)(unsigned cpu)) {
    starting_cpu = cpu;
    starting_program = program;
    started = 0;
    apic::send(cpu, apic::init | apic::assert);
    apic::send(cpu, apic::startup | apic::assert | trampoline_address >> 12);
    while (started == 0)
        pause();
}

void set_handler(u8 vector, void (*handler)(Frame*)) {
    const auto address = reinterpret_cast<u64>(handler);
    idt[vector] = {.low = static_cast<u16>(address),
                   .selector = 8,
                   .flags = 0x8e00,
                   .middle = static_cast<u16>(address >> 16),
                   .high = static_cast<u32>(address >> 32),
                   .reserved = 0};
}

void map(u64 linear, const void* frame) {
    alignas(page) static u64 directory[512], tables[256][512];
    u64 root;
    asm volatile("mov %%cr3, %0" : "=r"(root));
    auto* pml4 = reinterpret_cast<u64*>(root & ~(page - 1));
    auto* pdpt = reinterpret_cast<u64*>(pml4[0] & ~(page - 1));
    const u64 slot = (linear - window) >> 21, present_writable = 3;
    directory[slot] = reinterpret_cast<u64>(tables[slot]) | present_writable;
    tables[slot][linear >> 12 & 511] = reinterpret_cast<u64>(frame) | present_writable;
    pdpt[linear >> 30] = reinterpret_cast<u64>(directory) | present_writable;
}

}  // namespace guest

using namespace guest;

void other_main(unsigned cpu) {
    begin(cpu);
    const auto program = starting_program;
    started = 1;
    program(cpu);
    for (;;)
        asm volatile("hlt");
}

void first_main(const std::uint8_t* boot_params) {
    const u32 command_line = *reinterpret_cast<const u32*>(boot_params + 0x228);
    repetitions = number_of(reinterpret_cast<const char*>(u64{command_line}));
    u64 cr3;
    asm volatile("mov %%cr3, %0" : "=r"(cr3));
    asm volatile("mov %0, %%cr4" : : "r"(u64{0x620}));
    trampoline_cr3 = static_cast<u32>(cr3);
    for (std::size_t i = 0; i < static_cast<std::size_t>(trampoline_end - trampoline); ++i)
        reinterpret_cast<volatile u8*>(trampoline_address)[i] = trampoline[i];
    for (unsigned vector = 0; vector < 256; ++vector)
        set_handler(static_cast<u8>(vector), reinterpret_cast<void (*)(Frame*)>(&unexpected));
    begin(0);
    for (unsigned cpu = 1; cpu < cpus; ++cpu)
        start_cpu(cpu, other_program);
    run_tests(0);
    finish();
}
