// A disk in a VirtualBox VDI file, dynamic or fixed, to be read.
#pragma once

#include "images/mapped_storage.h"
#include "images/table_cache.h"

#include <cstdint>
#include <expected>
#include <memory>
#include <string>

namespace backplane::images::vdi {

enum class DiskType : std::uint32_t { Dynamic = 1, Fixed = 2, Undo = 3, Differencing = 4 };

struct Header {
    DiskType type = DiskType::Dynamic;
    std::uint32_t map_offset = 0, data_offset = 0;
    std::uint64_t disk_size = 0;
    std::uint32_t block_size = 0, block_extra = 0, blocks = 0;
};

class VdiImage final : public MappedStorage {
public:
    // Errors are what follows the file's name. The file must be read-only.
    static std::expected<std::unique_ptr<VdiImage>, std::string>
    open(std::unique_ptr<ByteFile> file);

    const Header& header() const { return header_; }

    std::uint64_t size() const override { return round_up_to_sector(header_.disk_size); }
    bool is_read_only() const override { return true; }
    int discard(std::uint64_t, std::uint64_t) override { return EROFS; }
    int write_zeroes(std::uint64_t, std::uint64_t, bool) override { return EROFS; }
    int resize(std::uint64_t) override { return EROFS; }

private:
    VdiImage(std::unique_ptr<ByteFile> file, const Header& header);

    static std::uint64_t round_up_to_sector(std::uint64_t size) { return (size + 511) / 512 * 512; }
    int map(std::uint64_t offset, std::uint64_t length, Waiting waiting, Mapping& mapping) override;

    Header header_;
    TableCache map_;  // by pages
};

}  // namespace backplane::images::vdi
