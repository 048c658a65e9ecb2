#include "images/qcow2/qcow2_image.h"

#include "images/byte_order.h"
#include "images/qcow2/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace backplane::images::qcow2 {

std::expected<std::unique_ptr<Qcow2Image>, std::string>
Qcow2Image::open(std::unique_ptr<ByteFile> file, const std::string& snapshot) {
    auto header = Header::read(*file);
    if (!header) return std::unexpected(header.error());
    if (!file->is_read_only() && snapshot.empty()) {
        if (header->incompatible & corrupt)
            return std::unexpected("is marked as damaged; `backplane image check --repair all` "
                                   "mends it, read-only: true reads it as it is");
        if (header->incompatible & dirty) {
            if (auto mended = repair_counts(*file); !mended)
                return std::unexpected("was not closed, and cannot be mended: " + mended.error());
            header = Header::read(*file);
            if (!header) return std::unexpected(header.error());
        }
    }
    std::unique_ptr<Qcow2Image> image{new Qcow2Image{std::move(file), std::move(*header)}};
    if (std::string why = image->start(snapshot); !why.empty()) return std::unexpected(why);
    return image;
}

std::size_t Qcow2Image::table_capacity() const {
    constexpr std::size_t cache_bytes = 32 << 20, fewest = 8, most = 1024;
    return std::clamp<std::size_t>(cache_bytes >> header_.cluster_bits, fewest, most);
}

std::string Qcow2Image::start(const std::string& snapshot) {
    std::uint64_t l1_offset = header_.l1_offset, disk_size = header_.size;
    std::uint32_t l1_size = header_.l1_size;
    auto snapshots = SnapshotTable::read(*file_, header_);
    if (snapshots) snapshots_ = snapshots->snapshots;
    if (!snapshot.empty()) {
        if (!snapshots) return "is damaged: " + snapshots.error();
        const Snapshot* found = snapshots->find(snapshot);
        if (found == nullptr)
            return fmt::format("has no internal snapshot \"{}\"; `backplane image info` lists them",
                               snapshot);
        l1_offset = found->l1_offset, l1_size = found->l1_size, disk_size = found->disk_size;
        is_snapshot_ = true;
    }
    auto l1 = read_l1(*file_, l1_offset, l1_size);
    if (!l1) return fmt::format("cannot be read: {}", std::strerror(l1.error()));
    l1_ = std::move(*l1);
    size_ = round_up(disk_size, 512);
    data_end_ = round_up(file_->size(), cluster_size_);
    if (is_read_only()) return {};

    if (!snapshots) return "is damaged: " + snapshots.error();
    metadata_.add(0);
    metadata_.add(header_.l1_offset, l1_.size() * 8);
    metadata_.add(header_.snapshots_offset, snapshots->length);
    for (const Snapshot& each : snapshots->snapshots)
        metadata_.add(each.l1_offset, each.l1_size * std::uint64_t{8});
    for (const std::uint64_t entry : l1_)
        if ((entry & offset_mask) != 0) metadata_.add(entry & offset_mask);
    return start_writing();
}

std::string Qcow2Image::start_writing() {
    auto counts = Refcounts::load(*file_, header_, metadata_);
    if (!counts) return fmt::format("cannot be read: {}", std::strerror(counts.error()));
    counts_ = std::move(*counts);
    if (header_.autoclear == 0) return {};
    // What these features describe (dirty bitmaps, for example) is not kept true by this program.
    header_.autoclear = 0;
    int error = write_field(autoclear_field, 0);
    if (error == 0) error = file_->flush();
    return error != 0 ? fmt::format("cannot be written: {}", std::strerror(error)) : "";
}

int Qcow2Image::write_field(std::uint64_t offset, std::uint64_t value) {
    std::array<std::byte, 8> bytes{};
    store_big(bytes, 0, value);
    return file_->write_bytes(offset, bytes);
}

int Qcow2Image::set_incompatible(std::uint64_t features) {
    if (header_.version < 3 || header_.incompatible == features) return 0;
    header_.incompatible = features;
    if (const int error = write_field(incompatible_field, features); error != 0) return error;
    return file_->flush();
}

Mapping::Place Qcow2Image::place_of(std::uint64_t entry) const {
    if (entry & packed) return Mapping::Place::Packed;
    if (header_.version >= 3 && entry & reads_as_zeroes) return Mapping::Place::Zero;
    return (entry & offset_mask) != 0 ? Mapping::Place::File : Mapping::Place::Below;
}

// The entry's cluster belongs to it alone, and to nothing else that is known.
bool Qcow2Image::is_own_place(std::uint64_t entry) const {
    const std::uint64_t place = entry & offset_mask;
    return (entry & copied) != 0 && (entry & packed) == 0 && place != 0 && is_in_file(place) &&
           !metadata_.overlap(place, cluster_size_);
}

int Qcow2Image::find_table(std::uint64_t offset, std::uint64_t& table) const {
    const std::uint64_t index = offset / header_.l2_coverage();
    table = index < l1_.size() ? l1_[index] & offset_mask : 0;
    return table == 0 || is_in_file(table) ? 0 : EUCLEAN;
}

int Qcow2Image::map(std::uint64_t offset, std::uint64_t length, Waiting waiting, Mapping& mapping) {
    const std::uint64_t coverage = header_.l2_coverage();
    length = std::min(length, coverage - offset % coverage);
    std::uint64_t table = 0;
    if (const int error = find_table(offset, table); error != 0) return error;
    if (table == 0) {
        mapping = {.place = Mapping::Place::Below, .length = length};
        return 0;
    }
    int damage = 0;
    const int error = tables_.look(table, waiting, [&](std::span<const std::byte> entries) {
        damage = read_mapping(offset, length, entries, mapping);
    });
    return error != 0 ? error : damage;
}

int Qcow2Image::read_mapping(std::uint64_t offset, std::uint64_t length,
                             std::span<const std::byte> table, Mapping& mapping) const {
    std::uint64_t index = offset / cluster_size_ % header_.l2_entries();
    const std::uint64_t within = offset % cluster_size_;
    const auto entry = load_big<std::uint64_t>(table, index * 8);
    mapping = {.place = place_of(entry), .length = std::min(length, cluster_size_ - within)};
    if (mapping.place == Mapping::Place::Packed) {
        const PackedPlace place = PackedPlace::of(entry, header_.cluster_bits);
        if (place.offset == 0 || place.offset >= data_end_) return EUCLEAN;
        mapping.file_offset = place.offset;
        mapping.packed_size = place.size;
        mapping.skipped = within;
        return 0;
    }
    std::uint64_t place = entry & offset_mask;
    const bool in_file = mapping.place == Mapping::Place::File;
    if (in_file) {
        if (!is_in_file(place)) return EUCLEAN;
        mapping.file_offset = place + within;
        mapping.is_writable = counts_ != nullptr && is_own_place(entry);
    }
    // As far as it goes on like that.
    while (mapping.length < length && ++index < header_.l2_entries()) {
        const auto next = load_big<std::uint64_t>(table, index * 8);
        if (place_of(next) != mapping.place) break;
        if (in_file) {
            place += cluster_size_;
            if ((next & offset_mask) != place || !is_in_file(place)) break;
            if ((counts_ != nullptr && is_own_place(next)) != mapping.is_writable) break;
        }
        mapping.length = std::min(length, mapping.length + cluster_size_);
    }
    return 0;
}

int Qcow2Image::unpack(const Mapping& mapping, std::vector<std::byte>& cluster) {
    std::vector<std::byte> in(mapping.packed_size);
    if (const int error = file_->read_bytes(mapping.file_offset, in); error != 0) return error;
    cluster.resize(cluster_size_);
    return qcow2::unpack(header_.compression, in, cluster) ? 0 : EUCLEAN;
}

std::expected<void, std::string> Qcow2Image::set_backing(const std::string& name,
                                                         const std::string& format) {
    Header next = header_;
    next.backing = name;
    next.backing_format = format;
    const auto bytes = next.bytes();
    if (!bytes) return std::unexpected(bytes.error());
    int error = commit(false);
    if (error == 0) error = file_->write_bytes(0, *bytes);
    if (error == 0) error = file_->flush();
    if (error != 0) return std::unexpected(std::strerror(error));
    header_ = std::move(next);
    return {};
}

}  // namespace backplane::images::qcow2
