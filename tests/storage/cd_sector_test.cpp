// The codes of a CD sector, checked as a decoder would: what they cover must come out as zero.
// (ECMA-130, 14.3 and annex A)
#include "cd_sector.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <vector>

namespace backplane::storage {
namespace {

std::uint8_t multiply(std::uint8_t a, std::uint8_t b) {
    unsigned product = 0;
    for (int bit = 0; bit < 8; ++bit)
        if ((b >> bit & 1) != 0) product ^= unsigned{a} << bit;
    for (int bit = 14; bit >= 8; --bit)
        if ((product >> bit & 1) != 0) product ^= 0x11du << (bit - 8);
    return static_cast<std::uint8_t>(product);
}

// Both syndromes of a code word of RS(n, n - 2).
bool is_code_word(const std::vector<std::uint8_t>& word) {
    std::uint8_t sum = 0, weighted = 0;
    for (const std::uint8_t byte : word) {
        sum ^= byte;
        weighted = multiply(weighted, 2) ^ byte;
    }
    return sum == 0 && weighted == 0;
}

std::array<std::uint8_t, CdSector::size> random_sector(std::uint32_t block) {
    std::mt19937 random{block};
    std::array<std::uint8_t, CdSector::size> sector{};
    for (std::size_t at = CdSector::data; at < CdSector::codes; ++at)
        sector[at] = static_cast<std::uint8_t>(random());
    complete_cd_sector(sector, block);
    return sector;
}

TEST(CdSectorTest, TheHeaderHasTheTime) {
    const auto sector = random_sector(4500 * 7 + 75 * 12 + 34);
    EXPECT_EQ(sector[0], 0);
    EXPECT_EQ(sector[1], 0xff);
    EXPECT_EQ(sector[11], 0);
    EXPECT_EQ(sector[12], 0x07);
    EXPECT_EQ(sector[13], 0x14);
    EXPECT_EQ(sector[14], 0x34);
    EXPECT_EQ(sector[15], 1);
}

TEST(CdSectorTest, TheDetectionCodeLeavesNoRemainder) {
    const auto sector = random_sector(99);
    std::uint32_t remainder = 0;
    for (std::size_t at = 0; at < CdSector::codes + 4; ++at)
        for (int bit = 0; bit < 8; ++bit) {
            const bool feedback = ((remainder ^ sector[at] >> bit) & 1) != 0;
            remainder = remainder >> 1 ^ (feedback ? 0xd8018001u : 0);
        }
    EXPECT_EQ(remainder, 0u);
    for (std::size_t at = 2068; at < 2076; ++at)
        EXPECT_EQ(sector[at], 0);
}

// Words of 16 bits from the header on; each half is coded by itself.
TEST(CdSectorTest, EveryPAndQVectorIsACodeWord) {
    const auto sector = random_sector(12345);
    const auto byte = [&](unsigned word, unsigned half) {
        return sector[CdSector::header + word * 2 + half];
    };
    for (unsigned half = 0; half < 2; ++half) {
        for (unsigned p = 0; p < 43; ++p) {
            std::vector<std::uint8_t> word;
            for (unsigned row = 0; row < 26; ++row)
                word.push_back(byte(43 * row + p, half));
            EXPECT_TRUE(is_code_word(word)) << "P " << p;
        }
        for (unsigned q = 0; q < 26; ++q) {
            std::vector<std::uint8_t> word;
            for (unsigned column = 0; column < 43; ++column)
                word.push_back(byte((44 * column + 43 * q) % 1118, half));
            word.push_back(byte(1118 + q, half));
            word.push_back(byte(1118 + 26 + q, half));
            EXPECT_TRUE(is_code_word(word)) << "Q " << q;
        }
    }
}

}  // namespace
}  // namespace backplane::storage
