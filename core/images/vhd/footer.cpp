#include "images/vhd/footer.h"

#include "images/byte_order.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <random>

namespace backplane::images::vhd {

namespace {

using Bytes = std::span<const std::byte>;

constexpr std::string_view footer_cookie = "conectix", header_cookie = "cxsparse";
constexpr std::uint32_t format_version = 0x00010000;
constexpr std::size_t footer_checksum = 64, header_checksum = 36, locators = 576, locator_size = 24,
                      locator_count = 8, parent_name_offset = 64, parent_name_size = 512;

// The complement of the sum of all bytes, without those of the sum.
std::uint32_t checksum(Bytes bytes, std::size_t without) {
    std::uint32_t sum = 0;
    for (std::size_t at = 0; at < bytes.size(); ++at)
        if (at < without || at >= without + 4) sum += std::to_integer<std::uint32_t>(bytes[at]);
    return ~sum;
}

bool has_cookie(Bytes bytes, std::string_view cookie) {
    return std::ranges::equal(bytes.first(cookie.size()), std::as_bytes(std::span{cookie}));
}

void store_text(std::span<std::byte> bytes, std::size_t offset, std::string_view text) {
    std::ranges::copy(std::as_bytes(std::span{text}),
                      bytes.begin() + static_cast<std::ptrdiff_t>(offset));
}

std::string to_utf8(std::span<const char16_t> units) {
    std::string text;
    for (std::size_t at = 0; at < units.size() && units[at] != 0; ++at) {
        char32_t code = units[at];
        if (code >= 0xd800 && code < 0xdc00 && at + 1 < units.size())
            code = 0x10000 + ((code & 0x3ff) << 10) + (units[++at] & 0x3ffu);
        const auto put = [&](char32_t value) { text += static_cast<char>(value); };
        if (code < 0x80) {
            put(code);
        } else if (code < 0x800) {
            put(0xc0 | code >> 6), put(0x80 | (code & 0x3f));
        } else if (code < 0x10000) {
            put(0xe0 | code >> 12), put(0x80 | (code >> 6 & 0x3f)), put(0x80 | (code & 0x3f));
        } else {
            put(0xf0 | code >> 18), put(0x80 | (code >> 12 & 0x3f));
            put(0x80 | (code >> 6 & 0x3f)), put(0x80 | (code & 0x3f));
        }
    }
    return text;
}

std::u16string to_utf16(const std::string& text) {
    std::u16string units;
    for (std::size_t at = 0; at < text.size();) {
        const auto first = static_cast<unsigned char>(text[at++]);
        const int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
        char32_t code = more == 0 ? first : first & (0x3fu >> more);
        for (int part = 0; part < more && at < text.size(); ++part)
            code = code << 6 | (static_cast<unsigned char>(text[at++]) & 0x3fu);
        if (code >= 0x10000) {
            units += static_cast<char16_t>(0xd800 + ((code - 0x10000) >> 10 & 0x3ff));
            code = 0xdc00 + ((code - 0x10000) & 0x3ff);
        }
        units += static_cast<char16_t>(code);
    }
    return units;
}

template <auto load> std::string from_utf16(Bytes bytes) {
    std::u16string units;
    for (std::size_t at = 0; at + 2 <= bytes.size(); at += 2)
        units += static_cast<char16_t>(load(bytes, at));
    return to_utf8(units);
}

std::string with_slashes(std::string path) {
    std::ranges::replace(path, '\\', '/');
    while (path.starts_with("./"))
        path.erase(0, 2);
    return path;
}

}  // namespace

Geometry Geometry::of(std::uint64_t total) {
    std::uint64_t sectors = 17, heads = 16;
    total = std::min<std::uint64_t>(total, 65535 * 16 * 255);
    if (total >= 65535 * 16 * 63) {
        sectors = 255;
    } else {
        heads = std::max<std::uint64_t>(4, (total / sectors + 1023) / 1024);
        if (total / sectors >= heads * 1024 || heads > 16) sectors = 31, heads = 16;
        if (total / sectors >= heads * 1024) sectors = 63, heads = 16;
    }
    return {static_cast<std::uint16_t>(total / sectors / heads), static_cast<std::uint8_t>(heads),
            static_cast<std::uint8_t>(sectors)};
}

std::expected<Footer, std::string> Footer::parse(Bytes bytes) {
    if (!has_cookie(bytes, footer_cookie)) return std::unexpected("is not a VHD image");
    if (load_big<std::uint32_t>(bytes, footer_checksum) != checksum(bytes, footer_checksum))
        return std::unexpected("has a footer whose checksum is wrong");
    if (load_big<std::uint32_t>(bytes, 12) >> 16 != format_version >> 16)
        return std::unexpected("is a VHD image of a version that is not known here");
    Footer footer;
    footer.data_offset = load_big<std::uint64_t>(bytes, 16);
    footer.timestamp = load_big<std::uint32_t>(bytes, 24);
    footer.creator.assign(reinterpret_cast<const char*>(bytes.data()) + 28, 4);
    footer.original_size = load_big<std::uint64_t>(bytes, 40);
    footer.current_size = load_big<std::uint64_t>(bytes, 48);
    footer.geometry = {load_big<std::uint16_t>(bytes, 56), load_big<std::uint8_t>(bytes, 58),
                       load_big<std::uint8_t>(bytes, 59)};
    const auto type = load_big<std::uint32_t>(bytes, 60);
    if (type < 2 || type > 4)
        return std::unexpected(
            fmt::format("is a VHD image of type {}; 2 (fixed), 3 (dynamic) and 4 "
                        "(differencing) are supported",
                        type));
    footer.type = DiskType{type};
    std::ranges::copy(bytes.subspan(68, 16), footer.uuid.begin());
    if (footer.disk_size() > largest_disk)
        return std::unexpected(fmt::format("says that its disk has {} bytes; 2040 GiB are the most",
                                           footer.disk_size()));
    return footer;
}

std::uint64_t Footer::disk_size() const {
    const bool geometry_counts = creator == "vpc " || creator == "qemu";
    // The largest geometry says nothing about the size.
    const bool is_largest = geometry.cylinders == 65535 && geometry.heads == 16 &&
                            geometry.sectors == 255;
    const std::uint64_t size = geometry_counts && !is_largest ? geometry.size() : current_size;
    return size / 512 * 512;
}

std::vector<std::byte> Footer::bytes() const {
    std::vector<std::byte> out(footer_size);
    store_text(out, 0, footer_cookie);
    store_big(out, 8, std::uint32_t{2});  // a bit that is always set
    store_big(out, 12, format_version);
    store_big(out, 16, data_offset);
    store_big(out, 24, timestamp);
    store_text(out, 28, creator);
    store_big(out, 32, std::uint32_t{0x000a0000});
    store_text(out, 36, "Wi2k");
    store_big(out, 40, original_size);
    store_big(out, 48, current_size);
    store_big(out, 56, geometry.cylinders);
    store_big(out, 58, geometry.heads);
    store_big(out, 59, geometry.sectors);
    store_big(out, 60, static_cast<std::uint32_t>(type));
    std::ranges::copy(uuid, out.begin() + 68);
    store_big(out, footer_checksum, checksum(out, footer_checksum));
    return out;
}

std::expected<DynamicHeader, std::string> DynamicHeader::parse(Bytes bytes) {
    if (!has_cookie(bytes, header_cookie)) return std::unexpected("has no dynamic disk header");
    if (load_big<std::uint32_t>(bytes, header_checksum) != checksum(bytes, header_checksum))
        return std::unexpected("has a dynamic disk header whose checksum is wrong");
    DynamicHeader header;
    header.table_offset = load_big<std::uint64_t>(bytes, 16);
    header.table_entries = load_big<std::uint32_t>(bytes, 28);
    header.block_size = load_big<std::uint32_t>(bytes, 32);
    std::ranges::copy(bytes.subspan(40, 16), header.parent_uuid.begin());
    header.parent_timestamp = load_big<std::uint32_t>(bytes, 56);
    header.parent_name = from_utf16<load_big<std::uint16_t>>(
        bytes.subspan(parent_name_offset, parent_name_size));
    return header;
}

std::vector<std::byte> DynamicHeader::bytes() const {
    std::vector<std::byte> out(dynamic_header_size);
    store_text(out, 0, header_cookie);
    store_big(out, 8, no_offset);
    store_big(out, 16, table_offset);
    store_big(out, 24, format_version);
    store_big(out, 28, table_entries);
    store_big(out, 32, block_size);
    std::ranges::copy(parent_uuid, out.begin() + 40);
    store_big(out, 56, parent_timestamp);
    std::vector<std::byte> name = utf16_big(parent_name);
    name.resize(std::min(name.size(), parent_name_size));
    std::ranges::copy(name, out.begin() + parent_name_offset);
    store_big(out, header_checksum, checksum(out, header_checksum));
    return out;
}

std::vector<std::string> parent_paths(ByteFile& file, Bytes header,
                                      const std::string& parent_name) {
    constexpr std::uint32_t longest = 4096;
    std::vector<std::string> relative, absolute;
    for (std::size_t index = 0; index < locator_count; ++index) {
        const Bytes entry = header.subspan(locators + index * locator_size, locator_size);
        const std::string platform{reinterpret_cast<const char*>(entry.data()), 4};
        const auto length = load_big<std::uint32_t>(entry, 8);
        const auto offset = load_big<std::uint64_t>(entry, 16);
        if (length == 0 || length > longest || offset > file.size()) continue;
        std::vector<std::byte> data(length);
        if (file.read_bytes(offset, data) != 0) continue;
        if (platform == "W2ru")
            relative.push_back(with_slashes(from_utf16<load_little<std::uint16_t>>(data)));
        else if (platform == "W2ku")
            absolute.push_back(with_slashes(from_utf16<load_little<std::uint16_t>>(data)));
        else if (platform == "MacX") {
            std::string url{reinterpret_cast<const char*>(data.data()), data.size()};
            url.resize(std::min(url.size(), url.find('\0')));
            if (url.starts_with("file://")) url.erase(0, 7);
            (url.starts_with('/') ? absolute : relative).push_back(with_slashes(url));
        }
    }
    // Another system's "C:/disks/parent.vhd" is no path here, but its last part may be.
    const auto last_part = [](const std::string& path) { return path.substr(path.rfind('/') + 1); };
    std::vector<std::string> paths = std::move(relative);
    for (const std::string& path : absolute)
        if (path.starts_with('/')) paths.push_back(path);
    for (const std::string& path : absolute)
        paths.push_back(last_part(path));
    if (!parent_name.empty()) paths.push_back(last_part(with_slashes(parent_name)));
    std::erase(paths, "");
    return paths;
}

void store_locator(std::span<std::byte> header, std::size_t index, const char* platform,
                   std::uint32_t length, std::uint64_t offset) {
    const auto entry = header.subspan(locators + index * locator_size, locator_size);
    store_text(entry, 0, platform);
    // The specification counts sectors here, its authors' programs bytes.
    store_big(entry, 4, static_cast<std::uint32_t>(round_up(length, 512)));
    store_big(entry, 8, length);
    store_big(entry, 16, offset);
    store_big(header, header_checksum, checksum(header, header_checksum));
}

std::vector<std::byte> utf16_little(const std::string& text) {
    std::vector<std::byte> out;
    for (const char16_t unit : to_utf16(text))
        out.insert(out.end(), {std::byte(unit & 0xff), std::byte(unit >> 8)});
    return out;
}

std::vector<std::byte> utf16_big(const std::string& text) {
    std::vector<std::byte> out;
    for (const char16_t unit : to_utf16(text))
        out.insert(out.end(), {std::byte(unit >> 8), std::byte(unit & 0xff)});
    return out;
}

Uuid new_uuid() {
    Uuid uuid;
    std::random_device source;
    for (std::byte& byte : uuid)
        byte = std::byte(source());
    uuid[6] = (uuid[6] & std::byte{0x0f}) | std::byte{0x40};  // RFC 4122: random
    uuid[8] = (uuid[8] & std::byte{0x3f}) | std::byte{0x80};
    return uuid;
}

}  // namespace backplane::images::vhd
