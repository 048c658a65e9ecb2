// Loads and stores.
#include "program.h"

#include <stdlib.h>
#include <string.h>

// One random cycle through 8 MiB: more than a TLB and most caches hold.
uint64_t pointers(void) {
    enum { count = 1 << 17 };
    struct Node {
        struct Node* next;
        uint64_t value, unused[6];
    };
    struct Node* nodes = malloc(count * sizeof *nodes);
    uint32_t* order = malloc(count * sizeof *order);
    uint64_t state = 1;
    for (uint32_t i = 0; i < count; ++i)
        order[i] = i;
    for (uint32_t i = count - 1; i > 0; --i) {
        const uint32_t other = next_random(&state) % (i + 1), kept = order[i];
        order[i] = order[other];
        order[other] = kept;
    }
    for (uint32_t i = 0; i < count; ++i) {
        nodes[order[i]].next = &nodes[order[(i + 1) % count]];
        nodes[order[i]].value = i;
    }
    const struct Node* at = nodes;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < 8000000; ++i) {
        sum += at->value;
        at = at->next;
    }
    sum = combine(sum, at->value);
    free(order);
    free(nodes);
    return sum;
}

// REP MOVS and STOS in all widths, long and short, aligned and not.
uint64_t rep_strings(void) {
    enum { size = 1 << 16 };
    static uint8_t from[size + 64], to[size + 64];
    uint64_t sum = 0;
    for (uint32_t i = 0; i < sizeof from; ++i)
        from[i] = (uint8_t)(i * 13);
    for (uint32_t i = 0; i < 300000; ++i) {
        // One in 64 is long; the others are what structures and short strings take.
        const size_t bytes = i % 64 == 0 ? size - i % 1000 : i % 300;
        void *source = from + i % 16, *target = to + i / 16 % 16;
        size_t count = bytes;
        asm volatile("rep movsb" : "+D"(target), "+S"(source), "+c"(count) : : "memory");
        target = to + 8, count = bytes / 8;
        asm volatile("rep stosq" : "+D"(target), "+c"(count) : "a"(sum) : "memory");
        source = from + 3, target = to + 5, count = bytes / 4;
        asm volatile("rep movsl" : "+D"(target), "+S"(source), "+c"(count) : : "memory");
        sum = combine(sum, to[bytes / 2] + ((uint64_t)to[bytes / 3] << 8));
    }
    return combine(sum, checksum(to, sizeof to));
}

// The C library's functions, of which the compiler must not know what they do.
static void* (*volatile copy)(void*, const void*, size_t) = memcpy;
static void* (*volatile fill)(void*, int, size_t) = memset;
static int (*volatile compare)(const void*, const void*, size_t) = memcmp;
static size_t (*volatile length)(const char*) = strlen;
static int (*volatile order)(const char*, const char*) = strcmp;

uint64_t libc_strings(void) {
    enum { size = 1 << 14 };
    static char text[size + 1], other[size + 1];
    uint64_t state = 1, sum = 0;
    for (int i = 0; i < size; ++i)
        text[i] = (char)('a' + next_random(&state) % 26);
    for (uint32_t i = 0; i < 250000; ++i) {
        const size_t at = next_random(&state) % (size / 2),
                     bytes = i % 32 == 0 ? size / 2 : i % 200;
        copy(other + at / 2, text + at, bytes);
        other[at / 2 + bytes] = 0;
        sum += length(other + at / 2) + (size_t)(strchr(text + at, 'z') - text);
        sum += compare(other + at / 2, text + at, bytes) == 0 ? 1 : 1000;
        sum += order(other + at / 2, text + at) < 0 ? 3 : 5;
        if (i % 16 == 0) fill(other, 'a' + (int)(i % 26), bytes);
    }
    return combine(sum, checksum(other, sizeof other));
}

static int compare_keys(const void* left, const void* right) {
    const uint64_t a = *(const uint64_t*)left, b = *(const uint64_t*)right;
    return (a > b) - (a < b);
}

uint64_t sort(void) {
    enum { count = 100000 };
    uint64_t* keys = malloc(count * sizeof *keys);
    uint64_t state = 1, sum = 0;
    for (int round = 0; round < 16; ++round) {
        for (int i = 0; i < count; ++i)
            keys[i] = next_random(&state);
        qsort(keys, count, sizeof *keys, compare_keys);
        sum = combine(sum, checksum(keys, count * sizeof *keys));
    }
    free(keys);
    return sum;
}
