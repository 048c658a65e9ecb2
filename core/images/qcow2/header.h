// The header of a qcow2 file, and what the rest of the format is computed from.
// (docs/interop/qcow2.txt of QEMU is the format's specification.)
#pragma once

#include "images/byte_file.h"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <vector>

namespace backplane::images::qcow2 {

inline constexpr std::uint32_t magic = 0x514649fb;  // "QFI\xfb"

// Incompatible features: whoever does not know them must not open the file.
enum Incompatible : std::uint64_t {
    dirty = 1 << 0,              // refcounts may be wrong
    corrupt = 1 << 1,            // must not be written
    external_data = 1 << 2,      // the data is in another file
    other_compression = 1 << 3,  // compression_type is not zlib
    extended_entries = 1 << 4,   // L2 entries of 16 bytes, with subclusters
};
enum Compatible : std::uint64_t { lazy_refcounts = 1 << 0 };

enum class Compression : std::uint8_t { Zlib = 0, Zstd = 1 };

// Entries of the L1 and L2 tables.
inline constexpr std::uint64_t offset_mask = 0x00fffffffffffe00;
inline constexpr std::uint64_t copied = std::uint64_t{1} << 63;  // the refcount is 1
inline constexpr std::uint64_t packed = std::uint64_t{1} << 62;
inline constexpr std::uint64_t reads_as_zeroes = 1;  // version 3

// Fields that are changed alone.
inline constexpr std::size_t size_field = 24, l1_size_field = 36, refcount_table_field = 48,
                             incompatible_field = 72, autoclear_field = 88;

inline constexpr std::uint64_t most_l1_bytes = 32 << 20;
inline constexpr std::uint64_t most_refcount_table_bytes = 8 << 20;

struct HeaderExtension {
    std::uint32_t type;
    std::vector<std::byte> data;
};
inline constexpr std::uint32_t backing_format_extension = 0xe2792aca;
inline constexpr std::uint32_t feature_names_extension = 0x6803f857;
inline constexpr std::uint32_t bitmaps_extension = 0x23852875;

struct Header {
    std::uint32_t version = 3;
    std::uint32_t cluster_bits = 16;
    std::uint64_t size = 0;
    std::uint32_t l1_size = 0;  // entries
    std::uint64_t l1_offset = 0;
    std::uint64_t refcount_table_offset = 0;
    std::uint32_t refcount_table_clusters = 0;
    std::uint32_t snapshot_count = 0;
    std::uint64_t snapshots_offset = 0;
    std::uint64_t incompatible = 0, compatible = 0, autoclear = 0;
    std::uint32_t refcount_order = 4;
    Compression compression = Compression::Zlib;
    std::string backing;                      // "" without one
    std::string backing_format;               // "" when it is not said
    std::vector<HeaderExtension> extensions;  // all others

    std::uint64_t cluster_size() const { return std::uint64_t{1} << cluster_bits; }
    std::uint64_t l2_entries() const { return cluster_size() / 8; }
    // How much of the disk one L2 table describes.
    std::uint64_t l2_coverage() const { return cluster_size() * l2_entries(); }
    std::uint64_t refcounts_per_block() const { return cluster_size() * 8 >> refcount_order; }
    bool is_lazy() const { return (compatible & lazy_refcounts) != 0; }

    // Why the file cannot be used, or what is in it.
    static std::expected<Header, std::string> read(ByteFile& file);
    // What belongs at the file's start; an error when it does not fit into a cluster.
    std::expected<std::vector<std::byte>, std::string> bytes() const;
};

}  // namespace backplane::images::qcow2
