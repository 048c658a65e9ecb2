#include "flash_chip.h"

#include <gtest/gtest.h>

#include <numeric>

namespace backplane::firmware {
namespace {

constexpr std::uint32_t block_size = 4096;
constexpr std::uint32_t ready = 0x80, erase_error = 0x20, program_error = 0x10, locked = 0x02;

class FlashChipTest : public ::testing::Test {
protected:
    explicit FlashChipTest(std::uint32_t unit = 1) : array(4 * block_size, std::byte{0xff}) {
        chip.attach(array, block_size, unit);
    }

    void write(std::uint64_t offset, std::initializer_list<std::uint32_t> values) {
        for (const std::uint32_t value : values)
            chip.write(offset, value);
    }
    std::uint32_t status() {
        chip.write(0, 0x70);
        return chip.read(0);
    }

    std::vector<std::byte> array;
    FlashChip chip;
};

class WideFlashChipTest : public FlashChipTest {
protected:
    WideFlashChipTest() : FlashChipTest{2} {}
};

TEST_F(FlashChipTest, ProgrammingOnlyClearsBits) {
    write(0x100, {0x40, 0x5a});
    EXPECT_EQ(chip.mode(), FlashChip::Mode::Status);
    EXPECT_EQ(chip.read(0x100), ready);
    write(0x100, {0x10, 0xf3, 0xff});
    EXPECT_EQ(chip.mode(), FlashChip::Mode::Array);
    EXPECT_EQ(chip.read(0x100), 0x52u);
    EXPECT_TRUE(chip.take_change(0));
    EXPECT_FALSE(chip.take_change(0));
    EXPECT_FALSE(chip.take_change(1));
}

TEST_F(FlashChipTest, ErasesWholeBlocks) {
    array[block_size - 1] = array[block_size] = array[2 * block_size - 1] = array[2 * block_size] =
        std::byte{0};
    write(block_size + 17, {0x20, 0xd0});
    EXPECT_EQ(status(), ready);
    EXPECT_EQ(array[block_size], std::byte{0xff});
    EXPECT_EQ(array[2 * block_size - 1], std::byte{0xff});
    EXPECT_EQ(array[block_size - 1], std::byte{0}) << "its neighbours stay";
    EXPECT_EQ(array[2 * block_size], std::byte{0});
    array[0] = std::byte{0};
    write(0, {0x20, 0x00});
    EXPECT_EQ(status(), ready | erase_error | program_error) << "not confirmed";
    EXPECT_EQ(array[0], std::byte{0});
    chip.write(0, 0x50);
    EXPECT_EQ(status(), ready);
}

TEST_F(FlashChipTest, AnswersAsFirmwareProbesIt) {
    // OVMF tells flash from ROM and RAM by this.
    array[0] = std::byte{0x12};
    chip.write(0, 0x50);
    EXPECT_EQ(chip.read(0), 0x12u);
    chip.write(0, 0x70);
    EXPECT_EQ(chip.read(0), ready);
    chip.write(0, 0xff);
    EXPECT_EQ(chip.read(0), 0x12u);
}

TEST_F(FlashChipTest, IdentifiesItself) {
    chip.write(0, 0x90);
    EXPECT_EQ(chip.read(0), 0x89u);
    EXPECT_EQ(chip.read(1), 0x16u);
    EXPECT_EQ(chip.read(2), 0u);
    write(block_size, {0x60, 0x01, 0x90});
    EXPECT_EQ(chip.read(2), 0u);
    EXPECT_EQ(chip.read(block_size + 2), 1u) << "the lock of that block";
}

TEST_F(FlashChipTest, DescribesItself) {
    chip.write(0x55, 0x98);
    EXPECT_EQ(chip.read(0x10), static_cast<unsigned>('Q'));
    EXPECT_EQ(chip.read(0x12), static_cast<unsigned>('Y'));
    EXPECT_EQ(chip.read(0x13), 1u);
    EXPECT_EQ(chip.read(0x27), 14u) << "16 KiB";
    EXPECT_EQ(chip.read(0x28), 0u) << "x8";
    EXPECT_EQ(chip.read(0x2a), 5u);
    EXPECT_EQ(chip.read(0x2c), 1u);
    EXPECT_EQ(chip.read(0x2d), 3u) << "four blocks";
    EXPECT_EQ(chip.read(0x2f), 16u) << "of 16 times 256 bytes";
    EXPECT_EQ(chip.read(0x31), static_cast<unsigned>('P'));
    EXPECT_EQ(chip.read(0x0f), 0u);
    EXPECT_EQ(chip.read(0x3fff), 0u);
}

TEST_F(FlashChipTest, LocksKeepBlocksUntilAllAreCleared) {
    write(block_size, {0x60, 0x01});
    write(block_size + 5, {0x40, 0});
    EXPECT_EQ(status(), ready | program_error | locked);
    EXPECT_EQ(array[block_size + 5], std::byte{0xff});
    write(0, {0x50});
    write(block_size, {0x20, 0xd0});
    EXPECT_EQ(status(), ready | erase_error | locked);
    write(0, {0x50, 0x40, 0});
    EXPECT_EQ(status(), ready) << "other blocks are free";
    write(3 * block_size, {0x60, 0xd0});
    write(block_size + 5, {0x40, 0});
    EXPECT_EQ(status(), ready);
    EXPECT_EQ(array[block_size + 5], std::byte{0});
    write(0, {0x60, 0x70});
    EXPECT_EQ(status(), ready | erase_error | program_error);
}

TEST_F(FlashChipTest, AProtectedChipChangesNothing) {
    chip.protect();
    write(0, {0x40, 0});
    EXPECT_EQ(status(), ready | program_error | locked);
    write(0, {0x50, 0x60, 0xd0});
    EXPECT_EQ(status(), ready | erase_error | locked);
    write(0, {0x50, 0x20, 0xd0});
    EXPECT_EQ(status(), ready | erase_error | locked);
    EXPECT_EQ(array[0], std::byte{0xff});
}

TEST_F(FlashChipTest, ProgramsABufferAtOnce) {
    chip.write(block_size + 0x40, 0xe8);
    EXPECT_EQ(chip.read(block_size + 0x40), ready) << "there is a buffer";
    chip.write(block_size + 0x40, 3);
    for (const auto& [offset, value] : {std::pair{0, 1}, {1, 2}, {3, 4}, {2, 3}})
        chip.write(block_size + 0x40 + static_cast<unsigned>(offset),
                   static_cast<std::uint32_t>(value));
    EXPECT_EQ(array[block_size + 0x40], std::byte{0xff}) << "not before the confirmation";
    chip.write(block_size, 0xd0);
    EXPECT_EQ(status(), ready);
    for (unsigned i = 0; i < 4; ++i)
        EXPECT_EQ(array[block_size + 0x40 + i], std::byte(i + 1));
    EXPECT_EQ(array[block_size + 0x44], std::byte{0xff});
}

TEST_F(FlashChipTest, RefusesBuffersThatDoNotFit) {
    constexpr std::uint32_t sequence = ready | erase_error | program_error;
    write(0, {0xe8, 32});
    EXPECT_EQ(status(), sequence) << "33 bytes";
    EXPECT_TRUE(chip.is_consistent()) << "a snapshot of it can be restored";
    write(0, {0x50, 0xe8, 0xffffffff});
    EXPECT_EQ(status(), sequence);
    write(0, {0x50, 0xe8, 1, 0x11});
    chip.write(32, 0x22);
    EXPECT_EQ(status(), sequence) << "the second byte lies outside the buffer";
    write(0, {0x50});
    write(block_size - 1, {0xe8, 1, 0x11});
    chip.write(block_size, 0x22);
    EXPECT_EQ(status(), sequence) << "in another block";
    write(0, {0x50, 0xe8, 0, 0x11, 0x00});
    EXPECT_EQ(status(), sequence) << "not confirmed";
    EXPECT_EQ(array[0], std::byte{0xff});
    write(4 * block_size - 1, {0x50, 0xe8, 0, 0x11, 0xd0});
    EXPECT_EQ(status(), ready);
    EXPECT_EQ(array.back(), std::byte{0x11}) << "the very last byte";
}

TEST_F(FlashChipTest, ConfirmationsAndSuspensionsOfNothingChangeNothing) {
    const auto before = array;
    write(0, {0xd0, 0x00, 0x12, 0xb8, 0x02, 0xff});
    EXPECT_EQ(chip.mode(), FlashChip::Mode::Array);
    write(0, {0xb0});
    EXPECT_EQ(chip.read(0), ready);
    write(0, {0xd0, 0xc0, 0x12});
    EXPECT_EQ(status(), ready | program_error | locked) << "the protection register is locked";
    EXPECT_EQ(array, before);
}

TEST_F(FlashChipTest, AResetShowsTheArray) {
    write(0, {0x20, 0x00, 0xe8});
    chip.reset();
    EXPECT_EQ(chip.mode(), FlashChip::Mode::Array);
    EXPECT_EQ(status(), ready);
}

TEST_F(WideFlashChipTest, AddressesWords) {
    chip.write(2 * 0x55, 0x98);
    EXPECT_EQ(chip.read(2 * 0x10), static_cast<unsigned>('Q'));
    EXPECT_EQ(chip.read(2 * 0x28), 1u) << "x16";
    chip.write(0, 0x90);
    EXPECT_EQ(chip.read(2), 0x16u);
    write(0x200, {0x40, 0x1234, 0xff});
    EXPECT_EQ(chip.read(0x200), 0x1234u);
    EXPECT_EQ(array[0x201], std::byte{0x12});
    write(0, {0xe8, 15});
    for (std::uint32_t word = 0; word < 16; ++word)
        chip.write(word * 2, 0xa000 + word);
    write(0, {0xd0, 0xff});
    EXPECT_EQ(chip.read(30), 0xa00fu);
}

}  // namespace
}  // namespace backplane::firmware
