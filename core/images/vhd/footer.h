// The footer of a VHD file, and the header of those that grow: Microsoft's "Virtual Hard Disk Image
// Format Specification", version 1.0.
#pragma once

#include "images/byte_file.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

namespace backplane::images::vhd {

inline constexpr std::size_t footer_size = 512, dynamic_header_size = 1024;
inline constexpr std::uint64_t largest_disk = std::uint64_t{2040} << 30;
inline constexpr std::uint64_t no_offset = ~std::uint64_t{0};

enum class DiskType : std::uint32_t { Fixed = 2, Dynamic = 3, Differencing = 4 };
using Uuid = std::array<std::byte, 16>;

struct Geometry {
    std::uint16_t cylinders;
    std::uint8_t heads, sectors;

    static Geometry of(std::uint64_t sectors);
    std::uint64_t size() const { return std::uint64_t{cylinders} * heads * sectors * 512; }
};

struct Footer {
    std::uint64_t data_offset = no_offset;  // of the dynamic header
    std::uint32_t timestamp = 0;            // seconds since 2000
    // Readers believe the size, not the geometry, of disks that this says it made.
    std::string creator = "win ";
    std::uint64_t original_size = 0, current_size = 0;
    Geometry geometry{};
    DiskType type = DiskType::Fixed;
    Uuid uuid{};

    // Errors are what follows the file's name.
    static std::expected<Footer, std::string> parse(std::span<const std::byte> bytes);
    std::vector<std::byte> bytes() const;

    // Virtual PC and old QEMU made disks as large as their geometry says.
    std::uint64_t disk_size() const;
};

struct DynamicHeader {
    std::uint64_t table_offset = 0;
    std::uint32_t table_entries = 0;
    std::uint32_t block_size = 2 << 20;
    Uuid parent_uuid{};
    std::uint32_t parent_timestamp = 0;
    std::string parent_name;

    static std::expected<DynamicHeader, std::string> parse(std::span<const std::byte> bytes);
    std::vector<std::byte> bytes() const;
};

// Where the locators of a header say that the parent is, best first.
std::vector<std::string> parent_paths(ByteFile& file, std::span<const std::byte> header,
                                      const std::string& parent_name);

// One of eight places that a header has for them.
void store_locator(std::span<std::byte> header, std::size_t index, const char* platform,
                   std::uint32_t length, std::uint64_t offset);
std::vector<std::byte> utf16_little(const std::string& text);
std::vector<std::byte> utf16_big(const std::string& text);

Uuid new_uuid();

}  // namespace backplane::images::vhd
