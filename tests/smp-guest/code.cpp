// Code that is modified by the processor that executes it, and by others. (SDM 3A 9.1.3)
#include "machine.h"

namespace guest {
namespace {

using Function = u32 (*)();

// mov eax, value; ret
void write_function(volatile u8* place, u32 value) {
    place[0] = 0xb8;
    *reinterpret_cast<volatile u32*>(place + 1) = value;
    place[5] = 0xc3;
}

u32 call(volatile u8* place) { return reinterpret_cast<Function>(reinterpret_cast<u64>(place))(); }

alignas(page) volatile u8 own[cpus][page];
alignas(page) volatile u8 shared[page];
alignas(page) volatile u8 side_by_side[page];
volatile u64 version;
volatile u32 seen[cpus];

// Everybody modifies its own page, then its part of a page that all execute in.
void modify_own(unsigned cpu) {
    volatile u8* const parts[] = {own[cpu] + 100, side_by_side + 1024 * cpu};
    for (volatile u8* place : parts) {
        write_function(place, 0);
        u64 wrong = 0;
        for (u32 i = 0; i < repetitions / 16; ++i) {
            *reinterpret_cast<volatile u32*>(place + 1) = i;
            wrong += call(place) != i;
        }
        expect("self-modified code", wrong, 0);
        meet();
    }
}

// SDM 3A 9.1.3, cross-modifying code: modify, tell; the others wait, serialize, execute.
void modify_for_others(unsigned cpu) {
    const u32 rounds = static_cast<u32>(repetitions / 16);
    if (cpu == 0) {
        write_function(shared, 0);
        version = 0;
    }
    meet();
    u64 wrong = 0;
    for (u32 round = 1; round <= rounds; ++round) {
        if (cpu == 0) {
            *reinterpret_cast<volatile u32*>(shared + 1) = round;
            version = round;
            for (unsigned other = 1; other < cpus; ++other)
                while (seen[other] != round)
                    pause();
        } else {
            while (version < round)
                pause();
            serialize();
            wrong += call(shared) != round;
            seen[cpu] = round;
        }
    }
    expect("code that another processor modified", wrong, 0);
    meet();
    if (cpu != 0) seen[cpu] = 0;
    meet();
}

// As just-in-time compilers do: code appears at a place where there was none, or code that nobody
// executes any more, and its address is published. Whole pages are rewritten by REP STOSB.
void publish(unsigned cpu) {
    alignas(page) static volatile u8 code[2][page];
    static volatile u8* volatile published;
    const u32 rounds = static_cast<u32>(repetitions / 64);
    if (cpu == 0) {
        published = nullptr;
        version = 0;
    }
    meet();
    u64 wrong = 0;
    for (u32 round = 1; round <= rounds; ++round) {
        if (cpu == 0) {
            volatile u8* const place = code[round % 2];
            const volatile u8* to = place;
            u64 count = page;
            asm volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(0xcc) : "memory");
            volatile u8* const entry = place + round * 16 % (page - 64);
            write_function(entry, round);
            published = entry;
            version = round;
            for (unsigned other = 1; other < cpus; ++other)
                while (seen[other] != round)
                    pause();
        } else {
            while (version < round)
                pause();
            serialize();
            wrong += call(published) != round;
            seen[cpu] = round;
        }
    }
    expect("published code", wrong, 0);
    meet();
}

// A store that begins in one page of code and ends in the next, which others execute.
void modify_across_pages(unsigned cpu) {
    alignas(page) static volatile u8 code[2][page];
    volatile u8* const place = &code[0][0] + page - 3;  // the value is across the pages
    const u32 rounds = static_cast<u32>(repetitions / 64);
    if (cpu == 0) {
        write_function(place, 0);
        version = 0;
    }
    if (cpu != 0) seen[cpu] = 0;
    meet();
    u64 wrong = 0;
    for (u32 round = 1; round <= rounds; ++round) {
        const u32 value = round * 0x01010101u;
        if (cpu == 0) {
            *reinterpret_cast<volatile u32*>(place + 1) = value;
            version = round;
            for (unsigned other = 1; other < cpus; ++other)
                while (seen[other] != round)
                    pause();
        } else {
            while (version < round)
                pause();
            serialize();
            wrong += call(place) != value;
            seen[cpu] = round;
        }
    }
    expect("code across pages that another processor modified", wrong, 0);
}

}  // namespace

void test_code(unsigned cpu) {
    modify_own(cpu);
    modify_for_others(cpu);
    publish(cpu);
    modify_across_pages(cpu);
}

}  // namespace guest
