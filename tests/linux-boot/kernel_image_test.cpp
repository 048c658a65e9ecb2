#include "kernel_image.h"
#include "synthetic_kernel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace backplane::linux_boot {
namespace {

using ::testing::HasSubstr;
using testing::synthetic_kernel;

std::string refusal(std::vector<std::byte> file) {
    const auto image = KernelImage::parse(std::move(file));
    return image ? "accepted" : image.error();
}

template <class T>
std::string refusal_with(std::size_t offset, T value) {
    auto file = synthetic_kernel();
    store(std::span{file}, offset, value);
    return refusal(std::move(file));
}

TEST(KernelImage, GivesTheHeaderFieldsAndThePayload) {
    const auto file = synthetic_kernel();
    const auto image = KernelImage::parse(file);
    ASSERT_TRUE(image) << image.error();
    EXPECT_TRUE(image->is_relocatable());
    EXPECT_EQ(image->preferred_address(), 0x1000000u);
    EXPECT_EQ(image->memory_needed(), 0x200000u);
    EXPECT_EQ(image->initrd_limit(), 0x7fffffffu);
    EXPECT_EQ(image->command_line_limit(), 2047u);
    EXPECT_TRUE(std::ranges::equal(image->payload(), std::span{file}.subspan(1024)));
    EXPECT_TRUE(
        std::ranges::equal(image->setup_header(),
                           std::span{file}.subspan(0x1f1, boot_params::setup_header_end - 0x1f1)));
}

TEST(KernelImage, CountsFourSetupSectorsWhereTheHeaderSaysZero) {
    auto file = synthetic_kernel();
    store(std::span{file}, boot_params::setup_sectors, std::uint8_t{0});
    store(std::span{file}, boot_params::payload_paragraphs, std::uint32_t{0x400});
    const auto image = KernelImage::parse(file);
    ASSERT_TRUE(image) << image.error();
    EXPECT_EQ(image->payload().size(), file.size() - 5 * 512);
}

TEST(KernelImage, RefusesFilesOfOtherKindsByName) {
    EXPECT_THAT(refusal({}), HasSubstr("is not a bzImage: 0 bytes hold no setup header"));
    EXPECT_THAT(refusal(std::vector<std::byte>(4096)),
                HasSubstr("is not a bzImage: the signature \"HdrS\" is missing at offset 0x202"));
    EXPECT_THAT(refusal_with(0, std::uint32_t{0x464c457f}),
                HasSubstr("is an ELF file, not a bzImage"));
    EXPECT_THAT(refusal_with(0, std::uint16_t{0x8b1f}), HasSubstr("is gzip-compressed"));
    EXPECT_THAT(refusal_with(boot_params::boot_flag, std::uint16_t{0}),
                HasSubstr("is not a bzImage"));
}

TEST(KernelImage, RefusesWhatTheProtocolCannotStart) {
    EXPECT_THAT(refusal_with(boot_params::version, std::uint16_t{0x0209}),
                HasSubstr("is too old: it has boot protocol 2.09, but at least 2.10 is needed"));
    EXPECT_THAT(refusal_with(boot_params::version, std::uint16_t{0x0204}), HasSubstr("2.04"));
    EXPECT_THAT(refusal_with(boot_params::load_flags, std::uint8_t{0}), HasSubstr("is a zImage"));
    EXPECT_THAT(refusal_with(boot_params::kernel_alignment, std::uint32_t{0x300000}),
                HasSubstr("is damaged: its alignment"));
    EXPECT_THAT(refusal_with(boot_params::kernel_alignment, std::uint32_t{0}),
                HasSubstr("is damaged: its alignment"));
}

TEST(KernelImage, KnowsKernelsWithoutALongModeEntry) {
    auto file = synthetic_kernel();
    EXPECT_TRUE(KernelImage::parse(file)->has_entry_64());
    store(std::span{file}, boot_params::extended_load_flags, std::uint16_t{0x7e});
    EXPECT_FALSE(KernelImage::parse(file)->has_entry_64());
    // Before 2.12 the field has another meaning.
    file = synthetic_kernel();
    store(std::span{file}, boot_params::version, std::uint16_t{0x020b});
    EXPECT_FALSE(KernelImage::parse(file)->has_entry_64());
}

TEST(KernelImage, RefusesEveryTruncationOfAKernel) {
    const auto file = synthetic_kernel();
    for (const std::size_t size :
         {file.size() - 1, std::size_t{1024 + 0x200}, std::size_t{1024}, std::size_t{700}}) {
        EXPECT_THAT(refusal({file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size)}),
                    HasSubstr("is truncated: " + std::to_string(size) +
                              " bytes, but its header tells of " + std::to_string(file.size())));
    }
    EXPECT_THAT(refusal({file.begin(), file.begin() + 600}), HasSubstr("is not a bzImage"));
}

// The parser reads what a stranger wrote, so no header may lead it out of the file.
TEST(KernelImage, SurvivesAnyByteAnywhereInTheHeader) {
    const auto file = synthetic_kernel();
    for (std::size_t offset = 0x1f1; offset < boot_params::setup_header_end; ++offset) {
        for (const std::uint8_t value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
            auto spoilt = file;
            spoilt[offset] = std::byte(value);
            const auto image = KernelImage::parse(std::move(spoilt));
            if (!image) continue;
            EXPECT_GE(image->setup_header().size(), boot_params::setup_header_end - 0x1f1);
            EXPECT_LE(image->payload().size(), file.size());
            EXPECT_GE(image->memory_needed(), image->payload().size());
        }
    }
}

}  // namespace
}  // namespace backplane::linux_boot
