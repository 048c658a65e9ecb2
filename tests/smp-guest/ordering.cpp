// The order in which processors see each other's accesses: what SDM 3A 9.2.3 forbids is never
// seen. Each pattern runs over many locations, so that the processors meet in all phases.
#include "machine.h"

namespace guest {
namespace {

constexpr unsigned locations = 256;

struct alignas(64) Cell {
    volatile u64 value;
};
Cell x[locations], y[locations];
volatile u8 seen[cpus][2][locations];

template <class Program, class Forbidden>
void pattern(unsigned cpu, const char* name, Program program, Forbidden is_forbidden) {
    u64 forbidden = 0;
    const u64 rounds = repetitions / locations + 1;
    for (u64 round = 0; round < rounds; ++round) {
        for (unsigned i = cpu; i < locations; i += cpus) {
            x[i].value = 0;
            y[i].value = 0;
        }
        meet();
        for (unsigned i = 0; i < locations; ++i)
            program(cpu, i);
        meet();
        if (cpu == 0)
            for (unsigned i = 0; i < locations; ++i)
                forbidden += is_forbidden(i);
        meet();
    }
    if (cpu == 0) expect(name, forbidden, 0);
}

void see(unsigned cpu, unsigned which, unsigned i, u64 value) {
    seen[cpu][which][i] = static_cast<u8>(value);
}

// Stores are not passed by later loads when something between them orders them.
template <class Fence>
void store_buffer(unsigned cpu, const char* name, Fence fence) {
    pattern(
        cpu, name,
        [&](unsigned me, unsigned i) {
            if (me > 1) return;
            (me == 0 ? x : y)[i].value = 1;
            fence();
            see(me, 0, i, (me == 0 ? y : x)[i].value);
        },
        [](unsigned i) { return seen[0][0][i] == 0 && seen[1][0][i] == 0; });
}

void exchange_instead_of_fence(unsigned cpu) {
    pattern(
        cpu, "store buffer, XCHG",
        [](unsigned me, unsigned i) {
            if (me > 1) return;
            exchange(&(me == 0 ? x : y)[i].value, u64{1});
            see(me, 0, i, (me == 0 ? y : x)[i].value);
        },
        [](unsigned i) { return seen[0][0][i] == 0 && seen[1][0][i] == 0; });
}

void message_passing(unsigned cpu) {
    pattern(
        cpu, "message passing",
        [](unsigned me, unsigned i) {
            if (me == 0) {
                x[i].value = 1;
                y[i].value = 1;
            }
            if (me == 1) see(1, 0, i, y[i].value), see(1, 1, i, x[i].value);
        },
        [](unsigned i) { return seen[1][0][i] == 1 && seen[1][1][i] == 0; });
}

void load_buffer(unsigned cpu) {
    pattern(
        cpu, "load buffer",
        [](unsigned me, unsigned i) {
            if (me > 1) return;
            see(me, 0, i, (me == 0 ? x : y)[i].value);
            (me == 0 ? y : x)[i].value = 1;
        },
        [](unsigned i) { return seen[0][0][i] == 1 && seen[1][0][i] == 1; });
}

void independent_writes(unsigned cpu) {
    pattern(
        cpu, "independent reads of independent writes",
        [](unsigned me, unsigned i) {
            if (me == 0) x[i].value = 1;
            if (me == 1) y[i].value = 1;
            if (me == 2) see(2, 0, i, x[i].value), see(2, 1, i, y[i].value);
            if (me == 3) see(3, 0, i, y[i].value), see(3, 1, i, x[i].value);
        },
        [](unsigned i) {
            return seen[2][0][i] == 1 && seen[2][1][i] == 0 && seen[3][0][i] == 1 &&
                   seen[3][1][i] == 0;
        });
}

// Stores are seen in the same order by everybody, and nobody sees the past again.
void coherence(unsigned cpu) {
    static volatile u64 clock;
    if (cpu == 0) clock = 0;
    meet();
    u64 last = 0, backwards = 0;
    for (u64 i = 1; i <= repetitions * 4; ++i) {
        if (cpu == 0) {
            clock = i;
            continue;
        }
        const u64 now = clock;
        backwards += now < last;
        last = now;
    }
    expect("a value that went backwards", backwards, 0);
}

}  // namespace

void test_ordering(unsigned cpu) {
    store_buffer(cpu, "store buffer, MFENCE", [] { asm volatile("mfence" : : : "memory"); });
    store_buffer(cpu, "store buffer, locked access of the stack", [] {
        asm volatile("lock orl $0, -64(%%rsp)" : : : "memory", "cc");
    });
    store_buffer(cpu, "store buffer, CPUID", [] { serialize(); });
    exchange_instead_of_fence(cpu);
    message_passing(cpu);
    load_buffer(cpu);
    independent_writes(cpu);
    coherence(cpu);
}

}  // namespace guest
