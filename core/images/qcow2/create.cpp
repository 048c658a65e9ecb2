#include "images/qcow2/create.h"

#include "images/byte_order.h"
#include "images/qcow2/refcounts.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <vector>

namespace backplane::images::qcow2 {

namespace {

std::string check_options(const CreateOptions& options) {
    if (!std::has_single_bit(options.cluster_size) || options.cluster_size < 512 ||
        options.cluster_size > (2 << 20))
        return fmt::format("clusters of {} bytes: a power of two from 512 B to 2 MiB was expected",
                           options.cluster_size);
    if (!std::has_single_bit(options.refcount_bits) || options.refcount_bits > 64)
        return fmt::format("refcounts of {} bits: 1, 2, 4, 8, 16, 32 or 64 was expected",
                           options.refcount_bits);
    if (options.version != 2 && options.version != 3)
        return fmt::format("version {}: 2 or 3 was expected", options.version);
    if (options.version == 2 && (options.refcount_bits != 16 || options.has_lazy_refcounts ||
                                 options.compression != Compression::Zlib))
        return "version 2 has refcounts of 16 bits that are not lazy, and zlib alone";
    return {};
}

}  // namespace

// The header, the refcount table, blocks of refcounts, and the L1 table follow each other.
std::expected<void, std::string> create(ByteFile& file, const CreateOptions& options) {
    if (std::string why = check_options(options); !why.empty()) return std::unexpected(why);
    Header header;
    header.version = options.version;
    header.cluster_bits = static_cast<std::uint32_t>(std::countr_zero(options.cluster_size));
    header.size = options.size;
    header.refcount_order = static_cast<std::uint32_t>(std::countr_zero(options.refcount_bits));
    header.compression = options.compression;
    if (options.compression != Compression::Zlib) header.incompatible |= other_compression;
    if (options.has_lazy_refcounts) header.compatible |= lazy_refcounts;
    header.backing = options.backing;
    header.backing_format = options.backing.empty() ? "" : options.backing_format;

    const std::uint64_t cluster = header.cluster_size();
    const std::uint64_t l1_entries = divide_up(options.size, header.l2_coverage());
    if (l1_entries * 8 > most_l1_bytes)
        return std::unexpected(fmt::format(
            "a disk of {} bytes needs larger clusters: with {} bytes each, {} bytes are "
            "the most",
            options.size, cluster, most_l1_bytes / 8 * header.l2_coverage()));
    const std::uint64_t l1_clusters = divide_up(l1_entries * 8, cluster);
    std::uint64_t blocks = 1, used = 0;
    for (;;) {
        used = 2 + blocks + l1_clusters;  // one cluster of table is enough for all these blocks
        if (divide_up(used, header.refcounts_per_block()) <= blocks) break;
        ++blocks;
    }
    if (blocks * 8 > cluster)
        return std::unexpected("a disk of this size needs larger clusters, or smaller refcounts");
    header.refcount_table_offset = cluster;
    header.refcount_table_clusters = 1;
    header.l1_size = static_cast<std::uint32_t>(l1_entries);
    header.l1_offset = (2 + blocks) * cluster;

    const auto first = header.bytes();
    if (!first) return std::unexpected(first.error());
    std::vector<std::byte> rest((used - 1) * cluster);
    const std::span table = std::span{rest}.first(cluster);
    for (std::uint64_t block = 0; block < blocks; ++block)
        store_big(table, block * 8, (2 + block) * cluster);
    for (std::uint64_t at = 0; at < used; ++at) {
        const std::uint64_t block = at / header.refcounts_per_block();
        set_refcount_at(std::span{rest}.subspan((1 + block) * cluster, cluster),
                        at % header.refcounts_per_block(), header.refcount_order, 1);
    }
    // The header comes last: before, the file is no image.
    int error = file.write_bytes(cluster, rest);
    if (error == 0) error = file.flush();
    if (error == 0) error = file.write_bytes(0, *first);
    if (error == 0) error = file.flush();
    if (error != 0) return std::unexpected(std::strerror(error));
    return {};
}

}  // namespace backplane::images::qcow2
