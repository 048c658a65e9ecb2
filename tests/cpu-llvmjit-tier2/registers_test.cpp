// Registers of which a region writes a part only.
#include "test_processor.h"

#include <gtest/gtest.h>

namespace backplane::interp::testing {
namespace {

using P = TestProcessor;

TEST(RegionRegisters, KeepWhatIsNotWritten) {
    P processor;
    // mov di, [rdi];  hlt
    processor.place(P::code, {0x66, 0x8b, 0x3f, 0xf4});
    processor.write<std::uint64_t>(P::data, 0x1122'3344'5566'7788);
    // The page is not in the first-level TLB the first time.
    for (int i = 0; i < 2; ++i) {
        processor[x86::RDI] = P::data;
        ASSERT_TRUE(processor.run_to_halt());
        EXPECT_EQ(processor[x86::RDI], (P::data & ~std::uint64_t{0xffff}) | 0x7788);
    }
}

}  // namespace
}  // namespace backplane::interp::testing
