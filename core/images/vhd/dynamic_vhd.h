// A VHD file that grows with what is written, in blocks of 2 MiB; a differencing one has only what
// is not as in its parent, sector by sector.
//
// Data and the footer behind it are stable before the bits and the table that point at them.
#pragma once

#include "images/mapped_storage.h"
#include "images/table_cache.h"
#include "images/vhd/footer.h"

#include <expected>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace backplane::images::vhd {

class DynamicVhd final : public MappedStorage {
public:
    static std::expected<std::unique_ptr<DynamicVhd>, std::string>
    open(std::unique_ptr<ByteFile> file, Footer footer);

    const Footer& footer() const { return footer_; }
    const DynamicHeader& header() const { return header_; }
    bool is_differencing() const { return footer_.type == DiskType::Differencing; }
    // Where the parent may be.
    const std::vector<std::string>& parents() const { return parents_; }

    std::uint64_t size() const override { return footer_.disk_size(); }
    bool can_discard() const override { return false; }
    int discard(std::uint64_t, std::uint64_t) override { return 0; }
    int write_zeroes(std::uint64_t offset, std::uint64_t length, bool may_discard) override;
    // The table has room for no more.
    int resize(std::uint64_t) override;
    // All or nothing.
    int uncover(std::uint64_t offset, std::uint64_t length) override;

private:
    DynamicVhd(std::unique_ptr<ByteFile> file, Footer footer, DynamicHeader header);

    int map(std::uint64_t offset, std::uint64_t length, Waiting waiting, Mapping& mapping) override;
    int write_new(std::uint64_t offset, SegmentCursor& cursor, std::uint64_t& length) override;
    int commit() override;
    bool is_commit_due() const override;

    // Where a block's bitmap starts; 0: there is no such block.
    int find_block(std::uint64_t index, Waiting waiting, std::uint64_t& place);
    int add_block(std::uint64_t index, std::uint64_t& place);
    int map_sectors(std::uint64_t place, std::uint64_t within, std::uint64_t length,
                    Waiting waiting, Mapping& mapping);
    std::uint64_t entry_offset(std::uint64_t index) const;
    std::uint64_t table_end() const;

    Footer footer_;
    DynamicHeader header_;
    std::vector<std::string> parents_;
    std::uint64_t block_size_, bitmap_size_;
    TableCache table_;         // by pages
    TableCache bitmaps_;       // one for each block
    std::uint64_t end_ = 0;    // where the footer is, and the next block goes
    std::mutex commit_mutex_;  // taken before mutex_
};

// Reads the footer, wherever it is sound.
std::expected<Footer, std::string> find_footer(ByteFile& file);

}  // namespace backplane::images::vhd
