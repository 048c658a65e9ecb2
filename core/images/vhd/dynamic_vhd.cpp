#include "images/vhd/dynamic_vhd.h"

#include "images/byte_order.h"
#include "images/write_stages.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>

namespace backplane::images::vhd {

namespace {

constexpr std::uint64_t sector = 512, page_size = 4096;
constexpr std::uint32_t unused = 0xffffffff;
constexpr std::size_t cached_pages = 256, cached_bitmaps = 1024, most_changed_bitmaps = 512;

bool bit(std::span<const std::byte> bitmap, std::uint64_t index) {
    return (std::to_integer<unsigned>(bitmap[index / 8]) >> (7 - index % 8) & 1) != 0;
}

}  // namespace

std::expected<Footer, std::string> find_footer(ByteFile& file) {
    std::array<std::byte, footer_size> bytes{};
    const auto read = [&](std::uint64_t offset) -> std::expected<Footer, std::string> {
        if (const int error = file.read_bytes(offset, bytes); error != 0)
            return std::unexpected(fmt::format("cannot be read: {}", std::strerror(error)));
        return Footer::parse(bytes);
    };
    if (file.size() < footer_size) return std::unexpected("is not a VHD image");
    auto last = read(file.size() - footer_size);
    if (last) return last;
    // All but fixed disks have a copy in front.
    auto first = read(0);
    return first && first->type != DiskType::Fixed ? first : last;
}

DynamicVhd::DynamicVhd(std::unique_ptr<ByteFile> file, Footer footer, DynamicHeader header)
    : MappedStorage{std::move(file)}, footer_{std::move(footer)}, header_{std::move(header)},
      block_size_{header_.block_size},
      bitmap_size_{round_up(divide_up(block_size_ / sector, 8), sector)},
      table_{*file_, page_size, cached_pages}, bitmaps_{*file_, bitmap_size_, cached_bitmaps} {}

std::expected<std::unique_ptr<DynamicVhd>, std::string>
DynamicVhd::open(std::unique_ptr<ByteFile> file, Footer footer) {
    std::array<std::byte, dynamic_header_size> bytes{};
    if (footer.data_offset > file->size())
        return std::unexpected(
            "is damaged: its dynamic disk header lies beyond the end of the file");
    if (const int error = file->read_bytes(footer.data_offset, bytes); error != 0)
        return std::unexpected(fmt::format("cannot be read: {}", std::strerror(error)));
    auto header = DynamicHeader::parse(bytes);
    if (!header) return std::unexpected(header.error());
    constexpr std::uint32_t smallest_block = 4096, largest_block = 256 << 20;
    if (!std::has_single_bit(header->block_size) || header->block_size < smallest_block ||
        header->block_size > largest_block)
        return std::unexpected(
            fmt::format("is damaged: its blocks have {} bytes", header->block_size));
    if (divide_up(footer.disk_size(), header->block_size) > header->table_entries)
        return std::unexpected(
            fmt::format("is damaged: its table has {} entries, too few for a disk "
                        "of {} bytes",
                        header->table_entries, footer.disk_size()));
    if (header->table_offset > file->size() ||
        header->table_entries * std::uint64_t{4} > file->size() - header->table_offset)
        return std::unexpected("is damaged: its table lies beyond the end of the file");

    std::unique_ptr<DynamicVhd> image{
        new DynamicVhd{std::move(file), std::move(footer), std::move(*header)}};
    if (image->is_differencing())
        image->parents_ = parent_paths(*image->file_, bytes, image->header_.parent_name);
    std::array<std::byte, footer_size> last{};
    const std::uint64_t file_size = image->file_->size();
    if (const int error = image->file_->read_bytes(file_size - footer_size, last); error != 0)
        return std::unexpected(fmt::format("cannot be read: {}", std::strerror(error)));
    const bool has_footer = file_size % sector == 0 && Footer::parse(last).has_value();
    image->end_ = has_footer ? file_size - footer_size : round_up(file_size, sector);
    if (!has_footer && !image->is_read_only())
        if (const int error = image->file_->write_bytes(image->end_, image->footer_.bytes());
            error != 0)
            return std::unexpected(fmt::format("cannot be written: {}", std::strerror(error)));
    return image;
}

std::uint64_t DynamicVhd::entry_offset(std::uint64_t index) const {
    return header_.table_offset + index * 4;
}

std::uint64_t DynamicVhd::table_end() const {
    return header_.table_offset + header_.table_entries * std::uint64_t{4};
}

int DynamicVhd::find_block(std::uint64_t index, Waiting waiting, std::uint64_t& place) {
    std::uint32_t entry = unused;
    const std::uint64_t within = index * 4 % page_size;
    const int error = table_.look(
        entry_offset(index) - within, waiting,
        [&](std::span<const std::byte> page) { entry = load_big<std::uint32_t>(page, within); });
    if (error != 0) return error;
    if (entry == unused) {
        place = 0;
        return 0;
    }
    place = entry * sector;
    const std::uint64_t end = place + bitmap_size_ + block_size_;
    const auto overlaps = [&](std::uint64_t first, std::uint64_t last) {
        return place < last && first < end;
    };
    if (end > round_up(end_, sector) || overlaps(0, footer_size) ||
        overlaps(footer_.data_offset, footer_.data_offset + dynamic_header_size) ||
        overlaps(header_.table_offset, table_end()))
        return EUCLEAN;
    return 0;
}

int DynamicVhd::map(std::uint64_t offset, std::uint64_t length, Waiting waiting, Mapping& mapping) {
    const std::uint64_t within = offset % block_size_;
    length = std::min(length, block_size_ - within);
    std::uint64_t place = 0;
    if (const int error = find_block(offset / block_size_, waiting, place); error != 0)
        return error;
    if (place == 0) {
        mapping = {.place = Mapping::Place::Below, .length = length};
        return 0;
    }
    if (is_differencing()) return map_sectors(place, within, length, waiting, mapping);
    mapping = {.place = Mapping::Place::File,
               .is_writable = true,
               .length = length,
               .file_offset = place + bitmap_size_ + within};
    return 0;
}

int DynamicVhd::map_sectors(std::uint64_t place, std::uint64_t within, std::uint64_t length,
                            Waiting waiting, Mapping& mapping) {
    return bitmaps_.look(place, waiting, [&](std::span<const std::byte> bitmap) {
        std::uint64_t index = within / sector;
        const bool is_here = bit(bitmap, index);
        std::uint64_t same = sector;
        while (same < length && bit(bitmap, ++index) == is_here)
            same += sector;
        mapping = {.place = is_here ? Mapping::Place::File : Mapping::Place::Below,
                   .is_writable = is_here,
                   .length = std::min(same, length),
                   .file_offset = place + bitmap_size_ + within};
    });
}

int DynamicVhd::add_block(std::uint64_t index, std::uint64_t& place) {
    place = end_;
    const std::uint64_t end = place + bitmap_size_ + block_size_;
    if (end / sector >= unused) return EFBIG;
    // The footer first: there is one at the file's end at any moment. Then the bitmap, which takes
    // the place of the old one.
    if (const int error = file_->write_bytes(end, footer_.bytes()); error != 0) return error;
    const std::byte every_sector{is_differencing() ? std::uint8_t{0} : std::uint8_t{0xff}};
    const std::vector<std::byte> bitmap(bitmap_size_, every_sector);
    if (const int error = file_->write_bytes(place, bitmap); error != 0) {
        end_ = end;  // as the file is now
        return error;
    }
    bitmaps_.forget(place);
    end_ = end;
    const std::uint64_t within = index * 4 % page_size;
    return table_.change(entry_offset(index) - within, within, within + 4,
                         [&](std::span<std::byte> page) {
                             store_big(page, within, static_cast<std::uint32_t>(place / sector));
                         });
}

int DynamicVhd::write_new(std::uint64_t offset, SegmentCursor& cursor, std::uint64_t& length) {
    const std::uint64_t within = offset % block_size_;
    length = std::min(length, block_size_ - within);
    std::uint64_t place = 0;
    if (const int error = find_block(offset / block_size_, Waiting::Yes, place); error != 0)
        return error;
    if (place == 0)
        if (const int error = add_block(offset / block_size_, place); error != 0) return error;
    if (const int error = file_->write(place + bitmap_size_ + within, cursor.take(length),
                                       Durability::Cached);
        error != 0)
        return error;
    if (!is_differencing()) return 0;
    const std::uint64_t first = within / sector, end = (within + length) / sector;
    return bitmaps_.change(place, first / 8, (end + 7) / 8, [&](std::span<std::byte> bitmap) {
        for (std::uint64_t index = first; index < end; ++index)
            bitmap[index / 8] |= std::byte(0x80 >> index % 8);
    });
}

bool DynamicVhd::is_commit_due() const {
    return bitmaps_.changed_count() > most_changed_bitmaps ||
           table_.changed_count() > cached_pages / 2;
}

int DynamicVhd::commit() {
    const std::lock_guard one_at_a_time{commit_mutex_};
    std::array<WriteStage, 2> stages;
    {
        const std::unique_lock lock{mutex_};
        bitmaps_.take_changes(stages[1]);
        table_.take_changes(stages[1]);
    }
    const int error = write_stages(*file_, stages);
    const std::unique_lock lock{mutex_};
    bitmaps_.finish(error == 0);
    table_.finish(error == 0);
    return error;
}

int DynamicVhd::write_zeroes(std::uint64_t offset, std::uint64_t length, bool) {
    return write_needed_zeroes(offset, length);
}

int DynamicVhd::resize(std::uint64_t) { return EINVAL; }

int DynamicVhd::uncover(std::uint64_t offset, std::uint64_t length) {
    if (offset != 0 || length < size() || !is_differencing()) return ENOTSUP;
    if (const int error = commit(); error != 0) return error;
    const std::unique_lock lock{mutex_};
    std::uint64_t first_block = end_;
    for (std::uint64_t index = 0; index < header_.table_entries; ++index) {
        std::uint64_t place = 0;
        if (const int error = find_block(index, Waiting::Yes, place); error != 0) return error;
        if (place == 0) continue;
        first_block = std::min(first_block, place);
        bitmaps_.forget(place);
        const std::uint64_t within = index * 4 % page_size;
        if (const int error = table_.change(
                entry_offset(index) - within, within, within + 4,
                [&](std::span<std::byte> page) { store_big(page, within, unused); });
            error != 0)
            return error;
    }
    std::array<WriteStage, 1> stages;
    table_.take_changes(stages[0]);
    const int error = write_stages(*file_, stages);
    table_.finish(error == 0);
    if (error != 0 || first_block == end_) return error;
    // Nothing points behind the first block now.
    if (const int failed = file_->write_bytes(first_block, footer_.bytes()); failed != 0)
        return failed;
    if (const int failed = file_->flush(); failed != 0) return failed;
    end_ = first_block;
    return file_->resize(first_block + footer_size);
}

}  // namespace backplane::images::vhd
