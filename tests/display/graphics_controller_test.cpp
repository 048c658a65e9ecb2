#include "graphics_controller.h"

#include <gtest/gtest.h>

namespace backplane::display {
namespace {

using Register = GraphicsController;

GraphicsController with(std::initializer_list<std::pair<unsigned, unsigned>> registers) {
    GraphicsController graphics;
    graphics.registers[Register::bit_mask] = 0xff;
    graphics.latches = 0x44332211;
    for (const auto [index, value] : registers) {
        graphics.index = static_cast<std::uint8_t>(index);
        graphics.write(static_cast<std::uint8_t>(value));
    }
    return graphics;
}

TEST(GraphicsControllerTest, WriteMode0GivesEachPlaneTheRotatedByte) {
    EXPECT_EQ(with({}).written(0x81), 0x81818181u);
    EXPECT_EQ(with({{Register::data_rotate, 3}}).written(0x81), 0x30303030u);
}

TEST(GraphicsControllerTest, WriteMode0SetsAndResetsThePlanesThatAreEnabled) {
    const auto graphics = with({{Register::set_reset, 0x5}, {Register::enable_set_reset, 0x3}});
    EXPECT_EQ(graphics.written(0x81), 0x818100ffu);
}

TEST(GraphicsControllerTest, TheFunctionCombinesWithTheLatches) {
    EXPECT_EQ(with({{Register::data_rotate, 0x08}}).written(0x30), 0x00302010u);
    EXPECT_EQ(with({{Register::data_rotate, 0x10}}).written(0x30), 0x74333231u);
    EXPECT_EQ(with({{Register::data_rotate, 0x18}}).written(0x30), 0x74031221u);
}

TEST(GraphicsControllerTest, TheBitMaskKeepsLatchedBits) {
    EXPECT_EQ(with({{Register::bit_mask, 0x0f}}).written(0xff), 0x4f3f2f1fu);
}

TEST(GraphicsControllerTest, WriteMode1CopiesTheLatches) {
    const auto graphics = with({{Register::graphics_mode, 1}, {Register::bit_mask, 0x00}});
    EXPECT_EQ(graphics.written(0xff), 0x44332211u);
}

TEST(GraphicsControllerTest, WriteMode2GivesEachPlaneItsBit) {
    EXPECT_EQ(with({{Register::graphics_mode, 2}}).written(0xf6), 0x00ffff00u);
    EXPECT_EQ(with({{Register::graphics_mode, 2}, {Register::bit_mask, 0xf0}}).written(0x09),
              0xf40302f1u);
}

TEST(GraphicsControllerTest, WriteMode3MasksWithTheByte) {
    const auto graphics = with({{Register::graphics_mode, 3},
                                {Register::set_reset, 0x3},
                                {Register::enable_set_reset, 0x0},
                                {Register::bit_mask, 0x3c},
                                {Register::data_rotate, 4}});
    // The mask is 0x3c and 0x0f rotated by four bits.
    EXPECT_EQ(graphics.written(0x0f), 0x44033231u);
}

TEST(GraphicsControllerTest, ReadMode0GivesOnePlane) {
    EXPECT_EQ(with({}).result(0), 0x11);
    EXPECT_EQ(with({}).result(3), 0x44);
}

TEST(GraphicsControllerTest, ReadMode1ComparesTheColorsOfPixels) {
    auto graphics = with({{Register::graphics_mode, 0x08},
                          {Register::color_compare, 0x5},
                          {Register::color_dont_care, 0xf}});
    // Colors of the pixels from the left: 5, 5, d, 1, 5, 7, 0, 5.
    graphics.latches = 0x20u << 24 | 0b11101101u << 16 | 0x04u << 8 | 0b11111101u;
    EXPECT_EQ(graphics.result(0), 0b11001001);
    graphics.registers[Register::color_dont_care] = 0x7;
    EXPECT_EQ(graphics.result(0), 0b11101001) << "plane 3 is not looked at";
    graphics.registers[Register::color_dont_care] = 0;
    EXPECT_EQ(graphics.result(0), 0xff);
}

TEST(GraphicsControllerTest, BitsThatDoNotExistReadZero) {
    auto graphics = with({{Register::set_reset, 0xff}, {Register::graphics_mode, 0xff}});
    graphics.index = Register::set_reset;
    EXPECT_EQ(graphics.read(), 0x0f);
    graphics.index = Register::graphics_mode;
    EXPECT_EQ(graphics.read(), 0x7b);
    graphics.index = 9;
    EXPECT_FALSE(graphics.write(0xff));
    EXPECT_EQ(graphics.read(), 0);
}

}  // namespace
}  // namespace backplane::display
