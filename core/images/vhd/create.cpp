#include "images/vhd/create.h"

#include "images/byte_order.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <vector>

namespace backplane::images::vhd {

namespace {

constexpr std::uint64_t sector = 512;

std::uint32_t seconds_since_2000() {
    using namespace std::chrono;
    constexpr sys_days start{year{2000} / January / 1};
    return static_cast<std::uint32_t>(duration_cast<seconds>(system_clock::now() - start).count());
}

std::string with_backslashes(std::string path) {
    std::ranges::replace(path, '/', '\\');
    return path;
}

}  // namespace

std::expected<void, std::string> create(ByteFile& file, const CreateOptions& options) {
    if (options.size > largest_disk) return std::unexpected("a VHD has 2040 GiB at most");
    Footer footer;
    footer.timestamp = seconds_since_2000();
    footer.original_size = footer.current_size = options.size;
    footer.geometry = Geometry::of(options.size / sector);
    footer.type = options.type;
    footer.uuid = new_uuid();
    int error = 0;
    const auto put = [&](std::uint64_t offset, std::span<const std::byte> bytes) {
        if (error == 0) error = file.write_bytes(offset, bytes);
    };
    if (options.type == DiskType::Fixed) {
        put(options.size, footer.bytes());
    } else {
        footer.data_offset = footer_size;
        DynamicHeader header;
        header.table_offset = footer_size + dynamic_header_size;
        header.table_entries = static_cast<std::uint32_t>(
            divide_up(options.size, header.block_size));
        const std::uint64_t table_size = round_up(header.table_entries * std::uint64_t{4}, sector);
        std::uint64_t end = header.table_offset + table_size;
        const bool has_parent = options.type == DiskType::Differencing;
        if (has_parent) {
            header.parent_uuid = options.parent.uuid;
            header.parent_timestamp = options.parent.timestamp;
            header.parent_name = options.parent_relative.substr(options.parent_relative.rfind('/') +
                                                                1);
        }
        std::vector<std::byte> header_bytes = header.bytes();
        const auto locate = [&](std::size_t index, const char* platform, const std::string& path) {
            const std::vector<std::byte> text = utf16_little(with_backslashes(path));
            store_locator(header_bytes, index, platform, static_cast<std::uint32_t>(text.size()),
                          end);
            put(end, text);
            end = round_up(end + text.size(), sector);
        };
        if (has_parent) {
            const bool is_plain = !options.parent_relative.starts_with('/');
            locate(0, "W2ru", (is_plain ? "./" : "") + options.parent_relative);
            locate(1, "W2ku", options.parent_absolute);
        }
        put(footer_size, header_bytes);
        put(header.table_offset, std::vector<std::byte>(table_size, std::byte{0xff}));
        put(end, footer.bytes());
        put(0, footer.bytes());
    }
    if (error == 0) error = file.flush();
    if (error != 0) return std::unexpected(std::strerror(error));
    return {};
}

}  // namespace backplane::images::vhd
