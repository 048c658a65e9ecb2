// Which 32-bit code is compiled.
#include "code32_processor.h"

#include <gtest/gtest.h>

namespace backplane::interp::testing {
namespace {

using x86::RAX, x86::RSP;
using P = Code32Processor;

TEST(FlatCode, IsCompiled) {
    P processor;
    EXPECT_TRUE(processor.run32({0x41, 0xf4}));  // inc ecx;  hlt
    EXPECT_TRUE(processor.cpu.block->is_compiled());
}

TEST(FlatCode, IsLeftToTheInterpreterOnceItIsNotFlat) {
    P processor;
    for (const int load : {0xc0, 0xd0, 0xd8}) {  // mov es, ss or ds, eax;  inc ecx;  hlt
        processor[RAX] = P::based;
        EXPECT_TRUE(processor.run32({0x8e, load, 0x41, 0xf4}));
        EXPECT_FALSE(processor.cpu.block->is_compiled()) << load;
    }
    processor[RAX] = P::based;
    EXPECT_TRUE(processor.run32({0x8e, 0xe8, 0x41, 0xf4})) << "GS";
    EXPECT_TRUE(processor.cpu.block->is_compiled());
}

}  // namespace
}  // namespace backplane::interp::testing
