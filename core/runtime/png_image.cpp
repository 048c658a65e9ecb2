#include "runtime/png_image.h"

#include <fmt/format.h>
#include <png.h>

#include <cerrno>
#include <fstream>
#include <system_error>

namespace backplane::runtime {

namespace {

constexpr std::uint32_t bytes_per_pixel = 3;

std::vector<std::uint8_t> rgb_bytes(const Picture& picture) {
    std::vector<std::uint8_t> bytes;
    bytes.reserve(picture.pixels.size() * bytes_per_pixel);
    for (const std::uint32_t pixel : picture.pixels)
        for (const int shift : {16, 8, 0})
            bytes.push_back(static_cast<std::uint8_t>(pixel >> shift));
    return bytes;
}

}  // namespace

std::expected<std::vector<std::byte>, std::string> png_bytes(const Picture& picture) {
    if (picture.width == 0 || picture.height == 0 ||
        picture.pixels.size() != std::size_t{picture.width} * picture.height)
        return std::unexpected{fmt::format("a picture of {} by {} pixels cannot have {}",
                                           picture.width, picture.height, picture.pixels.size())};
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.width = picture.width;
    image.height = picture.height;
    image.format = PNG_FORMAT_RGB;
    // A screen changes often and is looked at once.
    image.flags = PNG_IMAGE_FLAG_FAST;
    const auto pixels = rgb_bytes(picture);
    std::vector<std::byte> file(PNG_IMAGE_PNG_SIZE_MAX(image));
    png_alloc_size_t size = file.size();
    if (png_image_write_to_memory(&image, file.data(), &size, 0, pixels.data(), 0, nullptr) == 0)
        return std::unexpected{std::string{"libpng: "} + image.message};
    file.resize(size);
    return file;
}

std::expected<void, std::string> write_png(const std::filesystem::path& path,
                                           const Picture& picture) {
    const auto bytes = png_bytes(picture);
    if (!bytes) return std::unexpected{bytes.error()};
    std::ofstream file{path, std::ios::binary | std::ios::trunc};
    file.write(reinterpret_cast<const char*>(bytes->data()),
               static_cast<std::streamsize>(bytes->size()));
    file.close();
    if (file) return {};
    return std::unexpected{
        fmt::format("cannot write {}: {}", path.string(), std::generic_category().message(errno))};
}

}  // namespace backplane::runtime
