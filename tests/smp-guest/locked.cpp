// LOCK: no update is lost, for every size, aligned or not, in one page or across two, in pages with
// code and in devices. (SDM 3A 9.1.2)
#include "machine.h"

extern "C" void add_one_in_code();
extern "C" volatile std::uint32_t counter_in_code;

// The counter lies beside the code that counts.
asm(".section .text.counter, \"ax\"\n\t.balign 4096\n"
    "add_one_in_code:\n\tlock incl counter_in_code(%rip)\n\tret\n"
    ".balign 64\ncounter_in_code:\n\t.long 0\n\t.balign 4096\n\t.text");

namespace guest {
namespace {

// Three pages that follow each other, on frames that do not.
alignas(page) u8 frames[5][page];
constexpr u64 pages = window;

void map_pages() {
    map(pages, frames[4]);
    map(pages + page, frames[0]);
    map(pages + 2 * page, frames[2]);
}

struct Place {
    const char* name;
    u64 address;
};

template <class T>
void lock_increment(volatile T* place) {
    if constexpr (sizeof(T) == 1) asm volatile("lock incb %0" : "+m"(*place) : : "memory", "cc");
    if constexpr (sizeof(T) == 2) asm volatile("lock incw %0" : "+m"(*place) : : "memory", "cc");
    if constexpr (sizeof(T) == 4) asm volatile("lock incl %0" : "+m"(*place) : : "memory", "cc");
    if constexpr (sizeof(T) == 8) asm volatile("lock incq %0" : "+m"(*place) : : "memory", "cc");
}

template <class T>
void increment(unsigned method, volatile T* place) {
    switch (method) {
    case 0: return lock_add(place, T{1});
    case 1: lock_xadd(place, T{1}); return;
    case 2: return lock_increment(place);
    case 3: asm volatile("lock sub %1, %0" : "+m"(*place) : "r"(T(-1)) : "memory", "cc"); return;
    default:
        for (T seen = *place;;) {
            T found = seen;
            asm volatile("lock cmpxchg %2, %1"
                         : "+a"(found), "+m"(*place)
                         : "r"(T(seen + 1))
                         : "memory", "cc");
            if (found == seen) return;
            seen = found;
        }
    }
}

// Each byte beside the field belongs to one processor, which counts there without LOCK.
template <class T>
void count_at(unsigned cpu, const Place& place) {
    auto* field = reinterpret_cast<volatile T*>(place.address);
    auto* before = reinterpret_cast<volatile u8*>(place.address - 1);
    auto* after = reinterpret_cast<volatile u8*>(place.address + sizeof(T));
    for (unsigned method = 0; method < 5; ++method) {
        if (cpu == 0) {
            *field = 0;
            *before = 0;
            *after = 0;
        }
        meet();
        for (u64 i = 0; i < repetitions; ++i) {
            increment(method, field);
            if (cpu == 0) *before = *before + 1;
            if (cpu == 1) *after = *after + 1;
        }
        meet();
        if (cpu != 0) continue;
        expect(place.name, *field, static_cast<T>(cpus * repetitions));
        expect("the byte before", *before, static_cast<u8>(repetitions));
        expect("the byte after", *after, static_cast<u8>(repetitions));
    }
}

template <class T>
void count_everywhere(unsigned cpu) {
    count_at<T>(cpu, {"aligned", pages + 64});
    count_at<T>(cpu, {"not aligned", pages + 65});
    if (sizeof(T) == 1) return;
    count_at<T>(cpu, {"across a cache line", pages + 128 - sizeof(T) / 2});
    count_at<T>(cpu, {"across a page", pages + page - sizeof(T) / 2});
    count_at<T>(cpu, {"across a page by one byte", pages + 2 * page - 1});
}

// The halves of a field across two pages, updated as a whole by some and one by one by others.
void mix_sizes(unsigned cpu) {
    auto* whole = reinterpret_cast<volatile u64*>(pages + page - 4);
    auto* low = reinterpret_cast<volatile u32*>(pages + page - 4);
    auto* high = reinterpret_cast<volatile u32*>(pages + page);
    if (cpu == 0) *whole = 0;
    meet();
    for (u64 i = 0; i < repetitions; ++i) {
        if (cpu < 2) lock_add(whole, u64{1} << 32 | 1);
        if (cpu == 2) lock_add(low, 1u);
        if (cpu == 3) lock_add(high, 1u);
    }
    meet();
    if (cpu == 0)
        expect("a field and its halves", *whole, (3 * repetitions) << 32 | 3 * repetitions);
}

// CMPXCHG8B and CMPXCHG16B: two counters that always go together.
template <class Half>
void count_pairs(unsigned cpu, const Place& place) {
    auto* halves = reinterpret_cast<volatile Half*>(place.address);
    if (cpu == 0) {
        halves[0] = 0;
        halves[1] = 0;
    }
    meet();
    for (u64 i = 0; i < repetitions; ++i) {
        Half low = 0, high = 0;
        bool done = false;
        while (!done) {
            const Half new_low = low + 1, new_high = high + 3;
            if constexpr (sizeof(Half) == 4)
                asm volatile("lock cmpxchg8b %1"
                             : "=@ccz"(done), "+m"(*reinterpret_cast<volatile u64*>(halves)),
                               "+a"(low), "+d"(high)
                             : "b"(new_low), "c"(new_high)
                             : "memory");
            else
                asm volatile("lock cmpxchg16b %1"
                             : "=@ccz"(done), "+m"(*halves), "+a"(low), "+d"(high)
                             : "b"(new_low), "c"(new_high)
                             : "memory");
        }
    }
    meet();
    if (cpu != 0) return;
    expect(place.name, halves[0], static_cast<Half>(cpus * repetitions));
    expect(place.name, halves[1], static_cast<Half>(3 * cpus * repetitions));
}

// A lock around plain increments, by XCHG or by BTS and BTR.
void exclude(unsigned cpu, const Place& place, bool by_bit) {
    auto* lock = reinterpret_cast<volatile u32*>(place.address);
    static volatile u64 guarded;
    if (cpu == 0) {
        *lock = 0;
        guarded = 0;
    }
    meet();
    const u64 rounds = repetitions / 4;
    for (u64 i = 0; i < rounds; ++i) {
        if (by_bit) {
            // Bit 37 of the string that begins four bytes earlier.
            auto* base = reinterpret_cast<volatile u32*>(place.address - 4);
            const u64 bit = 37;
            bool was_set = true;
            while (was_set)
                asm volatile("lock bts %2, %1; pause"
                             : "=@ccc"(was_set), "+m"(*base)
                             : "r"(bit)
                             : "memory");
            guarded = guarded + 1;
            asm volatile("lock btr %1, %0" : "+m"(*base) : "r"(bit) : "memory", "cc");
        } else {
            while (exchange(lock, 1u) != 0)
                pause();
            guarded = guarded + 1;
            exchange(lock, 0u);
        }
    }
    meet();
    if (cpu == 0) expect(place.name, guarded, cpus * rounds);
    if (cpu == 0) expect("the lock afterwards", *lock, 0);
}

// Each processor owns two bits of a byte and turns them by XOR, OR, AND and BTC.
void turn_bits(unsigned cpu) {
    static volatile u8 bits;
    if (cpu == 0) bits = 0;
    meet();
    const u8 low = static_cast<u8>(1 << 2 * cpu), high = static_cast<u8>(2 << 2 * cpu);
    u64 wrong = 0;
    for (u64 i = 0; i < repetitions; ++i) {
        asm volatile("lock xor %1, %0" : "+m"(bits) : "q"(low) : "memory", "cc");
        wrong += ((bits & low) != 0) != (i % 2 == 0);
        asm volatile("lock or %1, %0" : "+m"(bits) : "q"(high) : "memory", "cc");
        wrong += (bits & high) == 0;
        asm volatile("lock and %1, %0" : "+m"(bits) : "q"(static_cast<u8>(~high)) : "memory", "cc");
        wrong += (bits & high) != 0;
    }
    expect("bits of this processor that others changed", wrong, 0);
    meet();
    if (cpu == 0) expect("all bits", bits, repetitions % 2 != 0 ? 0x55 : 0);
}

void count_in_code(unsigned cpu) {
    const u64 rounds = repetitions / 16;
    for (u64 i = 0; i < rounds; ++i)
        add_one_in_code();
    meet();
    if (cpu == 0) expect("a counter beside its code", counter_in_code, cpus * rounds);
}

// IOREGSEL of the I/O APIC keeps eight bits and is used by nobody else.
void count_in_device(unsigned cpu) {
    auto* select = reinterpret_cast<volatile u32*>(u64{0xfec00000});
    if (cpu == 0) *select = 0;
    meet();
    const u64 rounds = repetitions / 16;
    for (u64 i = 0; i < rounds; ++i)
        lock_add(select, 1u);
    meet();
    if (cpu == 0) expect("a counter in a device", *select, cpus * rounds & 0xff);
}

}  // namespace

void test_locked(unsigned cpu) {
    if (cpu == 0) map_pages();
    meet();
    count_everywhere<u8>(cpu);
    count_everywhere<u16>(cpu);
    count_everywhere<u32>(cpu);
    count_everywhere<u64>(cpu);
    mix_sizes(cpu);
    count_pairs<u32>(cpu, {"CMPXCHG8B", pages + 64});
    count_pairs<u32>(cpu, {"CMPXCHG8B across a cache line", pages + 61});
    count_pairs<u32>(cpu, {"CMPXCHG8B across a page", pages + page - 3});
    count_pairs<u64>(cpu, {"CMPXCHG16B", pages + 2 * page - 16});
    const Place locks[] = {{"a lock", pages + 64},
                           {"a lock across a cache line", pages + 62},
                           {"a lock across a page", pages + page - 2}};
    for (const Place& lock : locks) {
        exclude(cpu, lock, false);
        exclude(cpu, lock, true);
    }
    turn_bits(cpu);
    count_in_code(cpu);
    count_in_device(cpu);
}

}  // namespace guest
