#include "images/vdi/vdi_image.h"

#include "images/byte_order.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>

namespace backplane::images::vdi {

namespace {

constexpr std::uint32_t magic = 0xbeda107f, version_1_1 = 0x00010001;
constexpr std::size_t header_size = 512, page_size = 4096, cached_pages = 256;
// Entries of the map that say no place.
constexpr std::uint32_t unallocated = 0xffffffff, discarded = 0xfffffffe;

}  // namespace

VdiImage::VdiImage(std::unique_ptr<ByteFile> file, const Header& header)
    : MappedStorage{std::move(file)}, header_{header}, map_{*file_, page_size, cached_pages} {}

std::expected<std::unique_ptr<VdiImage>, std::string>
VdiImage::open(std::unique_ptr<ByteFile> file) {
    std::array<std::byte, header_size> bytes{};
    if (const int error = file->read_bytes(0, bytes); error != 0)
        return std::unexpected(fmt::format("cannot be read: {}", std::strerror(error)));
    if (load_little<std::uint32_t>(bytes, 64) != magic)
        return std::unexpected("is not a VDI image");
    if (load_little<std::uint32_t>(bytes, 68) != version_1_1)
        return std::unexpected("is a VDI image of a version that is not known here; 1.1 is");
    const auto type = load_little<std::uint32_t>(bytes, 76);
    if (type != 1 && type != 2)
        return std::unexpected(
            fmt::format("is a VDI image of type {}; 1 (dynamic) and 2 (fixed) are "
                        "supported, but none that is based on another",
                        type));
    Header header;
    header.type = DiskType{type};
    header.map_offset = load_little<std::uint32_t>(bytes, 0x154);
    header.data_offset = load_little<std::uint32_t>(bytes, 0x158);
    header.disk_size = load_little<std::uint64_t>(bytes, 0x170);
    header.block_size = load_little<std::uint32_t>(bytes, 0x178);
    header.block_extra = load_little<std::uint32_t>(bytes, 0x17c);
    header.blocks = load_little<std::uint32_t>(bytes, 0x180);
    constexpr std::uint32_t smallest = 4096, largest = 256 << 20;
    if (!std::has_single_bit(header.block_size) || header.block_size < smallest ||
        header.block_size > largest || header.block_extra > largest)
        return std::unexpected(
            fmt::format("is damaged: its blocks have {} bytes", header.block_size));
    if (divide_up(header.disk_size, header.block_size) > header.blocks)
        return std::unexpected(fmt::format("is damaged: its map has {} entries, too few for a disk "
                                           "of {} bytes",
                                           header.blocks, header.disk_size));
    if (header.map_offset > file->size() ||
        header.blocks * std::uint64_t{4} > file->size() - header.map_offset)
        return std::unexpected("is damaged: its map lies beyond the end of the file");
    return std::unique_ptr<VdiImage>{new VdiImage{std::move(file), header}};
}

int VdiImage::map(std::uint64_t offset, std::uint64_t length, Waiting waiting, Mapping& mapping) {
    const std::uint64_t block = offset / header_.block_size, within = offset % header_.block_size;
    mapping = {.place = Mapping::Place::Zero,
               .length = std::min(length, header_.block_size - within)};
    const std::uint64_t in_page = block * 4 % page_size;
    std::uint32_t entry = unallocated;
    const int error = map_.look(header_.map_offset + block * 4 - in_page, waiting,
                                [&](std::span<const std::byte> page) {
                                    entry = load_little<std::uint32_t>(page, in_page);
                                });
    if (error != 0 || entry == unallocated || entry == discarded) return error;
    // Each block may be preceded by bytes of VirtualBox's own.
    const std::uint64_t whole = header_.block_size + std::uint64_t{header_.block_extra};
    const std::uint64_t place = header_.data_offset + entry * whole + header_.block_extra;
    if (place >= file_->size()) return EUCLEAN;
    mapping.place = Mapping::Place::File;
    mapping.file_offset = place + within;
    return 0;
}

}  // namespace backplane::images::vdi
