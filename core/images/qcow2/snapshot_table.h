// The internal snapshots of a qcow2 file: each has an L1 table of its own.
#pragma once

#include "images/qcow2/header.h"

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

namespace backplane::images::qcow2 {

struct Snapshot {
    std::string id, name;
    std::uint64_t l1_offset = 0;
    std::uint32_t l1_size = 0;
    std::uint64_t disk_size = 0;
    std::uint64_t machine_state_size = 0;
    std::uint32_t seconds = 0, nanoseconds = 0;  // since 1970
};

struct SnapshotTable {
    std::vector<Snapshot> snapshots;
    std::uint64_t length = 0;  // in the file

    static std::expected<SnapshotTable, std::string> read(ByteFile& file, const Header& header);
    // By name or id.
    const Snapshot* find(const std::string& name) const;
};

// Entries of an L1 table in the file.
std::expected<std::vector<std::uint64_t>, int> read_l1(ByteFile& file, std::uint64_t offset,
                                                       std::uint32_t size);

}  // namespace backplane::images::qcow2
