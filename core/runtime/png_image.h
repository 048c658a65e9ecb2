// Pictures as PNG files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <vector>

namespace backplane::runtime {

// Rows from top to bottom, each pixel 0x00RRGGBB.
struct Picture {
    std::uint32_t width = 0, height = 0;
    std::vector<std::uint32_t> pixels;
};

// What a PNG file holds, or why there is none.
[[nodiscard]] std::expected<std::vector<std::byte>, std::string> png_bytes(const Picture& picture);

[[nodiscard]] std::expected<void, std::string> write_png(const std::filesystem::path& path,
                                                         const Picture& picture);

}  // namespace backplane::runtime
