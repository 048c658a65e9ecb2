// The order in which a qcow2 file is changed, and what follows from it: flush, close, resize.
#include "images/byte_order.h"
#include "images/qcow2/qcow2_image.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace backplane::images::qcow2 {

namespace {

enum Stage : std::size_t { Counts, CountPointers, Tables, TablePointers, StageCount };

}  // namespace

bool Qcow2Image::is_commit_due() const {
    constexpr std::size_t most_counts = 128, most_unused = 1 << 16;
    return tables_.changed_count() > table_capacity() / 2 ||
           counts_->changed_count() > most_counts || unused_.size() > most_unused;
}

void Qcow2Image::gather(std::span<WriteStage> stages, bool with_counts) {
    if (with_counts) counts_->take_changes(stages[Counts], stages[CountPointers]);
    tables_.take_changes(stages[Tables]);
    written_l1_ = std::exchange(changed_l1_, {});
    unused_when_written_ = std::exchange(unused_, {});
    for (const std::size_t index : written_l1_) {
        std::vector<std::byte> entry(8);
        store_big(entry, 0, l1_[index]);
        stages[TablePointers].push_back({header_.l1_offset + index * 8, std::move(entry)});
    }
}

int Qcow2Image::finish_commit(bool were_written, bool with_counts) {
    const std::optional<ClusterRun> old_table = with_counts ? counts_->finish(were_written)
                                                            : std::nullopt;
    tables_.finish(were_written);
    const auto written_l1 = std::exchange(written_l1_, {});
    auto unused = std::exchange(unused_when_written_, {});
    if (!were_written) {
        changed_l1_.insert(changed_l1_.end(), written_l1.begin(), written_l1.end());
        unused_.insert(unused_.end(), unused.begin(), unused.end());
        return 0;
    }
    if (old_table) unused.push_back({old_table->first, old_table->count});
    for (const Unused& run : unused)
        for (std::uint64_t cluster = run.first; cluster < run.first + run.count; ++cluster) {
            std::uint64_t users = 0;
            // Counts that were wrong before lose clusters, but do not hold up the guest.
            if (counts_->drop_user(cluster, users) != 0 || users != 0) continue;
            tables_.forget(cluster * cluster_size_);
            metadata_.remove(cluster * cluster_size_);
            (void)file_->discard(cluster * cluster_size_, cluster_size_);
        }
    return 0;
}

int Qcow2Image::commit_once(bool with_counts) {
    std::array<WriteStage, StageCount> stages;
    {
        const std::unique_lock lock{mutex_};
        // Other programs want to find whole clusters.
        const std::uint64_t end = counts_->end() * cluster_size_;
        if (end > file_->size())
            if (const int error = file_->resize(end); error != 0) return error;
        gather(stages, with_counts);
    }
    const int error = write_stages(*file_, stages);
    const std::unique_lock lock{mutex_};
    finish_commit(error == 0, with_counts);
    return error;
}

bool Qcow2Image::has_changes() {
    const std::unique_lock lock{mutex_};
    return counts_->has_changes() || tables_.changed_count() != 0 || !changed_l1_.empty() ||
           !unused_.empty();
}

int Qcow2Image::commit(bool is_closing) {
    const std::lock_guard one_at_a_time{commit_mutex_};
    // Lazy counts are written at the end; until then the file says that they are wrong.
    const bool is_lazy = header_.is_lazy() && !is_closing;
    if (is_lazy && has_changes())
        if (const int error = set_incompatible(header_.incompatible | dirty); error != 0)
            return error;
    if (const int error = commit_once(!is_lazy); error != 0) return error;
    if (!is_closing) return 0;
    // What the first freed is counted by the second.
    while (has_changes())
        if (const int error = commit_once(true); error != 0) return error;
    return set_incompatible(header_.incompatible & ~std::uint64_t{dirty});
}

int Qcow2Image::close() { return is_read_only() ? 0 : commit(true); }

int Qcow2Image::grow_l1(std::uint64_t entries) {
    if (entries <= l1_.size()) return 0;
    entries = std::min(round_up(entries, cluster_size_ / 8), most_l1_bytes / 8);
    const std::uint64_t old_size = l1_.size(), old_offset = header_.l1_offset;
    std::vector<std::byte> bytes(round_up(entries * 8, cluster_size_));
    for (std::size_t index = 0; index < l1_.size(); ++index)
        store_big(bytes, index * 8, l1_[index]);
    ClusterRun place;
    if (const int error = counts_->allocate_exactly(bytes.size() / cluster_size_, place);
        error != 0)
        return error;
    const std::uint64_t offset = place.first * cluster_size_;
    std::vector<std::byte> fields(12);
    store_big(fields, 0, static_cast<std::uint32_t>(entries));
    store_big(fields, 4, offset);

    std::array<WriteStage, StageCount> stages;
    counts_->take_changes(stages[Counts], stages[CountPointers]);
    stages[Counts].push_back({offset, std::move(bytes)});
    stages[Tables].push_back({l1_size_field, std::move(fields)});
    const int error = write_stages(*file_, stages);
    const std::optional<ClusterRun> old_table = counts_->finish(error == 0);
    if (old_table) unused_.push_back({old_table->first, old_table->count});
    if (error != 0) {
        give_back(place);
        return error;
    }
    metadata_.add(offset, entries * 8);
    const std::uint64_t old_clusters = divide_up(old_size * 8, cluster_size_);
    if (old_clusters != 0) unused_.push_back({old_offset / cluster_size_, old_clusters});
    header_.l1_offset = offset;
    header_.l1_size = static_cast<std::uint32_t>(entries);
    l1_.resize(entries);
    data_end_ = std::max(data_end_, counts_->end() * cluster_size_);
    return 0;
}

int Qcow2Image::resize(std::uint64_t size) {
    if (size % 512 != 0 || size > (std::uint64_t{1} << 62)) return EINVAL;
    const std::uint64_t old_size = size_;
    if (size < old_size) {
        // A snapshot may need the tables that would be cut off.
        if (header_.snapshot_count != 0) return EINVAL;
        const std::uint64_t whole = std::min(round_up(size, cluster_size_), old_size);
        if (const int error = write_needed_zeroes(size, whole - size); error != 0) return error;
        const std::unique_lock lock{mutex_};
        if (const int error = empty_clusters(whole, old_size, Emptied::Hole, false); error != 0)
            return error;
        size_ = size;
    } else {
        const std::uint64_t entries = divide_up(size, header_.l2_coverage());
        if (entries * 8 > most_l1_bytes) return EINVAL;
        // The tables are stable before one takes the place of another.
        if (const int error = commit(false); error != 0) return error;
        if (const int error = grow_l1(entries); error != 0) return error;
        size_ = size;
        const std::uint64_t below = below_ ? std::min(below_->size(), size) : 0;
        if (below > old_size)
            if (const int error = write_zeroes(old_size, below - old_size, true); error != 0) {
                size_ = old_size;
                return error;
            }
    }
    int error = commit(false);
    if (error == 0) error = write_field(size_field, size);
    if (error == 0) error = file_->flush();
    if (error == 0) header_.size = size;
    return error;
}

}  // namespace backplane::images::qcow2
