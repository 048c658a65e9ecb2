// What the kernels compute, in C++: the checksum for any number of iterations, from no engine.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace backplane::bench {

// The constants are those of the 64-bit kernels; the 32-bit ones have their low halves.
inline constexpr std::uint64_t start_value = 0x123456789abcdef0, addend = 0x9e3779b97f4a7c15;

template <class Word> std::uint64_t alu(std::uint64_t iterations) {
    auto sum = static_cast<Word>(start_value);
    while (iterations-- != 0) {
        sum += static_cast<Word>(addend);
        sum ^= sum >> 13;
        sum <<= 1;
    }
    return sum;
}

template <class Word> std::uint64_t branch_predicted(std::uint64_t iterations) {
    auto sum = static_cast<Word>(start_value);
    while (iterations-- != 0) {
        sum += static_cast<Word>(addend);
        sum ^= static_cast<Word>(addend);
        sum = (sum << 1) + 1;
    }
    return sum;
}

template <class Word> std::uint64_t branch_unpredicted(std::uint64_t iterations) {
    constexpr std::uint64_t first_sum = 0x0f0e0d0c0b0a0908;
    auto random = static_cast<Word>(start_value), sum = static_cast<Word>(first_sum);
    while (iterations-- != 0) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        sum = (random & 1) != 0 ? sum + random : sum ^ random;
    }
    return sum;
}

template <class Word, std::size_t Stride> std::uint64_t memory(std::uint64_t iterations) {
    constexpr std::uint64_t first_sum = 0x0123456789abcdef;
    constexpr std::size_t buffer_bytes = 4096;
    std::array<Word, buffer_bytes / sizeof(Word)> buffer{};
    auto sum = static_cast<Word>(first_sum);
    for (std::size_t offset = 0; iterations-- != 0; offset = (offset + Stride) % buffer_bytes) {
        Word& word = buffer[offset / sizeof(Word)];
        sum += word;
        word ^= sum;
    }
    return sum;
}

template <class Word> std::uint64_t call_and_return(std::uint64_t iterations) {
    constexpr std::uint64_t first_sum = 0xfeedfacecafebeef, mask = 0x1f123bb5;
    auto sum = static_cast<Word>(first_sum);
    while (iterations-- != 0) {
        sum += static_cast<Word>(addend);
        sum ^= static_cast<Word>(mask);
        sum <<= 3;
    }
    return sum;
}

}  // namespace backplane::bench
