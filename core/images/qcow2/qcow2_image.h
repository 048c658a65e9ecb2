// A disk in a qcow2 file (versions 2 and 3): clusters that are found through two levels of tables,
// and counted.
//
// What was flushed lies in the file whatever happens afterwards. Until then, changes of the tables
// are in memory only, and reach the file in this order, each step stable before the next: data and
// counts, where blocks of counts are, L2 tables, L1 table. A cluster that is no longer used becomes
// free after that. So whenever the power fails, the file is sound; what it may have is clusters
// that are counted and not used.
#pragma once

#include "images/mapped_storage.h"
#include "images/qcow2/compression.h"
#include "images/qcow2/header.h"
#include "images/qcow2/metadata_clusters.h"
#include "images/qcow2/refcounts.h"
#include "images/qcow2/snapshot_table.h"

#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace backplane::images::qcow2 {

class Qcow2Image final : public MappedStorage {
public:
    // Why the file cannot be used, as what follows its name. `snapshot`: the internal snapshot to
    // read; the file is not written then. A file that was not closed is repaired.
    static std::expected<std::unique_ptr<Qcow2Image>, std::string>
    open(std::unique_ptr<ByteFile> file, const std::string& snapshot = {});

    const Header& header() const { return header_; }
    // Internal snapshots.
    const std::vector<Snapshot>& snapshots() const { return snapshots_; }

    std::uint64_t size() const override { return size_; }
    bool is_read_only() const override { return is_snapshot_ || MappedStorage::is_read_only(); }
    int discard(std::uint64_t offset, std::uint64_t length) override;
    int write_zeroes(std::uint64_t offset, std::uint64_t length, bool may_discard) override;
    int resize(std::uint64_t size) override;
    int close() override;
    int uncover(std::uint64_t offset, std::uint64_t length) override;

    // A whole cluster (the disk's last may be shorter), compressed if that makes it smaller.
    int write_packed(std::uint64_t offset, std::span<const std::byte> bytes);
    // Says that it is based on another file; what it is read from is set_below's matter.
    std::expected<void, std::string> set_backing(const std::string& name,
                                                 const std::string& format);

private:
    // Clusters whose use ends with the next commit.
    struct Unused {
        std::uint64_t first, count;
    };
    // What a cluster becomes when its contents are not needed any more.
    enum class Emptied : std::uint8_t { Zero, Hole };

    Qcow2Image(std::unique_ptr<ByteFile> file, Header header)
        : MappedStorage{std::move(file)}, header_{std::move(header)},
          metadata_{header_.cluster_bits},
          tables_{*file_, header_.cluster_size(), table_capacity()},
          cluster_size_{header_.cluster_size()} {}

    std::string start(const std::string& snapshot);
    std::string start_writing();
    std::size_t table_capacity() const;

    int map(std::uint64_t offset, std::uint64_t length, Waiting waiting, Mapping& mapping) override;
    int unpack(const Mapping& mapping, std::vector<std::byte>& cluster) override;
    int write_new(std::uint64_t offset, SegmentCursor& cursor, std::uint64_t& length) override;
    bool is_new_simple(std::uint64_t offset) const override {
        return !is_damaged_ && has_nothing_below(offset);
    }
    int commit() override { return commit(false); }
    bool is_commit_due() const override;

    bool has_nothing_below(std::uint64_t offset) const {
        return below_ == nullptr || offset >= below_->size();
    }
    Mapping::Place place_of(std::uint64_t entry) const;
    // The place of an L2 table; 0: there is none.
    int find_table(std::uint64_t offset, std::uint64_t& table) const;
    int read_mapping(std::uint64_t offset, std::uint64_t length, std::span<const std::byte> table,
                     Mapping& mapping) const;
    // A cluster may lie there.
    bool is_in_file(std::uint64_t file_offset) const {
        return file_offset % cluster_size_ == 0 && file_offset < data_end_;
    }
    bool is_own_place(std::uint64_t entry) const;

    // [mutex_]
    int need_table(std::uint64_t offset, std::uint64_t& table);
    int load_entries(std::uint64_t offset, std::uint64_t count,
                     std::vector<std::uint64_t>& entries);
    int store_entries(std::uint64_t offset, std::uint64_t table,
                      std::span<const std::uint64_t> entries);
    int take_run(std::span<const std::uint64_t> entries, ClusterRun& run, bool& is_new);
    int write_clusters(std::uint64_t offset, SegmentCursor& cursor, std::uint64_t length,
                       const ClusterRun& run);
    // What a new cluster takes over from what was there. Empty: it need not be written.
    int surroundings(std::uint64_t offset, std::uint64_t length, bool is_fresh,
                     std::vector<std::byte>& bytes);
    int empty_clusters(std::uint64_t first, std::uint64_t end, Emptied how, bool keeps_room);
    int allocate(std::uint64_t wanted, ClusterRun& run);
    int place_packed(std::uint64_t size, PackedPlace& place);
    void end_use(std::uint64_t entry);
    void give_back(const ClusterRun& run);
    int damaged();
    int grow_l1(std::uint64_t entries);

    int write_field(std::uint64_t offset, std::uint64_t value);
    int set_incompatible(std::uint64_t features);

    int commit(bool is_closing);
    int commit_once(bool with_counts);
    void gather(std::span<WriteStage> stages, bool with_counts);
    int finish_commit(bool were_written, bool with_counts);
    bool has_changes();

    Header header_;
    MetadataClusters metadata_;
    TableCache tables_;  // L2
    const std::uint64_t cluster_size_;
    std::uint64_t size_ = 0;
    bool is_snapshot_ = false;
    std::vector<Snapshot> snapshots_;
    std::vector<std::uint64_t> l1_;
    std::unique_ptr<Refcounts> counts_;  // null: nothing is written
    bool is_damaged_ = false;
    std::uint64_t data_end_ = 0;  // of what tables may point at, in bytes

    std::mutex commit_mutex_;                           // taken before mutex_
    std::vector<std::size_t> changed_l1_, written_l1_;  // indices
    std::vector<Unused> unused_, unused_when_written_;
    std::uint64_t packed_end_ = 0;  // where the next compressed cluster may go, if not 0
};

}  // namespace backplane::images::qcow2
