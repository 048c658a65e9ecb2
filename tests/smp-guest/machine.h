// What the test programs know of the machine, and how they work together.
#pragma once

#include <cstddef>
#include <cstdint>

namespace guest {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

constexpr unsigned cpus = 4;
constexpr u64 page = 4096;

inline void out8(u16 port, u8 value) { asm volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }
inline void out16(u16 port, u16 value) { asm volatile("outw %0, %1" : : "a"(value), "Nd"(port)); }
inline u8 in8(u16 port) {
    u8 value;
    asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
inline void pause() { asm volatile("pause" : : : "memory"); }
// CPUID: what serializes in user programs too.
inline void serialize() {
    u32 leaf = 0, subleaf = 0, b, d;
    asm volatile("cpuid" : "+a"(leaf), "=b"(b), "+c"(subleaf), "=d"(d) : : "memory");
}

// ---- Reports: on COM1 ----

void print(const char* text);
void print(u64 value);
// Counts a failure unless `got` is `wanted`.
void expect(const char* what, u64 got, u64 wanted);
[[noreturn]] void finish();

// ---- All four processors ----

// Repetitions of each step, from the command line.
extern u64 repetitions;

// Nobody goes on before all have come here.
void meet();

// Starts or restarts a processor by INIT and STARTUP; it calls `program` with its number.
void start_cpu(unsigned cpu, void (*program)(unsigned cpu));

// ---- Local APIC, in xAPIC mode ----

namespace apic {
enum Register : u32 {
    id = 0x20,
    eoi = 0xb0,
    ldr = 0xd0,
    svr = 0xf0,
    icr = 0x300,
    icr_high = 0x310
};
inline volatile u32& at(u32 offset) {
    return *reinterpret_cast<volatile u32*>(u64{0xfee00000} + offset);
}
inline unsigned this_cpu() { return at(id) >> 24; }
inline void end() { at(eoi) = 0; }
// `command` is the low half of ICR.
inline void send(unsigned destination, u32 command) {
    at(icr_high) = destination << 24;
    at(icr) = command;
}
constexpr u32 assert = 0x4000, logical = 0x800, all_but_self = 0xc0000;
constexpr u32 lowest_priority = 0x100, nmi = 0x400, init = 0x500, startup = 0x600;
}  // namespace apic

struct Frame;
void set_handler(u8 vector, void (*handler)(Frame*));
inline void enable_interrupts() { asm volatile("sti; nop" : : : "memory"); }
inline void disable_interrupts() { asm volatile("cli" : : : "memory"); }

// ---- Pages ----

// Maps a page of 4 KiB between 2 and 2.5 GiB; flushes nothing.
void map(u64 linear, const void* frame);
inline void flush_page(u64 linear) { asm volatile("invlpg (%0)" : : "r"(linear) : "memory"); }
constexpr u64 window = u64{2} << 30;

// ---- Locked instructions ----

template <class T>
void lock_add(volatile T* place, T value) {
    asm volatile("lock add %1, %0" : "+m"(*place) : "r"(value) : "memory", "cc");
}
template <class T>
T lock_xadd(volatile T* place, T value) {
    asm volatile("lock xadd %1, %0" : "+m"(*place), "+r"(value) : : "memory", "cc");
    return value;
}
template <class T>
T exchange(volatile T* place, T value) {
    asm volatile("xchg %1, %0" : "+m"(*place), "+r"(value) : : "memory");
    return value;
}

// ---- The tests; every processor calls each of them, in this order ----

void test_locked(unsigned cpu);
void test_ordering(unsigned cpu);
void test_interrupts(unsigned cpu);
void test_shootdown(unsigned cpu);
void test_code(unsigned cpu);
// The last one: not all come back.
void test_restart(unsigned cpu);

}  // namespace guest
