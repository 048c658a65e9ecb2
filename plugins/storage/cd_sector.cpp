#include "cd_sector.h"

#include <algorithm>

namespace backplane::storage {

namespace {

constexpr std::uint8_t to_bcd(unsigned value) {
    return static_cast<std::uint8_t>(value / 10 << 4 | value % 10);
}

// The error detection code: a CRC with x^32 + x^31 + x^16 + x^15 + x^4 + x^3 + x + 1, low bit
// first. (ECMA-130, 14.3)
constexpr std::array<std::uint32_t, 256> detection_table = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t index = 0; index < 256; ++index) {
        std::uint32_t value = index;
        for (int bit = 0; bit < 8; ++bit)
            value = value >> 1 ^ ((value & 1) != 0 ? 0xd8018001u : 0u);
        table[index] = value;
    }
    return table;
}();

std::uint32_t detection_code(std::span<const std::uint8_t> bytes) {
    std::uint32_t code = 0;
    for (const std::uint8_t byte : bytes)
        code = code >> 8 ^ detection_table[(code ^ byte) & 0xff];
    return code;
}

// Multiplication by x in GF(2^8) with x^8 + x^4 + x^3 + x^2 + 1. (ECMA-130, annex A)
constexpr std::uint8_t times_x(std::uint8_t value) {
    return static_cast<std::uint8_t>(value << 1 ^ ((value & 0x80) != 0 ? 0x1d : 0));
}

// What times x, plus itself, gives the index.
constexpr std::array<std::uint8_t, 256> divided_by_x_plus_1 = [] {
    std::array<std::uint8_t, 256> table{};
    for (unsigned value = 0; value < 256; ++value)
        table[value ^ times_x(static_cast<std::uint8_t>(value))] = static_cast<std::uint8_t>(value);
    return table;
}();

// A Reed-Solomon product code over the header, the data and the detection code: each of `columns`
// code words takes `length` bytes that lie `step` apart, and adds two at `parity`. A column starts
// at every second byte of a row of `row`, modulo the whole. (ECMA-130, annex A)
void add_parity(std::span<const std::uint8_t> bytes, std::span<std::uint8_t> parity,
                unsigned columns, unsigned length, unsigned row, unsigned step) {
    const auto whole = static_cast<unsigned>(columns * length);
    for (unsigned column = 0; column < columns; ++column) {
        unsigned at = (column >> 1) * row + (column & 1);
        std::uint8_t weighted = 0, sum = 0;
        for (unsigned index = 0; index < length; ++index) {
            const std::uint8_t byte = bytes[at];
            at += step;
            if (at >= whole) at -= whole;
            weighted = times_x(weighted ^ byte);
            sum ^= byte;
        }
        weighted = divided_by_x_plus_1[times_x(weighted) ^ sum];
        parity[column] = weighted;
        parity[column + columns] = weighted ^ sum;
    }
}

}  // namespace

CdAddress CdAddress::of_block(std::uint32_t block) {
    const std::uint32_t frames = std::min(block, most_blocks - 1) + lead_in;
    return {static_cast<std::uint8_t>(frames / 75 / 60),
            static_cast<std::uint8_t>(frames / 75 % 60), static_cast<std::uint8_t>(frames % 75)};
}

void complete_cd_sector(std::span<std::uint8_t, CdSector::size> sector, std::uint32_t block) {
    // Sync, then the address and the mode.
    std::fill_n(sector.begin(), CdSector::header, std::uint8_t{0xff});
    sector[0] = sector[11] = 0x00;
    const CdAddress address = CdAddress::of_block(block);
    sector[12] = to_bcd(address.minute);
    sector[13] = to_bcd(address.second);
    sector[14] = to_bcd(address.frame);
    sector[15] = 1;

    const std::uint32_t code = detection_code(sector.first(CdSector::codes));
    for (unsigned byte = 0; byte < 4; ++byte)
        sector[CdSector::codes + byte] = static_cast<std::uint8_t>(code >> (byte * 8));
    std::fill_n(sector.begin() + CdSector::codes + 4, 8, std::uint8_t{0});
    const auto covered = sector.subspan(CdSector::header);
    constexpr std::size_t p_parity = 2076, q_parity = 2248;
    add_parity(covered, sector.subspan(p_parity, 172), 86, 24, 2, 86);
    add_parity(covered, sector.subspan(q_parity, 104), 52, 43, 86, 88);
}

}  // namespace backplane::storage
