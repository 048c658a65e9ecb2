// The file of a recording: a header, and records one after the other, each with its length and a
// checksum. A file whose writer was killed ends within a record, which is ignored. All numbers have
// their lowest byte first.
#pragma once

#include <array>
#include <cstdint>

namespace backplane::profile::format {

constexpr std::array<char, 12> magic{'B', 'a', 'c', 'k', 'p', 'l', 'a', 'n', 'e', 'P', 'r', 'f'};
constexpr std::uint32_t version = 1;
constexpr std::size_t header_bytes = magic.size() + sizeof version;

enum class Record : std::uint32_t {
    Settings = 1,  // JSON
    Samples,
    Code,
    Blocks,
    Markers,
    End,
    Statistics = 32,  // behind the end
};

// In front of each record's bytes.
struct RecordHeader {
    std::uint32_t type, length, checksum;  // CRC-32 of the bytes
};
constexpr std::uint32_t longest_record = 1u << 28;

}  // namespace backplane::profile::format
