// What the guest writes, as a function of the disk's seed and of a number that counts up. The
// script pulled_plug.py has the same in Python.
//
// A disk of the test begins with a label, then come blocks for records, then a partition with ext4.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace pulled_plug {

inline constexpr std::uint64_t block_size = 4096, first_block = 256, blocks = 8192;

// In the boot sector, in front of the partition table.
struct Label {
    std::array<char, 16> magic;
    std::array<char, 32> name;  // ends with a zero
    std::uint64_t seed;
};
inline constexpr std::uint64_t label_offset = 256;
inline constexpr std::array<char, 16> label_magic{'b', 'a', 'c', 'k', 'p', 'l', 'a',
                                                  'n', 'e', ' ', 'p', 'l', 'u', 'g'};

// splitmix64
inline std::uint64_t mix(std::uint64_t seed, std::uint64_t number) {
    std::uint64_t value = seed + number * 0x9e3779b97f4a7c15;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    return value ^ (value >> 31);
}

enum class Kind : std::uint8_t { Zeroes, Direct, Buffered };

struct Record {
    std::uint64_t block, count;
    Kind kind;
};

inline Record record(std::uint64_t seed, std::uint64_t number) {
    const std::uint64_t random = mix(seed, number);
    const std::uint64_t block = random % blocks;
    const std::uint64_t most = (random >> 40) % 8 == 0 ? 64 : 8;
    const std::uint64_t kind = (random >> 50) % 16;
    return {block, std::min(1 + (random >> 20) % most, blocks - block),
            kind == 0  ? Kind::Zeroes
            : kind < 8 ? Kind::Direct
                       : Kind::Buffered};
}

// Of which a block of a record consists; it is never zero.
inline std::uint64_t block_word(std::uint64_t number, std::uint64_t block) {
    return number << 20 | block;
}

inline std::uint64_t file_words(std::uint64_t seed, std::uint64_t number) {
    return 1 + mix(~seed, number) % 16384;
}

}  // namespace pulled_plug
