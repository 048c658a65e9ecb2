// Interprocessor interrupts: each arrives once, where it was sent. (SDM 3A 11.6)
#include "machine.h"

namespace guest {
namespace {

constexpr u8 ping = 0x41, tell = 0x42, one_of_all = 0x43;

struct alignas(64) Count {
    volatile u64 value;
};
Count pings[cpus], tells[cpus], taken[cpus], nmis[cpus];
volatile u64 restarts;

void add(Count& count) { count.value = count.value + 1; }

[[gnu::interrupt]] void on_ping(Frame*) {
    add(pings[apic::this_cpu()]);
    apic::end();
}
[[gnu::interrupt]] void on_tell(Frame*) {
    add(tells[apic::this_cpu()]);
    apic::end();
}
[[gnu::interrupt]] void on_one_of_all(Frame*) {
    add(taken[apic::this_cpu()]);
    apic::end();
}
[[gnu::interrupt]] void on_nmi(Frame*) { add(nmis[apic::this_cpu()]); }

u64 sum(const Count (&counts)[cpus]) {
    u64 total = 0;
    for (const Count& count : counts)
        total += count.value;
    return total;
}

// 0 and 1 answer each other, as do 2 and 3; physical destinations one way, logical ones the other.
// They sleep until the answer comes: STI holds interrupts back for HLT.
void ping_pong(unsigned cpu) {
    const unsigned partner = cpu ^ 1;
    const u64 rounds = repetitions / 4;
    for (u64 round = 0; round < rounds; ++round) {
        if (cpu % 2 != 0)
            while (pings[cpu].value <= round)
                asm volatile("cli; cmp %0, %1; ja 1f; sti; hlt; 1: sti"
                             :
                             : "r"(round), "m"(pings[cpu].value)
                             : "memory", "cc");
        if (round % 2 == 0)
            apic::send(partner, apic::assert | ping);
        else
            apic::send(1u << partner, apic::assert | apic::logical | ping);
        if (cpu % 2 == 0)
            while (pings[cpu].value <= round)
                pause();
    }
    meet();
    expect("pings", pings[cpu].value, rounds);
}

void broadcast(unsigned cpu) {
    const u64 rounds = repetitions / 16;
    for (u64 round = 0; round < rounds; ++round) {
        if (cpu == round % cpus) apic::send(0, apic::assert | apic::all_but_self | tell);
        while (sum(tells) < (cpus - 1) * (round + 1))
            pause();
    }
    meet();
    const u64 own = rounds / cpus + (cpu < rounds % cpus ? 1 : 0);
    expect("broadcasts", tells[cpu].value, rounds - own);
    meet();
}

void to_one_of_all(unsigned cpu) {
    const u64 rounds = repetitions / 16;
    if (cpu == 0)
        for (u64 round = 0; round < rounds; ++round) {
            apic::send(0x0f, apic::assert | apic::logical | apic::lowest_priority | one_of_all);
            while (sum(taken) <= round)
                pause();
        }
    meet();
    if (cpu == 0) expect("lowest priority", sum(taken), rounds);
    meet();
}

void non_maskable(unsigned cpu) {
    const u64 rounds = repetitions / 16;
    disable_interrupts();
    if (cpu == 0)
        for (u64 round = 0; round < rounds; ++round) {
            apic::send(0, apic::assert | apic::all_but_self | apic::nmi);
            while (sum(nmis) < (cpus - 1) * (round + 1))
                pause();
        }
    meet();
    expect("NMIs", nmis[cpu].value, cpu == 0 ? 0 : rounds);
    enable_interrupts();
}

void restarted(unsigned) {
    restarts = restarts + 1;
    disable_interrupts();
    for (;;)
        asm volatile("hlt");
}

}  // namespace

void test_interrupts(unsigned cpu) {
    if (cpu == 0) {
        set_handler(ping, reinterpret_cast<void (*)(Frame*)>(&on_ping));
        set_handler(tell, reinterpret_cast<void (*)(Frame*)>(&on_tell));
        set_handler(one_of_all, reinterpret_cast<void (*)(Frame*)>(&on_one_of_all));
        set_handler(2, reinterpret_cast<void (*)(Frame*)>(&on_nmi));
    }
    meet();
    enable_interrupts();
    ping_pong(cpu);
    meet();
    broadcast(cpu);
    to_one_of_all(cpu);
    non_maskable(cpu);
    disable_interrupts();
}

// The last processor is thrown out of whatever it does, again and again.
void test_restart(unsigned cpu) {
    if (cpu == cpus - 1)
        for (;;)
            pause();
    if (cpu != 0) return;
    const u64 rounds = repetitions / 64 + 1;
    for (u64 round = 0; round < rounds; ++round) {
        start_cpu(cpus - 1, restarted);
        while (restarts == round)
            pause();
    }
    expect("restarts", restarts, rounds);
    print("restart: done\n");
}

}  // namespace guest
