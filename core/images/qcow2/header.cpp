#include "images/qcow2/header.h"

#include "images/byte_order.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

namespace backplane::images::qcow2 {

namespace {

using Bytes = std::span<const std::byte>;

constexpr std::size_t version2_length = 72, version3_length = 104, full_length = 112;
constexpr std::size_t longest_name = 1023;

std::string text(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// What the file itself calls an incompatible feature.
std::string feature_name(const Header& header, unsigned bit) {
    for (const HeaderExtension& extension : header.extensions) {
        if (extension.type != feature_names_extension) continue;
        constexpr std::size_t entry = 48;
        for (std::size_t at = 0; at + entry <= extension.data.size(); at += entry) {
            const Bytes row = Bytes{extension.data}.subspan(at, entry);
            if (row[0] != std::byte{0} || row[1] != std::byte(bit)) continue;
            const std::string name = text(row.subspan(2));
            return fmt::format("\"{}\"", name.substr(0, name.find('\0')));
        }
    }
    return fmt::format("number {}", bit);
}

std::string unsupported(const Header& header) {
    if (header.incompatible & external_data)
        return "its data is in another file (an external data file), which is not supported";
    if (header.incompatible & extended_entries)
        return "it has subclusters (extended L2 entries), which are not supported; qemu-img "
               "convert "
               "makes an image without";
    constexpr std::uint64_t known = dirty | corrupt | other_compression;
    for (unsigned bit = 0; bit < 64; ++bit)
        if ((header.incompatible & ~known) >> bit & 1)
            return fmt::format("it needs a feature that is not known here: {}",
                               feature_name(header, bit));
    return {};
}

// Extensions lie between the header and the name of the backing file.
std::string read_extensions(Header& header, Bytes cluster, std::size_t at, std::size_t end) {
    while (at + 8 <= end) {
        const auto type = load_big<std::uint32_t>(cluster, at);
        const auto length = load_big<std::uint32_t>(cluster, at + 4);
        if (type == 0) return {};
        at += 8;
        if (length > end - at) return "a header extension is longer than the header";
        const Bytes data = cluster.subspan(at, length);
        if (type == backing_format_extension)
            header.backing_format = text(data);
        else
            header.extensions.push_back({type, {data.begin(), data.end()}});
        at += round_up(length, 8);
    }
    return {};
}

std::string check_table(const char* name, std::uint64_t offset, std::uint64_t length,
                        std::uint64_t most, const Header& header, std::uint64_t file_size) {
    if (length > most)
        return fmt::format("its {} has {} bytes, more than {} can be used", name, length, most);
    if (length == 0) return {};
    if (offset == 0 || offset % header.cluster_size() != 0)
        return fmt::format("its {} lies at byte {}, which is not the start of a cluster", name,
                           offset);
    if (offset > file_size || length > file_size - offset)
        return fmt::format("its {} lies at byte {}, beyond the end of the file", name, offset);
    return {};
}

std::string check_tables(const Header& header, std::uint64_t file_size) {
    if (std::string why = check_table("L1 table", header.l1_offset, header.l1_size * 8ull,
                                      most_l1_bytes, header, file_size);
        !why.empty())
        return why;
    if (header.refcount_table_clusters == 0) return "it has no refcount table";
    if (std::string why = check_table("refcount table", header.refcount_table_offset,
                                      header.refcount_table_clusters * header.cluster_size(),
                                      most_refcount_table_bytes, header, file_size);
        !why.empty())
        return why;
    constexpr std::uint32_t most_snapshots = 65536, smallest_entry = 40;
    if (std::string why = check_table("snapshot table", header.snapshots_offset,
                                      header.snapshot_count * std::uint64_t{smallest_entry},
                                      most_snapshots * smallest_entry, header, file_size);
        !why.empty())
        return why;
    if (header.size > (std::uint64_t{1} << 62) ||
        divide_up(header.size, header.l2_coverage()) > header.l1_size)
        return fmt::format("its L1 table has {} entries, too few for a disk of {} bytes",
                           header.l1_size, header.size);
    return {};
}

}  // namespace

std::expected<Header, std::string> Header::read(ByteFile& file) {
    std::array<std::byte, full_length> fixed{};
    if (const int error = file.read_bytes(0, fixed); error != 0)
        return std::unexpected(fmt::format("cannot be read: {}", std::strerror(error)));
    const Bytes bytes{fixed};
    if (load_big<std::uint32_t>(bytes) != magic) return std::unexpected("is not a qcow2 image");
    Header header;
    header.version = load_big<std::uint32_t>(bytes, 4);
    if (header.version != 2 && header.version != 3)
        return std::unexpected(
            fmt::format("is a qcow image of version {}; 2 and 3 are supported", header.version));
    header.cluster_bits = load_big<std::uint32_t>(bytes, 20);
    if (header.cluster_bits < 9 || header.cluster_bits > 21)
        return std::unexpected(fmt::format("has clusters of 2^{} bytes; 2^9 to 2^21 are supported",
                                           header.cluster_bits));
    const auto backing_offset = load_big<std::uint64_t>(bytes, 8);
    const auto backing_length = load_big<std::uint32_t>(bytes, 16);
    header.size = load_big<std::uint64_t>(bytes, size_field);
    if (load_big<std::uint32_t>(bytes, 32) != 0)
        return std::unexpected("is encrypted, which is not supported");
    header.l1_size = load_big<std::uint32_t>(bytes, l1_size_field);
    header.l1_offset = load_big<std::uint64_t>(bytes, 40);
    header.refcount_table_offset = load_big<std::uint64_t>(bytes, refcount_table_field);
    header.refcount_table_clusters = load_big<std::uint32_t>(bytes, 56);
    header.snapshot_count = load_big<std::uint32_t>(bytes, 60);
    header.snapshots_offset = load_big<std::uint64_t>(bytes, 64);
    std::size_t length = version2_length;
    if (header.version >= 3) {
        header.incompatible = load_big<std::uint64_t>(bytes, incompatible_field);
        header.compatible = load_big<std::uint64_t>(bytes, 80);
        header.autoclear = load_big<std::uint64_t>(bytes, autoclear_field);
        header.refcount_order = load_big<std::uint32_t>(bytes, 96);
        length = load_big<std::uint32_t>(bytes, 100);
        if (length < version3_length || length > header.cluster_size())
            return std::unexpected(fmt::format("has a header of {} bytes", length));
        if (header.refcount_order > 6)
            return std::unexpected(
                fmt::format("has refcounts of 2^{} bits; 64 are the most", header.refcount_order));
        if (length > version3_length)
            header.compression = Compression{std::to_integer<std::uint8_t>(bytes[104])};
    }

    std::vector<std::byte> cluster(header.cluster_size());
    if (const int error = file.read_bytes(0, cluster); error != 0)
        return std::unexpected(fmt::format("cannot be read: {}", std::strerror(error)));
    std::size_t extensions_end = cluster.size();
    if (backing_offset != 0 && backing_length != 0) {
        if (backing_length > longest_name || backing_offset < length ||
            backing_offset > cluster.size() || backing_length > cluster.size() - backing_offset)
            return std::unexpected("has the name of its backing file outside its header");
        header.backing = text(Bytes{cluster}.subspan(backing_offset, backing_length));
        extensions_end = backing_offset;
    }
    if (std::string why = read_extensions(header, cluster, length, extensions_end); !why.empty())
        return std::unexpected("is damaged: " + why);
    if (std::string why = unsupported(header); !why.empty())
        return std::unexpected("cannot be used: " + why);
    const bool is_other = (header.incompatible & other_compression) != 0;
    if (header.compression > Compression::Zstd ||
        is_other != (header.compression != Compression::Zlib))
        return std::unexpected(fmt::format("is compressed in a way that is not known here ({})",
                                           static_cast<unsigned>(header.compression)));
    if (std::string why = check_tables(header, file.size()); !why.empty())
        return std::unexpected("is damaged: " + why);
    return header;
}

std::expected<std::vector<std::byte>, std::string> Header::bytes() const {
    std::vector<std::byte> out(cluster_size());
    const std::size_t length = version == 2 ? version2_length : full_length;
    store_big(out, 0, magic);
    store_big(out, 4, version);
    store_big(out, 20, cluster_bits);
    store_big(out, size_field, size);
    store_big(out, l1_size_field, l1_size);
    store_big(out, 40, l1_offset);
    store_big(out, refcount_table_field, refcount_table_offset);
    store_big(out, 56, refcount_table_clusters);
    store_big(out, 60, snapshot_count);
    store_big(out, 64, snapshots_offset);
    if (version >= 3) {
        store_big(out, incompatible_field, incompatible);
        store_big(out, 80, compatible);
        store_big(out, autoclear_field, autoclear);
        store_big(out, 96, refcount_order);
        store_big(out, 100, static_cast<std::uint32_t>(length));
        out[104] = std::byte(compression);
    }
    std::size_t at = length;
    const auto append = [&](std::uint32_t type, Bytes data) {
        const std::size_t end = at + 8 + round_up(data.size(), 8);
        if (end + 8 > out.size()) return false;
        store_big(out, at, type);
        store_big(out, at + 4, static_cast<std::uint32_t>(data.size()));
        std::ranges::copy(data, out.begin() + static_cast<std::ptrdiff_t>(at) + 8);
        at = end;
        return true;
    };
    bool fits = true;
    if (!backing_format.empty())
        fits = append(backing_format_extension, std::as_bytes(std::span{backing_format}));
    for (const HeaderExtension& extension : extensions)
        fits = fits && append(extension.type, extension.data);
    at += 8;  // the extension that ends the list
    if (!fits || backing.size() > longest_name || backing.size() > out.size() - at)
        return std::unexpected(
            fmt::format("the name of the backing file is too long: {} bytes", backing.size()));
    if (!backing.empty()) {
        store_big(out, 8, std::uint64_t{at});
        store_big(out, 16, static_cast<std::uint32_t>(backing.size()));
        std::ranges::copy(std::as_bytes(std::span{backing}),
                          out.begin() + static_cast<std::ptrdiff_t>(at));
    }
    return out;
}

}  // namespace backplane::images::qcow2
