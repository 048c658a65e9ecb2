// What the programs of tools/bench/programs share: each is a function that does a fixed amount of
// work and gives a checksum of it. Integers alone, or floating point that rounds the same on every
// processor: no approximations such as RSQRTPS, no mathematical functions.
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef uint64_t Program(void);

// integer.c
Program alu, atomics, sha256, crc32;
// memory.c
Program pointers, rep_strings, libc_strings, sort;
// floating.c
Program scalar_double, packed_float, packed_double, packed_integer, x87, matrix;
// control.c
Program recursion, indirect_calls, bytecode, rewritten_code, protected_code;
// lexer.c
Program state_machine;
// system.c
Program system_calls, page_faults, context_switches, forks, signals;

// Sebastiano Vigna's xorshift64*: numbers that no compiler and no branch predictor foresees.
static inline uint64_t next_random(uint64_t* state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545F4914F6CDD1D;
}

static inline uint64_t combine(uint64_t sum, uint64_t value) {
    sum = (sum ^ value) * 0x9E3779B97F4A7C15;
    return sum ^ sum >> 29;
}

uint64_t checksum(const void* data, size_t size);

// Ends the process when something that a program takes for granted fails.
void require(int condition, const char* what);
