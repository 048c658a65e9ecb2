// How often each cluster of a qcow2 file is used, and so which are free: a table of blocks of
// counters.
#pragma once

#include "images/byte_order.h"
#include "images/qcow2/header.h"
#include "images/qcow2/metadata_clusters.h"
#include "images/table_cache.h"
#include "images/write_stages.h"

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace backplane::images::qcow2 {

// One counter of a block; those under 8 bits fill a byte from its lowest bit.
std::uint64_t refcount_at(std::span<const std::byte> block, std::uint64_t index, unsigned order);
void set_refcount_at(std::span<std::byte> block, std::uint64_t index, unsigned order,
                     std::uint64_t value);

struct ClusterRun {
    std::uint64_t first = 0, count = 0;  // in clusters
    // Nothing was ever written there: it reads as zeroes.
    bool is_fresh = false;
};

// Used by one thread at a time.
class Refcounts {
public:
    // `metadata` gets the clusters of the counts themselves.
    static std::expected<std::unique_ptr<Refcounts>, int> load(ByteFile& file, const Header& header,
                                                               MetadataClusters& metadata);

    // New blocks go behind all that the file has. (Elsewhere nothing is known to be free while the
    // counts are made anew.)
    void grow_at_end() { is_growing_at_end_ = true; }

    int count(std::uint64_t cluster, std::uint64_t& count);
    // 1 to `wanted` neighbouring clusters, each with a count of 1. EUCLEAN: the counts call free
    // what is not.
    int allocate(std::uint64_t wanted, ClusterRun& run);
    // All of them.
    int allocate_exactly(std::uint64_t wanted, ClusterRun& run);
    // ERANGE: the counter is at its largest.
    int add_user(std::uint64_t cluster);
    // `count` becomes what is left. EUCLEAN: there was none.
    int drop_user(std::uint64_t cluster, std::uint64_t& count);
    int set(std::uint64_t cluster, std::uint64_t count);

    std::uint64_t end() const { return end_; }  // clusters the file has, with those allocated
    std::uint64_t largest() const;
    std::uint64_t per_block() const { return per_block_; }
    std::span<const std::uint64_t> table() const { return table_; }
    std::uint64_t table_offset() const { return table_offset_; }
    std::uint64_t table_clusters() const { return divide_up(table_.size() * 8, cluster_size_); }
    // Of an image that is being repaired: the block is not where the table says.
    void drop_block(std::uint64_t block);

    bool has_changes() const;
    std::size_t changed_count() const { return blocks_.changed_count(); }
    // Stages in the order in which they must be written: blocks, then what points at them.
    void take_changes(WriteStage& blocks, WriteStage& pointers);
    // The clusters that are free now because their table has moved.
    std::optional<ClusterRun> finish(bool were_written);

private:
    Refcounts(ByteFile& file, const Header& header, MetadataClusters& metadata);

    int need_block(std::uint64_t block);
    int add_block(std::uint64_t block, std::uint64_t cluster);
    int grow_table(std::uint64_t block);
    // 0: there is none.
    std::uint64_t block_offset(std::uint64_t block) const {
        return block < table_.size() ? table_[block] & offset_mask : 0;
    }
    int check_block(std::uint64_t block) const;

    MetadataClusters& metadata_;
    const std::uint64_t cluster_size_, per_block_;
    const unsigned order_;
    TableCache blocks_;
    std::vector<std::uint64_t> table_;
    std::uint64_t table_offset_;
    std::uint64_t end_;
    std::uint64_t search_from_ = 0;
    bool is_growing_at_end_ = false;

    struct Changes {
        std::vector<std::uint64_t> entries;  // of the table
        bool is_moved = false;
        ClusterRun old_place;
    };
    Changes changes_, being_written_;
};

}  // namespace backplane::images::qcow2
