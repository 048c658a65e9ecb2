#include "images/vmdk/vmdk_image.h"

#include "images/byte_order.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace backplane::images::vmdk {

namespace {

using Bytes = std::span<const std::byte>;

constexpr std::uint32_t magic = 0x564d444b;  // "KDMV" in the file
constexpr std::string_view descriptor_start = "# Disk DescriptorFile";
constexpr std::uint64_t sector = 512, directory_at_end = ~std::uint64_t{0};
constexpr std::uint32_t has_zero_grains = 1 << 2;  // a table entry of 1 is a grain of zeroes
constexpr std::uint64_t most_directory_bytes = 64 << 20;
constexpr std::size_t marker_size = 12, cached_tables = 1024;

std::expected<SparseHeader, std::string> read_header(ByteFile& file, std::uint64_t offset) {
    std::array<std::byte, sector> bytes{};
    if (const int error = file.read_bytes(offset, bytes); error != 0)
        return std::unexpected(fmt::format("cannot be read: {}", std::strerror(error)));
    if (load_little<std::uint32_t>(bytes) != magic) return std::unexpected("is not a VMDK image");
    SparseHeader header;
    header.version = load_little<std::uint32_t>(bytes, 4);
    header.flags = load_little<std::uint32_t>(bytes, 8);
    header.capacity = load_little<std::uint64_t>(bytes, 12);
    header.grain_size = load_little<std::uint64_t>(bytes, 20);
    header.descriptor_offset = load_little<std::uint64_t>(bytes, 28);
    header.descriptor_size = load_little<std::uint64_t>(bytes, 36);
    header.entries_per_table = load_little<std::uint32_t>(bytes, 44);
    header.redundant_directory = load_little<std::uint64_t>(bytes, 48);
    header.directory = load_little<std::uint64_t>(bytes, 56);
    header.compression = load_little<std::uint16_t>(bytes, 77);
    return header;
}

std::string check_header(const SparseHeader& header) {
    if (header.version < 1 || header.version > 3)
        return fmt::format("is a VMDK image of version {}; 1 to 3 are supported", header.version);
    if (header.compression > 1)
        return fmt::format("is compressed in a way that is not known here ({})",
                           header.compression);
    if (!std::has_single_bit(header.grain_size) || header.grain_size < 8 ||
        header.grain_size > 32768)
        return fmt::format("is damaged: its grains have {} sectors", header.grain_size);
    if (header.entries_per_table == 0 || header.entries_per_table > 4096)
        return fmt::format("is damaged: its tables have {} entries", header.entries_per_table);
    if (header.capacity > (std::uint64_t{1} << 53))
        return fmt::format("is damaged: its disk has {} sectors", header.capacity);
    return {};
}

// The text behind "name=", without quotes.
std::string value_of(std::string_view descriptor, std::string_view name) {
    while (!descriptor.empty()) {
        const std::size_t end = std::min(descriptor.find('\n'), descriptor.size());
        std::string_view line = descriptor.substr(0, end);
        descriptor.remove_prefix(std::min(end + 1, descriptor.size()));
        while (line.ends_with('\r') || line.ends_with(' '))
            line.remove_suffix(1);
        if (!line.starts_with(name)) continue;
        line.remove_prefix(name.size());
        while (line.starts_with(' '))
            line.remove_prefix(1);
        if (!line.starts_with('=')) continue;
        line.remove_prefix(1);
        while (line.starts_with(' '))
            line.remove_prefix(1);
        if (line.size() >= 2 && line.front() == '"' && line.back() == '"')
            line = line.substr(1, line.size() - 2);
        return std::string{line};
    }
    return {};
}

}  // namespace

VmdkImage::VmdkImage(std::unique_ptr<ByteFile> file, const SparseHeader& header)
    : MappedStorage{std::move(file)}, header_{header}, grain_size_{header.grain_size * sector},
      table_bytes_{header.entries_per_table * std::uint64_t{4}},
      tables_{*file_, table_bytes_, cached_tables} {}

std::expected<std::unique_ptr<VmdkImage>, std::string>
VmdkImage::open(std::unique_ptr<ByteFile> file) {
    std::array<std::byte, descriptor_start.size()> start{};
    if (file->read_bytes(0, start) == 0 &&
        std::memcmp(start.data(), descriptor_start.data(), start.size()) == 0)
        return std::unexpected("only describes a disk whose data is in other files, which is not "
                               "supported; qemu-img convert makes one image of it");
    auto header = read_header(*file, 0);
    if (header && header->directory == directory_at_end) {
        // Written in one go: what was known at the end is at the end, before a marker.
        if (file->size() < 2 * sector) return std::unexpected("is cut off");
        const std::uint64_t descriptor_offset = header->descriptor_offset;
        const std::uint64_t descriptor_size = header->descriptor_size;
        header = read_header(*file, file->size() - 2 * sector);
        if (!header) return std::unexpected("is cut off: its footer is missing");
        header->descriptor_offset = descriptor_offset, header->descriptor_size = descriptor_size;
    }
    if (!header) return std::unexpected(header.error());
    if (std::string why = check_header(*header); !why.empty()) return std::unexpected(why);
    std::unique_ptr<VmdkImage> image{new VmdkImage{std::move(file), *header}};
    if (std::string why = image->read_descriptor(); !why.empty()) return std::unexpected(why);
    if (std::string why = image->read_directory(); !why.empty()) return std::unexpected(why);
    return image;
}

std::string VmdkImage::read_descriptor() {
    constexpr std::uint64_t most = 1 << 20;
    if (header_.descriptor_offset == 0 || header_.descriptor_size == 0) return {};
    const std::uint64_t length = header_.descriptor_size * sector;
    if (header_.descriptor_size > most / sector ||
        header_.descriptor_offset > file_->size() / sector)
        return "is damaged: its descriptor is too large, or not in the file";
    std::string text(length, '\0');
    if (const int error = file_->read_bytes(header_.descriptor_offset * sector,
                                            std::as_writable_bytes(std::span{text}));
        error != 0)
        return fmt::format("cannot be read: {}", std::strerror(error));
    text.resize(std::min(text.size(), text.find('\0')));
    create_type_ = value_of(text, "createType");
    constexpr std::string_view no_parent = "ffffffff";
    if (const std::string parent = value_of(text, "parentCID");
        !parent.empty() && parent != no_parent) {
        parent_ = value_of(text, "parentFileNameHint");
        if (parent_.empty()) return "has a parent, but does not say which";
    }
    return {};
}

std::string VmdkImage::read_directory() {
    const std::uint64_t coverage = header_.entries_per_table * header_.grain_size;
    const std::uint64_t entries = divide_up(header_.capacity, coverage);
    if (entries * 4 > most_directory_bytes)
        return fmt::format("is damaged: its directory has {} entries", entries);
    // The second copy is for when the first is damaged; they are alike.
    const std::uint64_t offset = header_.directory * sector;
    if (header_.directory > file_->size() / sector || entries * 4 > file_->size() - offset)
        return "is damaged: its directory lies beyond the end of the file";
    std::vector<std::byte> bytes(entries * 4);
    if (const int error = file_->read_bytes(offset, bytes); error != 0)
        return fmt::format("cannot be read: {}", std::strerror(error));
    directory_.resize(entries);
    for (std::size_t index = 0; index < entries; ++index)
        directory_[index] = load_little<std::uint32_t>(bytes, index * 4);
    return {};
}

int VmdkImage::map(std::uint64_t offset, std::uint64_t length, Waiting waiting, Mapping& mapping) {
    const std::uint64_t grain = offset / grain_size_, within = offset % grain_size_;
    length = std::min(length, grain_size_ - within);
    mapping = {.place = Mapping::Place::Below, .length = length};
    const std::uint64_t table = directory_[grain / header_.entries_per_table] * sector;
    if (table == 0) return 0;
    if (table >= file_->size()) return EUCLEAN;
    std::uint32_t entry = 0;
    const int error = tables_.look(table, waiting, [&](Bytes bytes) {
        entry = load_little<std::uint32_t>(bytes, grain % header_.entries_per_table * 4);
    });
    if (error != 0 || entry == 0) return error;
    if (entry == 1 && (header_.flags & has_zero_grains) != 0) {
        mapping.place = Mapping::Place::Zero;
        return 0;
    }
    mapping.place = is_packed() ? Mapping::Place::Packed : Mapping::Place::File;
    mapping.file_offset = entry * sector;
    if (mapping.file_offset >= file_->size()) return EUCLEAN;
    if (is_packed())
        mapping.skipped = within;
    else
        mapping.file_offset += within;
    return 0;
}

// A marker says how long the compressed grain is that follows it.
int VmdkImage::unpack(const Mapping& mapping, std::vector<std::byte>& grain) {
    std::array<std::byte, marker_size> marker{};
    if (const int error = file_->read_bytes(mapping.file_offset, marker); error != 0) return error;
    const auto length = load_little<std::uint32_t>(marker, 8);
    if (length == 0 || length > 2 * grain_size_ + 1024) return EUCLEAN;
    std::vector<std::byte> in(length);
    if (const int error = file_->read_bytes(mapping.file_offset + marker_size, in); error != 0)
        return error;
    grain.assign(grain_size_, std::byte{0});
    uLongf size = grain_size_;
    const int result = uncompress(reinterpret_cast<Bytef*>(grain.data()), &size,
                                  reinterpret_cast<const Bytef*>(in.data()), length);
    // The disk's last grain may be shorter.
    return result == Z_OK ? 0 : EUCLEAN;
}

}  // namespace backplane::images::vmdk
