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

// Rounds of cross-modifying code (SDM 3A 9.1.3): processor 0 modifies and tells; the others wait,
// serialize, execute. Gives how often this one was wrong.
template <class Modify, class IsRight>
u64 hand_over(unsigned cpu, u32 rounds, Modify modify, IsRight is_right) {
    if (cpu == 0) version = 0;
    seen[cpu] = 0;
    meet();
    u64 wrong = 0;
    for (u32 round = 1; round <= rounds; ++round) {
        if (cpu == 0) {
            modify(round);
            version = round;
            for (unsigned other = 1; other < cpus; ++other)
                while (seen[other] != round)
                    pause();
        } else {
            while (version < round)
                pause();
            serialize();
            wrong += !is_right(round);
            seen[cpu] = round;
        }
    }
    meet();
    return wrong;
}

void modify_for_others(unsigned cpu) {
    if (cpu == 0) write_function(shared, 0);
    const auto modify = [](u32 round) { *reinterpret_cast<volatile u32*>(shared + 1) = round; };
    const auto is_right = [](u32 round) { return call(shared) == round; };
    const u64 wrong = hand_over(cpu, static_cast<u32>(repetitions / 16), modify, is_right);
    expect("code that another processor modified", wrong, 0);
}

// As just-in-time compilers do: code appears at a place where there was none, or code that nobody
// executes any more, and its address is published. Whole pages are rewritten by REP STOSB.
void publish(unsigned cpu) {
    alignas(page) static volatile u8 code[2][page];
    static volatile u8* volatile published;
    const auto modify = [](u32 round) {
        volatile u8* const place = code[round % 2];
        const volatile u8* to = place;
        u64 count = page;
        asm volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(0xcc) : "memory");
        volatile u8* const entry = place + round * 16 % (page - 64);
        write_function(entry, round);
        published = entry;
    };
    const auto is_right = [](u32 round) { return call(published) == round; };
    const u64 wrong = hand_over(cpu, static_cast<u32>(repetitions / 64), modify, is_right);
    expect("published code", wrong, 0);
}

// A store that begins in one page of code and ends in the next, which others execute.
void modify_across_pages(unsigned cpu) {
    alignas(page) static volatile u8 code[2][page];
    volatile u8* const place = &code[0][0] + page - 3;  // the value is across the pages
    if (cpu == 0) write_function(place, 0);
    const auto value = [](u32 round) { return round * 0x01010101u; };
    const auto modify = [=](u32 round) {
        *reinterpret_cast<volatile u32*>(place + 1) = value(round);
    };
    const auto is_right = [=](u32 round) { return call(place) == value(round); };
    const u64 wrong = hand_over(cpu, static_cast<u32>(repetitions / 64), modify, is_right);
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
