// TLB shootdown: when every processor has said that it forgot a translation, none uses the page
// that was there before. (SDM 3A 4.10.5)
#include "machine.h"

namespace guest {
namespace {

constexpr u8 forget = 0x51;
constexpr u64 place = window + 16 * page, poison = 0xdead;

alignas(page) volatile u64 frames[2][page / sizeof(u64)];
volatile u32 acknowledged;
volatile u32 finished;

[[gnu::interrupt]] void on_forget(Frame*) {
    flush_page(place);
    lock_add(&acknowledged, 1u);
    apic::end();
}

}  // namespace

void test_shootdown(unsigned cpu) {
    auto* const shared = reinterpret_cast<volatile u64*>(place);
    const u64 rounds = repetitions / 16;
    if (cpu == 0) {
        set_handler(forget, reinterpret_cast<void (*)(Frame*)>(&on_forget));
        frames[0][0] = 0;
        map(place, const_cast<const u64*>(frames[0]));
        finished = 0;
    }
    meet();
    if (cpu != 0) {
        enable_interrupts();
        u64 last = 0, stale = 0, backwards = 0, reads = 0;
        while (finished == 0) {
            const u64 value = *shared;
            stale += value == poison;
            backwards += value < last;
            last = value;
            // Writes go to the new page too: the count in the old one does not move any more.
            if (cpu == 1) shared[8] = ++reads;
        }
        disable_interrupts();
        expect("reads through a forgotten translation", stale, 0);
        expect("an older page", backwards, 0);
        return;
    }
    u64 written_late = 0;
    for (u64 round = 1; round <= rounds; ++round) {
        volatile u64* const before = frames[(round - 1) % 2];
        volatile u64* const after = frames[round % 2];
        after[0] = round;
        after[8] = 0;
        acknowledged = 0;
        map(place, const_cast<const u64*>(after));
        flush_page(place);
        apic::send(0, apic::assert | apic::all_but_self | forget);
        while (acknowledged != cpus - 1)
            pause();
        before[0] = poison;
        const u64 count = before[8];
        for (unsigned wait = 0; wait < 100; ++wait)
            pause();
        written_late += before[8] != count;
    }
    finished = 1;
    expect("writes through a forgotten translation", written_late, 0);
    expect("the page that is mapped", *shared, rounds);
}

}  // namespace guest
