#include "images/qcow2/check.h"

#include "images/byte_order.h"
#include "images/qcow2/compression.h"
#include "images/qcow2/header.h"
#include "images/qcow2/metadata_clusters.h"
#include "images/qcow2/refcounts.h"
#include "images/qcow2/snapshot_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace backplane::images::qcow2 {

namespace {

constexpr std::uint64_t most_clusters = 256 << 20;  // 1 GiB of counters

class Checker {
public:
    Checker(ByteFile& file, Header header, Repair repair)
        : file_{file}, header_{std::move(header)}, repair_{repair},
          cluster_size_{header_.cluster_size()}, uses_(divide_up(file.size(), cluster_size_)),
          roles_(uses_.size()), metadata_{header_.cluster_bits} {}

    // An errno, when the file cannot be read or written.
    int run();
    CheckReport& report() { return report_; }

private:
    enum class Walk : std::uint8_t { Disk, Snapshot };
    // What a cluster is. Data and L2 tables may be used by several snapshots.
    enum class Role : std::uint8_t { None, Data, Table, Only };

    bool mends_everything() const { return repair_ == Repair::Everything; }
    void use(std::uint64_t offset, std::uint64_t length, const char* what, Role role = Role::Only);
    int load_counts();
    void use_counts();
    int use_disk();
    int use_snapshots();
    int use_bitmaps();
    int use_l1(std::uint64_t offset, std::uint32_t size, Walk walk);
    int use_l2(std::uint64_t table, Walk walk);
    int compare_counts();
    int compare_copied_flags();
    int compare_flag(std::uint64_t entry, std::uint64_t place, const char* what,
                     std::uint64_t entry_offset);
    int write_changes();
    int set_features();

    ByteFile& file_;
    const Header header_;
    Repair repair_;
    const std::uint64_t cluster_size_;
    CheckReport report_;
    std::vector<std::uint32_t> uses_;  // of each cluster
    std::vector<Role> roles_;
    bool has_overlaps_ = false;
    MetadataClusters metadata_;
    std::unique_ptr<Refcounts> counts_;
    std::vector<PendingWrite> changed_entries_;
};

void Checker::use(std::uint64_t offset, std::uint64_t length, const char* what, Role role) {
    if (length == 0) return;
    const std::uint64_t first = offset / cluster_size_;
    const std::uint64_t last = (offset + length - 1) / cluster_size_;
    if (last >= uses_.size() || last < first)
        return report_.add_error(
            fmt::format("{} at byte {} lies beyond the end of the file", what, offset));
    for (std::uint64_t cluster = first; cluster <= last; ++cluster) {
        if (uses_[cluster] != std::numeric_limits<std::uint32_t>::max()) ++uses_[cluster];
        const Role other = std::exchange(roles_[cluster], std::max(roles_[cluster], role));
        if (other == Role::None || (other == role && role != Role::Only)) continue;
        has_overlaps_ = true;
        report_.add_error(fmt::format("{} at byte {} lies where something else is", what,
                                      cluster * cluster_size_));
    }
}

int Checker::load_counts() {
    auto counts = Refcounts::load(file_, header_, metadata_);
    if (!counts) return counts.error();
    counts_ = std::move(*counts);
    counts_->grow_at_end();
    return 0;
}

void Checker::use_counts() {
    use(header_.refcount_table_offset, header_.refcount_table_clusters * cluster_size_,
        "the refcount table");
    for (std::size_t block = 0; block < counts_->table().size(); ++block) {
        const std::uint64_t offset = counts_->table()[block] & offset_mask;
        if (counts_->table()[block] == 0) continue;
        const bool is_sound = counts_->table()[block] == offset && offset % cluster_size_ == 0 &&
                              offset / cluster_size_ < uses_.size();
        if (is_sound && uses_[offset / cluster_size_] == 0) {
            use(offset, cluster_size_, "a block of refcounts");
            continue;
        }
        report_.add_error(
            fmt::format("refcount block {} cannot be at byte {}", block, counts_->table()[block]));
        // Without it its counts are zero, and are made anew.
        counts_->drop_block(block);
        if (mends_everything()) ++report_.mended_errors;
    }
}

int Checker::use_l2(std::uint64_t table, Walk walk) {
    std::vector<std::byte> entries(cluster_size_);
    if (const int error = file_.read_bytes(table, entries); error != 0) return error;
    for (std::uint64_t index = 0; index < header_.l2_entries(); ++index) {
        const auto entry = load_big<std::uint64_t>(entries, index * 8);
        if (entry == 0) continue;
        if (walk == Walk::Disk) ++report_.used_pieces;
        if (entry & packed) {
            const PackedPlace place = PackedPlace::of(entry, header_.cluster_bits);
            use(place.offset, place.size, "a compressed cluster", Role::Data);
            if (walk == Walk::Disk) ++report_.packed_pieces;
            continue;
        }
        const std::uint64_t place = entry & offset_mask;
        if (place == 0) continue;
        if (place % cluster_size_ != 0)
            report_.add_error(
                fmt::format("entry {} of the L2 table at byte {} points at byte {}, which is not "
                            "the start of a cluster",
                            index, table, place));
        else
            use(place, cluster_size_, "a data cluster", Role::Data);
    }
    return 0;
}

int Checker::use_l1(std::uint64_t offset, std::uint32_t size, Walk walk) {
    use(offset, size * std::uint64_t{8}, "an L1 table");
    const auto l1 = read_l1(file_, offset, size);
    if (!l1) return l1.error();
    std::vector<bool> seen(uses_.size());
    for (std::size_t index = 0; index < l1->size(); ++index) {
        const std::uint64_t table = (*l1)[index] & offset_mask;
        if (table == 0) continue;
        const std::uint64_t cluster = table / cluster_size_;
        if (table % cluster_size_ != 0 || cluster >= uses_.size()) {
            report_.add_error(fmt::format("entry {} of the L1 table at byte {} points at byte {}, "
                                          "where no table can be",
                                          index, offset, table));
            continue;
        }
        use(table, cluster_size_, "an L2 table", Role::Table);
        if (seen[cluster]) {
            report_.add_error(fmt::format("the L1 table at byte {} points at the table at byte {} "
                                          "more than once",
                                          offset, table));
            continue;
        }
        seen[cluster] = true;
        if (const int error = use_l2(table, walk); error != 0) return error;
    }
    return 0;
}

int Checker::use_disk() {
    use(0, cluster_size_, "the header");
    report_.pieces = divide_up(header_.size, cluster_size_);
    return use_l1(header_.l1_offset, header_.l1_size, Walk::Disk);
}

int Checker::use_snapshots() {
    const auto table = SnapshotTable::read(file_, header_);
    if (!table) {
        report_.add_error(table.error());
        return 0;
    }
    use(header_.snapshots_offset, table->length, "the snapshot table");
    for (const Snapshot& snapshot : table->snapshots)
        if (const int error = use_l1(snapshot.l1_offset, snapshot.l1_size, Walk::Snapshot);
            error != 0)
            return error;
    return 0;
}

// Dirty bitmaps are not read here, but what they take is theirs as long as the header says so.
int Checker::use_bitmaps() {
    constexpr std::uint64_t bitmaps_are_true = 1;
    if ((header_.autoclear & bitmaps_are_true) == 0) return 0;
    for (const HeaderExtension& extension : header_.extensions) {
        if (extension.type != bitmaps_extension || extension.data.size() < 24) continue;
        const auto count = load_big<std::uint32_t>(extension.data, 0);
        const auto directory_size = load_big<std::uint64_t>(extension.data, 8);
        const auto directory_offset = load_big<std::uint64_t>(extension.data, 16);
        constexpr std::uint64_t most = 64 << 20, fixed_length = 24;
        if (directory_size > most || directory_offset > file_.size()) {
            report_.add_error("the directory of bitmaps is too large, or not in the file");
            continue;
        }
        use(directory_offset, directory_size, "the directory of bitmaps");
        std::vector<std::byte> directory(directory_size);
        if (const int error = file_.read_bytes(directory_offset, directory); error != 0)
            return error;
        std::uint64_t at = 0;
        for (std::uint32_t index = 0; index < count && at + fixed_length <= directory_size;
             ++index) {
            const auto table_offset = load_big<std::uint64_t>(directory, at);
            const auto table_size = load_big<std::uint32_t>(directory, at + 8);
            const auto name_length = load_big<std::uint16_t>(directory, at + 18);
            const auto extra_length = load_big<std::uint32_t>(directory, at + 20);
            at = round_up(at + fixed_length + name_length + extra_length, 8);
            if (table_size * std::uint64_t{8} > most) continue;
            use(table_offset, table_size * std::uint64_t{8}, "a table of a bitmap");
            const auto table = read_l1(file_, table_offset, table_size);
            if (!table) return table.error();
            for (const std::uint64_t entry : *table)
                if ((entry & offset_mask) != 0)
                    use(entry & offset_mask, cluster_size_, "a cluster of a bitmap");
        }
    }
    return 0;
}

int Checker::compare_counts() {
    // Counters at their largest cannot tell more.
    const std::uint64_t largest = counts_->largest();
    for (std::uint64_t cluster = 0; cluster < uses_.size(); ++cluster) {
        std::uint64_t count = 0;
        if (const int error = counts_->count(cluster, count); error != 0 && error != EUCLEAN)
            return error;
        const std::uint64_t uses = uses_[cluster];
        if (count == uses) continue;
        const bool is_leak = count > uses;
        const std::string text = fmt::format(
            "the cluster at byte {} is counted {} times, and used {}", cluster * cluster_size_,
            count, uses);
        is_leak ? report_.add_leak(text) : report_.add_error(text);
        if (repair_ == Repair::Nothing || (!is_leak && !mends_everything()) || uses > largest)
            continue;
        if (const int error = counts_->set(cluster, uses); error != 0) return error;
        ++(is_leak ? report_.mended_leaks : report_.mended_errors);
    }
    return 0;
}

int Checker::compare_flag(std::uint64_t entry, std::uint64_t place, const char* what,
                          std::uint64_t entry_offset) {
    if (place % cluster_size_ != 0 || place / cluster_size_ >= uses_.size()) return 0;
    std::uint64_t count = 0;
    if (const int error = counts_->count(place / cluster_size_, count); error != 0)
        return error == EUCLEAN ? 0 : error;
    if ((count == 1) == ((entry & copied) != 0)) return 0;
    report_.add_error(fmt::format("{} at byte {} is counted {} times, which its entry denies", what,
                                  place, count));
    if (!mends_everything()) return 0;
    std::vector<std::byte> bytes(8);
    store_big(bytes, 0, entry ^ copied);
    changed_entries_.push_back({entry_offset, std::move(bytes)});
    ++report_.mended_errors;
    return 0;
}

int Checker::compare_copied_flags() {
    const auto l1 = read_l1(file_, header_.l1_offset, header_.l1_size);
    if (!l1) return l1.error();
    std::vector<std::byte> entries(cluster_size_);
    std::vector<bool> seen(uses_.size());
    for (std::size_t index = 0; index < l1->size(); ++index) {
        const std::uint64_t table = (*l1)[index] & offset_mask, cluster = table / cluster_size_;
        if (table == 0 || table % cluster_size_ != 0 || cluster >= uses_.size() || seen[cluster])
            continue;
        seen[cluster] = true;
        if (const int error = compare_flag((*l1)[index], table, "the L2 table",
                                           header_.l1_offset + index * 8);
            error != 0)
            return error;
        if (const int error = file_.read_bytes(table, entries); error != 0) return error;
        for (std::uint64_t at = 0; at < header_.l2_entries(); ++at) {
            const auto entry = load_big<std::uint64_t>(entries, at * 8);
            if ((entry & packed) != 0 || (entry & offset_mask) == 0) continue;
            if (const int error = compare_flag(entry, entry & offset_mask, "the cluster",
                                               table + at * 8);
                error != 0)
                return error;
        }
    }
    return 0;
}

int Checker::write_changes() {
    std::array<WriteStage, 3> stages;
    counts_->take_changes(stages[0], stages[1]);
    stages[2] = std::move(changed_entries_);
    if (const int error = write_stages(file_, stages); error != 0) return error;
    const auto old_table = counts_->finish(true);
    if (!old_table) return 0;
    for (std::uint64_t at = 0; at < old_table->count; ++at)
        if (const int error = counts_->set(old_table->first + at, 0); error != 0) return error;
    std::array<WriteStage, 2> more;
    counts_->take_changes(more[0], more[1]);
    const int error = write_stages(file_, more);
    (void)counts_->finish(error == 0);
    return error;
}

int Checker::set_features() {
    if (header_.version < 3 || report_.errors != report_.mended_errors ||
        (header_.incompatible & (dirty | corrupt)) == 0)
        return 0;
    std::array<std::byte, 8> bytes{};
    store_big(bytes, 0, header_.incompatible & ~std::uint64_t{dirty | corrupt});
    if (const int error = file_.write_bytes(incompatible_field, bytes); error != 0) return error;
    return file_.flush();
}

int Checker::run() {
    if (const int error = load_counts(); error != 0) return error;
    if (const int error = use_disk(); error != 0) return error;
    if (const int error = use_snapshots(); error != 0) return error;
    if (const int error = use_bitmaps(); error != 0) return error;
    use_counts();
    if (has_overlaps_ && repair_ != Repair::Nothing) {
        // Whatever is put right in one would be wrong in the other.
        report_.add_finding("nothing is mended, because tables overlap; `backplane image convert` "
                            "copies what can be read");
        repair_ = Repair::Nothing;
        report_.mended_errors = 0;
    }
    if (const int error = compare_counts(); error != 0) return error;
    if (const int error = compare_copied_flags(); error != 0) return error;
    if (repair_ == Repair::Nothing) return 0;
    if (const int error = write_changes(); error != 0) return error;
    return mends_everything() ? set_features() : 0;
}

}  // namespace

std::expected<CheckReport, std::string> check(ByteFile& file, Repair repair) {
    auto header = Header::read(file);
    if (!header) return std::unexpected(header.error());
    if (file.size() / header->cluster_size() > most_clusters)
        return std::unexpected(fmt::format("has {} clusters; more than {} cannot be checked",
                                           file.size() / header->cluster_size(), most_clusters));
    Checker checker{file, std::move(*header), repair};
    if (const int error = checker.run(); error != 0)
        return std::unexpected(fmt::format("cannot be {}: {}",
                                           repair == Repair::Nothing ? "read" : "repaired",
                                           std::strerror(error)));
    return std::move(checker.report());
}

std::expected<void, std::string> repair_counts(ByteFile& file) {
    const auto report = check(file, Repair::Everything);
    if (!report) return std::unexpected("it " + report.error());
    if (report->errors != report->mended_errors)
        return std::unexpected(fmt::format("{} errors cannot be mended; `backplane image check` "
                                           "tells them",
                                           report->errors - report->mended_errors));
    return {};
}

}  // namespace backplane::images::qcow2
