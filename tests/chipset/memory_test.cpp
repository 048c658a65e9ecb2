#include "chip_bench.h"
#include "ram.h"
#include "rom.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace backplane::chipset {
namespace {

using namespace literals;

TEST(RamTest, SmallMemoryIsAllLow) {
    DeviceBench bench{type_of<Ram>(), {{"size", 2_MiB}}};
    ASSERT_TRUE(bench.power_on());
    EXPECT_EQ(bench.window("low").size(), 2u << 20);
    EXPECT_EQ(bench.window("high").size(), 0u);
    EXPECT_EQ(bench.window("low").read64(0x1ffff8), 0u);
    bench.window("low").write32(0x1000, 0xdeadbeef);
    EXPECT_EQ(bench.window("low").read16(0x1002), 0xdead);
    bench.reset();
    EXPECT_EQ(bench.window("low").read8(0x1000), 0xef) << "a reset keeps memory";
}

TEST(RamTest, SixtyFourGibibytesStartAtOnce) {
    DeviceBench bench{type_of<Ram>(), {{"size", 64_GiB}}};
    ASSERT_TRUE(bench.power_on());
    EXPECT_EQ(bench.window("low").size(), 3ull << 30);
    EXPECT_EQ(bench.window("high").size(), 61ull << 30);
    bench.window("high").write8((61ull << 30) - 1, 0x5a);
    EXPECT_EQ(bench.window("high").read8((61ull << 30) - 1), 0x5a);
}

TEST(RamTest, TheLowLimitDividesIt) {
    DeviceBench bench{type_of<Ram>(), {{"size", 4_MiB}, {"low-limit", 1_MiB}}};
    ASSERT_TRUE(bench.power_on());
    EXPECT_EQ(bench.window("low").size(), 1u << 20);
    EXPECT_EQ(bench.window("high").size(), 3u << 20);
}

TEST(RamTest, RefusesPartsOfPages) {
    DeviceBench bench{type_of<Ram>(), {{"size", Bytes{(2 << 20) + 100}}}};
    EXPECT_FALSE(bench.power_on());
    EXPECT_NE(bench.failure().find("4 KiB"), std::string::npos);
}

TEST(RamTest, RefusesWhatTheHostCannotHold) {
    DeviceBench bench{type_of<Ram>(), {{"size", Bytes{1ull << 62}}}};
    EXPECT_FALSE(bench.power_on());
    EXPECT_EQ(bench.window("high").size(), 0u);
}

TEST(RamTest, SurvivesASnapshot) {
    DeviceBench bench{type_of<Ram>(), {{"size", 1_MiB}}};
    bench.power_on();
    bench.window("low").write64(0x8000, 0x0123456789abcdef);
    EXPECT_EQ(testing::round_trip(bench), "");
}

class RomTest : public ::testing::Test {
protected:
    RomTest() {
        char name[] = "/tmp/backplane-rom-XXXXXX";
        close(mkstemp(name));
        path = name;
        std::ofstream{path} << "image";
    }
    ~RomTest() override { std::filesystem::remove(path); }

    std::string path;
};

TEST_F(RomTest, HoldsTheImageAndIgnoresWrites) {
    DeviceBench bench{type_of<Rom>(), {{"image", path}}};
    ASSERT_TRUE(bench.power_on()) << bench.failure();
    const auto contents = bench.window("contents");
    EXPECT_EQ(contents.size(), 4096u);
    EXPECT_EQ(contents.read8(0), 'i');
    EXPECT_EQ(contents.read8(5), 0xff);
    contents.write8(0, 0);
    EXPECT_EQ(contents.read8(0), 'i');
}

TEST_F(RomTest, CanEndAtTheEndOfItsWindow) {
    DeviceBench bench{type_of<Rom>(), {{"image", path}, {"size", 64_KiB}, {"align", "end"}}};
    ASSERT_TRUE(bench.power_on());
    EXPECT_EQ(bench.window("contents").size(), 65'536u);
    EXPECT_EQ(bench.window("contents").read8(65'535), 'e');
    EXPECT_EQ(bench.window("contents").read8(0), 0xff);
}

TEST_F(RomTest, RefusesImagesThatAreMissingEmptyOrTooLarge) {
    DeviceBench missing{type_of<Rom>(), {{"image", "/nonexistent/image"}}};
    EXPECT_FALSE(missing.power_on());
    EXPECT_NE(missing.failure().find("/nonexistent/image"), std::string::npos);
    DeviceBench large{type_of<Rom>(), {{"image", path}, {"size", Bytes{4}}}};
    EXPECT_FALSE(large.power_on());
    EXPECT_NE(large.failure().find("5 bytes; 1 to 4 fit"), std::string::npos) << large.failure();
    std::ofstream{path, std::ios::trunc};
    DeviceBench empty{type_of<Rom>(), {{"image", path}}};
    EXPECT_FALSE(empty.power_on());
    DeviceBench folder{type_of<Rom>(), {{"image", "/tmp"}}};
    EXPECT_FALSE(folder.power_on());
}

TEST_F(RomTest, BearsRandomAccesses) {
    DeviceBench bench{type_of<Rom>(), {{"image", path}}};
    ASSERT_TRUE(bench.power_on());
    play_random_script(bench, 27);
    EXPECT_EQ(bench.window("contents").read8(0), 'i');
    EXPECT_EQ(testing::round_trip(bench), "");
}

}  // namespace
}  // namespace backplane::chipset
