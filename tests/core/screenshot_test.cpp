#include "runtime/screenshot.h"

#include <backplane/testing/fake_display.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <png.h>

#include <filesystem>
#include <random>

namespace backplane::runtime {
namespace {

using backplane::testing::FakeDisplay;

Picture read_png(png_image image, auto begin) {
    Picture picture;
    image.version = PNG_IMAGE_VERSION;
    if (begin(image) == 0) return picture;
    image.format = PNG_FORMAT_RGB;
    std::vector<std::uint8_t> bytes(PNG_IMAGE_SIZE(image));
    if (png_image_finish_read(&image, nullptr, bytes.data(), 0, nullptr) == 0) return picture;
    picture.width = image.width;
    picture.height = image.height;
    for (std::size_t at = 0; at < bytes.size(); at += 3)
        picture.pixels.push_back(
            static_cast<std::uint32_t>(bytes[at] << 16 | bytes[at + 1] << 8 | bytes[at + 2]));
    return picture;
}

// 61 is no multiple of anything that could be mistaken for a stride.
FakeDisplay random_display() {
    FakeDisplay display{61, 37};
    std::mt19937 random{1};
    for (auto& pixel : display.pixels)
        pixel = random() & 0xffffff;
    return display;
}

TEST(ScreenshotTest, APngHoldsEveryPixelOfTheDisplay) {
    FakeDisplay display = random_display();
    const Picture picture = screenshot(DisplayConnection{display.link()});
    EXPECT_EQ(picture.pixels, display.pixels);
    const auto bytes = png_bytes(picture);
    ASSERT_TRUE(bytes) << bytes.error();
    const Picture read = read_png({}, [&](png_image& image) {
        return png_image_begin_read_from_memory(&image, bytes->data(), bytes->size());
    });
    EXPECT_EQ(read.width, 61u);
    EXPECT_EQ(read.height, 37u);
    EXPECT_EQ(read.pixels, display.pixels);
}

TEST(ScreenshotTest, APngFileHoldsTheSame) {
    FakeDisplay display = random_display();
    const auto path = std::filesystem::path{::testing::TempDir()} / "screenshot_test.png";
    const auto written = write_png(path, screenshot(DisplayConnection{display.link()}));
    ASSERT_TRUE(written) << written.error();
    const Picture read = read_png(
        {}, [&](png_image& image) { return png_image_begin_read_from_file(&image, path.c_str()); });
    EXPECT_EQ(read.pixels, display.pixels);
    std::filesystem::remove(path);
}

TEST(ScreenshotTest, AFileThatCannotBeWrittenIsNamed) {
    const auto written = write_png("/nonexistent/screen.png", {1, 1, {0}});
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error(), "cannot write /nonexistent/screen.png: No such file or directory");
}

TEST(ScreenshotTest, APictureWithoutPixelsIsNoPng) {
    EXPECT_FALSE(png_bytes({0, 0, {}}));
    EXPECT_FALSE(png_bytes({2, 2, {0, 0, 0}}));
}

TEST(ScreenTextTest, TextIsUtf8WithoutTrailingBlanks) {
    FakeDisplay display{72, 48};
    display.text = {std::string{"\xc9\xcd\xbb ok\0\xff\x01 ", 10}, "          ",
                    "\\\"~\x7f\xe1 #  x"};
    EXPECT_THAT(screen_text(DisplayConnection{display.link()}),
                ::testing::ElementsAre("╔═╗ ok  ☺", "", "\\\"~⌂ß #  x"));
}

TEST(ScreenTextTest, GraphicsHaveNoText) {
    FakeDisplay display{8, 8};
    EXPECT_TRUE(screen_text(DisplayConnection{display.link()}).empty());
}

}  // namespace
}  // namespace backplane::runtime
