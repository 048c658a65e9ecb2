// The memory that compiled code is in.
#include "tier1/code_arena.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>

namespace backplane::jit::testing {
namespace {

using ::testing::HasSubstr;

// The line of /proc/self/maps that begins with this address.
std::string mapping_at(const void* address) {
    std::ostringstream start;
    start << std::hex << reinterpret_cast<std::uintptr_t>(address) << '-';
    std::ifstream maps{"/proc/self/maps"};
    for (std::string line; std::getline(maps, line);)
        if (line.starts_with(start.str())) return line;
    return "none";
}

TEST(CodeArena, IsNeverWritableAndExecutableAtOnePlace) {
    const auto arena = CodeArena::make(std::size_t{1} << 20);
    ASSERT_TRUE(arena) << arena.error();
    EXPECT_THAT(mapping_at(arena->writable()), HasSubstr(" rw-s "));
    EXPECT_THAT(mapping_at(arena->executable()), HasSubstr(" r-xs "));
}

TEST(CodeArena, ExecutesWhatWasWrittenAtTheOtherPlace) {
    const auto arena = CodeArena::make(std::size_t{1} << 20);
    ASSERT_TRUE(arena);
    const std::uint8_t code[]{0xb8, 0x07, 0x00, 0x00, 0x00, 0xc3};  // mov eax, 7;  ret
    std::copy(std::begin(code), std::end(code), arena->writable() + 0x1000);
    const auto function = reinterpret_cast<int (*)()>(
        const_cast<std::uint8_t*>(arena->executable() + 0x1000));
    EXPECT_EQ(function(), 7);
}

// Linux, tools/perf/util/map.c, is_anon_memory: only of such memory perf reads its own map of
// names.
TEST(CodeArena, IsAnonymousMemoryToPerf) {
    const auto arena = CodeArena::make(std::size_t{1} << 20);
    ASSERT_TRUE(arena);
    EXPECT_THAT(mapping_at(arena->executable()), HasSubstr(" /dev/zero"));
}

TEST(CodeArena, SaysWhyThereIsNone) {
    const auto arena = CodeArena::make(std::size_t{1} << 60);
    ASSERT_FALSE(arena);
    EXPECT_EQ(arena.error(), "memory for compiled code: Cannot allocate memory");
}

}  // namespace
}  // namespace backplane::jit::testing
