// Whole numbers in registers.
#include "program.h"

#include <string.h>

// What compilers make of everyday arithmetic: every width, shifts, multiplications, divisions,
// conditional moves.
uint64_t alu(void) {
    uint64_t a = 3, sum = 0;
    for (uint32_t i = 0; i < 200000000; ++i) {
        const uint64_t r = combine(i, 0);
        const uint32_t low = (uint32_t)r * 0x01000193u ^ (uint32_t)(r >> 32);
        const int16_t narrow = (int16_t)(low - (uint16_t)i);
        a ^= (uint64_t)(int64_t)narrow << 9;
        a += r >> 7 | r << 57;
        sum += a > r ? a - r : low & 0xff;
        if (i % 8 == 0) sum ^= a / (low | 1) + (uint32_t)a % 1000003;
    }
    return combine(sum, a);
}

// Locked instructions, with nobody to contend with.
uint64_t atomics(void) {
    static uint64_t counter, word, flag;
    uint64_t sum = 0;
    for (uint64_t i = 0; i < 30000000; ++i) {
        while (__atomic_exchange_n(&flag, 1, __ATOMIC_ACQUIRE)) {
        }
        sum += __atomic_fetch_add(&counter, i, __ATOMIC_RELAXED);
        uint64_t expected = word;
        if (__atomic_compare_exchange_n(&word, &expected, sum ^ i, 0, __ATOMIC_SEQ_CST,
                                        __ATOMIC_RELAXED))
            ++sum;
        __atomic_fetch_or(&counter, i & 0xff, __ATOMIC_RELAXED);
        __atomic_store_n(&flag, 0, __ATOMIC_RELEASE);
    }
    return combine(sum, word);
}

static uint32_t rotate(uint32_t value, int count) { return value >> count | value << (32 - count); }

// FIPS 180-4 section 6.2; the constants are computed as it defines them.
static void sha256_block(uint32_t hash[8], const uint32_t constants[64], const uint8_t* data) {
    uint32_t w[64], s[8];
    for (int i = 0; i < 16; ++i) {
        memcpy(&w[i], data + i * 4, 4);
        w[i] = __builtin_bswap32(w[i]);
    }
    for (int i = 16; i < 64; ++i) {
        const uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
        const uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    memcpy(s, hash, sizeof s);
    for (int i = 0; i < 64; ++i) {
        const uint32_t s1 = rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25);
        const uint32_t t1 = s[7] + s1 + ((s[4] & s[5]) ^ (~s[4] & s[6])) + constants[i] + w[i];
        const uint32_t s0 = rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22);
        const uint32_t t2 = s0 + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        s[7] = s[6], s[6] = s[5], s[5] = s[4], s[4] = s[3] + t1;
        s[3] = s[2], s[2] = s[1], s[1] = s[0], s[0] = t1 + t2;
    }
    for (int i = 0; i < 8; ++i)
        hash[i] += s[i];
}

// The first 32 bits behind the point of the square or cube root of a number, found by bisection.
static uint32_t root_fraction(unsigned number, int degree) {
    unsigned __int128 low = 0, high = (unsigned __int128)1 << 37;
    while (high - low > 1) {
        const unsigned __int128 middle = (low + high) / 2;
        const unsigned __int128 power = degree == 2 ? middle * middle : middle * middle * middle;
        if (power > (unsigned __int128)number << 32 * degree)
            high = middle;
        else
            low = middle;
    }
    return (uint32_t)low;
}

uint64_t sha256(void) {
    enum { size = 1 << 16 };
    static uint8_t data[size];
    uint32_t constants[64], hash[8];
    int count = 0;
    for (unsigned number = 2; count < 64; ++number) {
        int is_prime = 1;
        for (unsigned divisor = 2; divisor * divisor <= number; ++divisor)
            is_prime &= number % divisor != 0;
        if (!is_prime) continue;
        constants[count] = root_fraction(number, 3);
        if (count < 8) hash[count] = root_fraction(number, 2);
        ++count;
    }
    for (int i = 0; i < size; ++i)
        data[i] = (uint8_t)(i * 7 + (i >> 8));
    for (int round = 0; round < 500; ++round)
        for (int at = 0; at < size; at += 64)
            sha256_block(hash, constants, data + at);
    return checksum(hash, sizeof hash);
}

// The reflected CRC of Ethernet, by the byte.
uint64_t crc32(void) {
    uint32_t table[256], crc = ~0u;
    for (uint32_t i = 0; i < 256; ++i) {
        table[i] = i;
        for (int bit = 0; bit < 8; ++bit)
            table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xEDB88320 : 0);
    }
    static uint8_t data[1 << 16];
    for (size_t i = 0; i < sizeof data; ++i)
        data[i] = (uint8_t)(i * i >> 5);
    for (int round = 0; round < 1500; ++round)
        for (size_t i = 0; i < sizeof data; ++i)
            crc = crc >> 8 ^ table[(crc ^ data[i]) & 0xff];
    return ~crc;
}
