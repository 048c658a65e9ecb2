// A disk in a sparse VMDK file (monolithicSparse and streamOptimized), to be read: VMware's
// "Virtual Disk Format" 1.1 and 5.0.
#pragma once

#include "images/mapped_storage.h"
#include "images/table_cache.h"

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

namespace backplane::images::vmdk {

// The fields of a sparse extent's header, in sectors of 512 bytes.
struct SparseHeader {
    std::uint32_t version = 0, flags = 0;
    std::uint64_t capacity = 0, grain_size = 0;
    std::uint64_t descriptor_offset = 0, descriptor_size = 0;
    std::uint32_t entries_per_table = 0;
    std::uint64_t redundant_directory = 0, directory = 0;
    std::uint16_t compression = 0;
};

class VmdkImage final : public MappedStorage {
public:
    // Errors are what follows the file's name. The file must be read-only.
    static std::expected<std::unique_ptr<VmdkImage>, std::string>
    open(std::unique_ptr<ByteFile> file);

    // What the descriptor says: "monolithicSparse", for example, and the parent's name.
    const std::string& create_type() const { return create_type_; }
    const std::string& parent() const { return parent_; }
    std::uint64_t grain_size() const { return grain_size_; }

    std::uint64_t size() const override { return header_.capacity * 512; }
    bool is_read_only() const override { return true; }
    int discard(std::uint64_t, std::uint64_t) override { return EROFS; }
    int write_zeroes(std::uint64_t, std::uint64_t, bool) override { return EROFS; }
    int resize(std::uint64_t) override { return EROFS; }

private:
    VmdkImage(std::unique_ptr<ByteFile> file, const SparseHeader& header);

    std::string read_descriptor();
    std::string read_directory();
    int map(std::uint64_t offset, std::uint64_t length, Waiting waiting, Mapping& mapping) override;
    int unpack(const Mapping& mapping, std::vector<std::byte>& grain) override;
    bool is_packed() const { return header_.compression != 0; }

    SparseHeader header_;
    std::uint64_t grain_size_;   // bytes
    std::uint64_t table_bytes_;  // of one grain table
    std::vector<std::uint32_t> directory_;
    TableCache tables_;
    std::string create_type_, parent_;
};

}  // namespace backplane::images::vmdk
