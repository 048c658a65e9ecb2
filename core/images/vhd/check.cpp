#include "images/vhd/check.h"

#include "images/byte_order.h"
#include "images/vhd/dynamic_vhd.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace backplane::images::vhd {

namespace {

constexpr std::uint64_t sector = 512;

struct Block {
    std::uint64_t place, index;
};

std::expected<void, std::string> check_blocks(ByteFile& file, const Footer& footer,
                                              CheckReport& report) {
    std::array<std::byte, dynamic_header_size> bytes{};
    if (footer.data_offset > file.size() || file.read_bytes(footer.data_offset, bytes) != 0)
        return std::unexpected("has no dynamic disk header");
    const auto header = DynamicHeader::parse(bytes);
    if (!header) return std::unexpected(header.error());
    const std::uint64_t table_size = header->table_entries * std::uint64_t{4};
    if (header->table_offset > file.size() || table_size > file.size() - header->table_offset)
        return std::unexpected("has its table beyond the end of the file");
    constexpr std::uint64_t most_entries = 64 << 20;
    if (header->table_entries > most_entries || header->block_size < 4096)
        return std::unexpected("has a table that is too large to be checked");

    std::vector<std::byte> table(table_size);
    if (const int error = file.read_bytes(header->table_offset, table); error != 0)
        return std::unexpected(fmt::format("cannot be read: {}", std::strerror(error)));
    const std::uint64_t bitmap_size = round_up(divide_up(header->block_size / sector, 8), sector);
    const std::uint64_t whole = bitmap_size + header->block_size;
    std::vector<Block> blocks;
    for (std::uint64_t index = 0; index < header->table_entries; ++index)
        if (const auto entry = load_big<std::uint32_t>(table, index * 4); entry != 0xffffffff)
            blocks.push_back({entry * sector, index});
    report.pieces = divide_up(footer.disk_size(), header->block_size);
    report.used_pieces = blocks.size();

    std::ranges::sort(blocks, {}, &Block::place);
    std::uint64_t end = std::max(header->table_offset + table_size,
                                 footer.data_offset + dynamic_header_size);
    std::uint64_t gaps = 0;
    for (const Block& block : blocks) {
        if (block.place < end)
            report.add_error(fmt::format("block {} at byte {} overlaps what lies before it",
                                         block.index, block.place));
        if (block.place + whole > file.size())
            report.add_error(fmt::format("block {} at byte {} lies beyond the end of the file",
                                         block.index, block.place));
        if (block.place > end) gaps += (block.place - end) / whole;
        end = std::max(end, block.place + whole);
    }
    if (file.size() > end) gaps += (file.size() - end) / whole;
    report.leaks += gaps;
    if (gaps != 0)
        report.add_finding(
            fmt::format("leak: no entry of the table points at room for {} blocks", gaps));
    return {};
}

bool has_footer(ByteFile& file, std::uint64_t offset) {
    std::array<std::byte, footer_size> bytes{};
    return file.read_bytes(offset, bytes) == 0 && Footer::parse(bytes);
}

}  // namespace

std::expected<CheckReport, std::string> check(ByteFile& file, Repair repair) {
    const auto footer = find_footer(file);
    if (!footer) return std::unexpected(footer.error());
    CheckReport report;
    if (footer->type != DiskType::Fixed)
        if (auto blocks = check_blocks(file, *footer, report); !blocks)
            return std::unexpected(blocks.error());

    const std::uint64_t end = round_up(file.size(), sector);
    const auto mend = [&](std::uint64_t at, std::uint64_t& mended) {
        if (repair == Repair::Nothing) return;
        if (file.write_bytes(at, footer->bytes()) == 0 && file.flush() == 0) ++mended;
    };
    if (footer->type != DiskType::Fixed && !has_footer(file, 0)) {
        report.add_error("there is no sound copy of the footer at the start of the file");
        mend(0, report.mended_errors);
    }
    if (end != file.size() || !has_footer(file, end - footer_size)) {
        // A host that failed while the file grew. The copy in front is there for that.
        report.add_leak("there is no sound footer at the end of the file");
        mend(end, report.mended_leaks);
    }
    return report;
}

}  // namespace backplane::images::vhd
