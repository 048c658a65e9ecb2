#include "images/qcow2/snapshot_table.h"

#include "images/byte_order.h"

#include <fmt/format.h>

#include <array>
#include <cstring>

namespace backplane::images::qcow2 {

namespace {

constexpr std::size_t fixed_length = 40;
constexpr std::uint64_t most_table_bytes = 64 << 20, most_l1_bytes_together = 256 << 20;

}  // namespace

std::expected<SnapshotTable, std::string> SnapshotTable::read(ByteFile& file,
                                                              const Header& header) {
    SnapshotTable table;
    std::uint64_t at = header.snapshots_offset, l1_bytes = 0;
    for (std::uint32_t index = 0; index < header.snapshot_count; ++index) {
        const auto damaged = [&](const char* why) {
            return std::unexpected(fmt::format("entry {} of its snapshot table {}", index, why));
        };
        std::array<std::byte, fixed_length> fixed{};
        if (at + fixed.size() > file.size()) return damaged("lies beyond the end of the file");
        if (const int error = file.read_bytes(at, fixed); error != 0)
            return damaged(std::strerror(error));
        Snapshot snapshot;
        snapshot.l1_offset = load_big<std::uint64_t>(fixed, 0);
        snapshot.l1_size = load_big<std::uint32_t>(fixed, 8);
        const auto id_length = load_big<std::uint16_t>(fixed, 12);
        const auto name_length = load_big<std::uint16_t>(fixed, 14);
        snapshot.seconds = load_big<std::uint32_t>(fixed, 16);
        snapshot.nanoseconds = load_big<std::uint32_t>(fixed, 20);
        snapshot.machine_state_size = load_big<std::uint32_t>(fixed, 32);
        const auto extra_length = load_big<std::uint32_t>(fixed, 36);
        at += fixed.size();

        if (extra_length > 1024) return damaged("is longer than there is room for");
        std::vector<std::byte> rest(extra_length + id_length + name_length);
        if (at + rest.size() > file.size()) return damaged("lies beyond the end of the file");
        if (const int error = file.read_bytes(at, rest); error != 0)
            return damaged(std::strerror(error));
        if (extra_length >= 8) snapshot.machine_state_size = load_big<std::uint64_t>(rest, 0);
        snapshot.disk_size = extra_length >= 16 ? load_big<std::uint64_t>(rest, 8) : header.size;
        const char* names = reinterpret_cast<const char*>(rest.data()) + extra_length;
        snapshot.id.assign(names, id_length);
        snapshot.name.assign(names + id_length, name_length);
        at = round_up(at + rest.size(), 8);

        const std::uint64_t length = snapshot.l1_size * std::uint64_t{8};
        l1_bytes += length;
        if (snapshot.l1_offset % header.cluster_size() != 0 || length > most_l1_bytes ||
            l1_bytes > most_l1_bytes_together || snapshot.l1_offset > file.size() ||
            length > file.size() - snapshot.l1_offset)
            return damaged("has an L1 table that is too large, or not in the file");
        if (snapshot.disk_size > (std::uint64_t{1} << 62) ||
            divide_up(snapshot.disk_size, header.l2_coverage()) > snapshot.l1_size)
            return damaged("has an L1 table too small for its disk");
        table.snapshots.push_back(std::move(snapshot));
        table.length = at - header.snapshots_offset;
        if (table.length > most_table_bytes) return damaged("is longer than there is room for");
    }
    return table;
}

const Snapshot* SnapshotTable::find(const std::string& name) const {
    for (const Snapshot& snapshot : snapshots)
        if (snapshot.name == name) return &snapshot;
    for (const Snapshot& snapshot : snapshots)
        if (snapshot.id == name) return &snapshot;
    return nullptr;
}

std::expected<std::vector<std::uint64_t>, int> read_l1(ByteFile& file, std::uint64_t offset,
                                                       std::uint32_t size) {
    std::vector<std::byte> bytes(size * std::size_t{8});
    if (const int error = file.read_bytes(offset, bytes); error != 0) return std::unexpected(error);
    std::vector<std::uint64_t> entries(size);
    for (std::size_t index = 0; index < entries.size(); ++index)
        entries[index] = load_big<std::uint64_t>(bytes, index * 8);
    return entries;
}

}  // namespace backplane::images::qcow2
