// Calls, jumps, and code that changes.
#include "program.h"

#include <string.h>
#include <sys/mman.h>

static __attribute__((noinline)) uint64_t fibonacci(uint64_t n) {
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

uint64_t recursion(void) { return fibonacci(38); }

// Calls through a table, of a function that the last result chooses.
#define OPERATION(name, expression)                                                                \
    static uint64_t name(uint64_t x, uint64_t y) { return expression; }
OPERATION(add, x + y)
OPERATION(subtract, x - y)
OPERATION(exclusive, x ^ y)
OPERATION(multiply, (y | 1) * x)
OPERATION(turn, (x << 13 | x >> 51) + y)
OPERATION(keep_bits, (y | 0xff) & x)
OPERATION(negate, -x ^ y)
OPERATION(swap, __builtin_bswap64(x) + y)

uint64_t indirect_calls(void) {
    static uint64_t (*const volatile operations[])(uint64_t, uint64_t) = {
        add, subtract, exclusive, multiply, turn, keep_bits, negate, swap};
    uint64_t state = 1, x = 0;
    for (uint32_t i = 0; i < 25000000; ++i) {
        const uint64_t random = next_random(&state);
        x = operations[(x ^ random >> 40) % 8](x, random);
    }
    return x;
}

// An interpreter whose operations jump to each other: it computes the longest of the Collatz
// sequences.
uint64_t bytecode(void) {
    // clang-format off
    enum {
        set, copy, add_one, triple_and_one, halve, jump_if_odd, jump_if_not_one, jump_if_less, jump,
        keep_larger, end
    };
    enum { number, n, steps, longest, limit };
    static const uint32_t code[] = {
        /*  0 */ set, number, 1,
        /*  3 */ set, limit, 120000,
        /*  6 */ copy, n, number,
        /*  9 */ set, steps, 0,
        /* 12 */ jump_if_odd, n, 19,
        /* 15 */ halve, n,
        /* 17 */ jump, 21,
        /* 19 */ triple_and_one, n,
        /* 21 */ add_one, steps,
        /* 23 */ jump_if_not_one, n, 12,
        /* 26 */ keep_larger, longest, steps,
        /* 29 */ add_one, number,
        /* 31 */ jump_if_less, number, limit, 6,
        /* 35 */ end};
    static const void* const labels[] = {
        &&set, &&copy, &&add_one, &&triple_and_one, &&halve, &&jump_if_odd, &&jump_if_not_one,
        &&jump_if_less, &&jump, &&keep_larger, &&end};
    // clang-format on
    uint64_t values[8] = {0};
    const uint32_t* at = code;
#define NEXT goto* labels[*at]
    NEXT;
set:
    values[at[1]] = at[2], at += 3;
    NEXT;
copy:
    values[at[1]] = values[at[2]], at += 3;
    NEXT;
add_one:
    ++values[at[1]], at += 2;
    NEXT;
triple_and_one:
    values[at[1]] = values[at[1]] * 3 + 1, at += 2;
    NEXT;
halve:
    values[at[1]] >>= 1, at += 2;
    NEXT;
jump_if_odd:
    at = values[at[1]] & 1 ? code + at[2] : at + 3;
    NEXT;
jump_if_not_one:
    at = values[at[1]] != 1 ? code + at[2] : at + 3;
    NEXT;
jump_if_less:
    at = values[at[1]] < values[at[2]] ? code + at[3] : at + 4;
    NEXT;
jump:
    at = code + at[1];
    NEXT;
keep_larger:
    if (values[at[1]] < values[at[2]]) values[at[1]] = values[at[2]];
    at += 3;
    NEXT;
end:
    return combine(values[longest], values[number]);
}

// A function that adds two numbers to its argument, both of which are part of its code.
typedef uint64_t Adder(uint64_t);

static void write_adder(uint8_t* code, uint32_t first, uint32_t second) {
    static const uint8_t instructions[] = {
        0x48, 0x8d, 0x87, 0, 0, 0, 0,  // lea rax, [rdi + first]
        0x48, 0x05, 0,    0, 0, 0,     // add rax, second
        0xc3,                          // ret
    };
    memcpy(code, instructions, sizeof instructions);
    memcpy(code + 3, &first, 4);
    memcpy(code + 9, &second, 4);
}

static uint8_t* map_code(int protection) {
    uint8_t* code = mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    require(code != MAP_FAILED, "mmap");
    return code;
}

// What a JIT compiler's patches are: a number within code is replaced, and the code runs some more
// times.
uint64_t rewritten_code(void) {
    uint8_t* code = map_code(PROT_READ | PROT_WRITE | PROT_EXEC);
    write_adder(code, 0, 0);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < 120000; ++i) {
        *(volatile uint32_t*)(code + 3) = i & 0xffffff;
        for (int call = 0; call < 10; ++call)
            sum = ((Adder*)code)(sum);
    }
    munmap(code, 4096);
    return sum;
}

// Likewise, but whole functions are written anew, in a page that is either writable or executable.
uint64_t protected_code(void) {
    uint8_t* code = map_code(PROT_READ | PROT_WRITE);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < 1000; ++i) {
        require(mprotect(code, 4096, PROT_READ | PROT_WRITE) == 0, "mprotect");
        for (uint32_t at = 0; at < 4096; at += 64)
            write_adder(code + at, i, at);
        require(mprotect(code, 4096, PROT_READ | PROT_EXEC) == 0, "mprotect");
        for (uint32_t at = 0; at < 4096; at += 64)
            sum = ((Adder*)(code + at))(sum) * 3;
    }
    munmap(code, 4096);
    return sum;
}
