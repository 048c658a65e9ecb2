// The kernels are the published ones: code of these sizes, these checksums and counts.
#include "bench/kernel.h"

#include <gtest/gtest.h>

#include <string>

namespace backplane::bench {
namespace {

struct Published {
    const char* name;
    std::size_t bytes;
    std::uint64_t checksum, instructions;  // of 10 000 iterations
};

constexpr Published published[]{
    {"alu64", 42, 0xf935f9482b8f99b8, 70003},
    {"branch_pred64", 49, 0xd7ab5d5aaad6afab, 100003},
    {"branch_unpred64", 78, 0xdf14f128b035d3f0, 160004},
    {"mem_seq64", 44, 0xb744761306865560, 80003},
    {"mem_stride64", 44, 0xd8d5ee9d0da7ebb4, 80003},
    {"call_ret64", 49, 0x0209be0771df5500, 110003},
    {"alu32", 25, 0x30aae0b8, 70003},
    {"branch_pred32", 31, 0xaad6afab, 100003},
    {"branch_unpred32", 52, 0xb1fdf341, 160004},
    {"mem_seq32", 30, 0x0cc50aff, 80003},
    {"mem_stride32", 30, 0x0da7ebb4, 80003},
    {"call_ret32", 34, 0x71df5500, 110003},
};

TEST(Kernels, AreThePublishedOnes) {
    ASSERT_EQ(kernels().size(), std::size(published));
    for (std::size_t i = 0; i < std::size(published); ++i) {
        const Kernel& kernel = kernels()[i];
        EXPECT_EQ(kernel.name, published[i].name);
        EXPECT_EQ(kernel.code.size(), published[i].bytes) << kernel.name;
        EXPECT_EQ(kernel.checksum(10'000), published[i].checksum) << kernel.name;
        EXPECT_EQ(kernel.instructions(10'000), published[i].instructions) << kernel.name;
        EXPECT_EQ(kernel.size == CodeSize::Bits64, kernel.name.ends_with("64"));
        EXPECT_EQ(kernel.code.back(), std::byte{0xc3}) << kernel.name << " ends with RET";
    }
}

TEST(Kernels, HarnessesFitInFrontOfThem) {
    for (const CodeSize size : {CodeSize::Bits64, CodeSize::Bits32}) {
        EXPECT_LE(harness(size).code.size(), layout::kernel - layout::code);
        EXPECT_LT(harness(size).return_offset, harness(size).code.size());
    }
}

}  // namespace
}  // namespace backplane::bench
