// Writing to a qcow2 image where clusters have to be made, shared ones left, or given back.
#include "images/byte_order.h"
#include "images/qcow2/qcow2_image.h"

#include <algorithm>
#include <cerrno>

namespace backplane::images::qcow2 {

// The tables contradict each other: writing on would make it worse.
int Qcow2Image::damaged() {
    is_damaged_ = true;
    (void)set_incompatible(header_.incompatible | corrupt);
    return EUCLEAN;
}

int Qcow2Image::allocate(std::uint64_t wanted, ClusterRun& run) {
    if (is_damaged_) return EUCLEAN;
    const int error = counts_->allocate(wanted, run);
    data_end_ = std::max(data_end_, counts_->end() * cluster_size_);
    return error == EUCLEAN ? damaged() : error;
}

void Qcow2Image::give_back(const ClusterRun& run) {
    for (std::uint64_t at = 0; at < run.count; ++at)
        (void)counts_->set(run.first + at, 0);
}

void Qcow2Image::end_use(std::uint64_t entry) {
    if (entry & packed) {
        const PackedPlace place = PackedPlace::of(entry, header_.cluster_bits);
        const std::uint64_t first = place.offset / cluster_size_;
        const std::uint64_t last = (place.offset + place.size - 1) / cluster_size_;
        unused_.push_back({first, last - first + 1});
        forget_unpacked();
        packed_end_ = 0;
    } else if ((entry & offset_mask) != 0) {
        unused_.push_back({(entry & offset_mask) / cluster_size_, 1});
    }
}

// The L2 table for `offset`, which belongs to the disk as it is now alone.
int Qcow2Image::need_table(std::uint64_t offset, std::uint64_t& table) {
    const std::size_t index = offset / header_.l2_coverage();
    std::uint64_t old = 0;
    if (const int error = find_table(offset, old); error != 0) return damaged();
    if (old != 0 && (l1_[index] & copied) != 0) {
        table = old;
        return 0;
    }
    std::vector<std::byte> bytes(cluster_size_);
    if (old != 0)
        if (const int error = tables_.look(old, Waiting::Yes,
                                           [&](std::span<const std::byte> entries) {
                                               std::ranges::copy(entries, bytes.begin());
                                           });
            error != 0)
            return error;
    ClusterRun run;
    if (const int error = allocate(1, run); error != 0) return error;
    table = run.first * cluster_size_;
    tables_.add(table, std::move(bytes));
    metadata_.add(table);
    l1_[index] = table | copied;
    changed_l1_.push_back(index);
    if (old != 0) unused_.push_back({old / cluster_size_, 1});
    return 0;
}

int Qcow2Image::load_entries(std::uint64_t offset, std::uint64_t count,
                             std::vector<std::uint64_t>& entries) {
    std::uint64_t table = 0;
    if (const int error = find_table(offset, table); error != 0) return error;
    entries.assign(count, 0);
    if (table == 0) return 0;
    const std::uint64_t first = offset / cluster_size_ % header_.l2_entries();
    return tables_.look(table, Waiting::Yes, [&](std::span<const std::byte> bytes) {
        for (std::uint64_t at = 0; at < count; ++at)
            entries[at] = load_big<std::uint64_t>(bytes, (first + at) * 8);
    });
}

int Qcow2Image::store_entries(std::uint64_t offset, std::uint64_t table,
                              std::span<const std::uint64_t> entries) {
    const std::uint64_t first = offset / cluster_size_ % header_.l2_entries();
    return tables_.change(table, first * 8, (first + entries.size()) * 8,
                          [&](std::span<std::byte> bytes) {
                              for (std::size_t at = 0; at < entries.size(); ++at)
                                  store_big(bytes, (first + at) * 8, entries[at]);
                          });
}

// Places for the first of the clusters that have these entries; for how many, the run says.
int Qcow2Image::take_run(std::span<const std::uint64_t> entries, ClusterRun& run, bool& is_new) {
    const auto is_prepared = [&](std::uint64_t entry) {
        return place_of(entry) == Mapping::Place::Zero && is_own_place(entry);
    };
    std::size_t count = 1;
    if (is_prepared(entries[0])) {
        const std::uint64_t first = (entries[0] & offset_mask) / cluster_size_;
        while (count < entries.size() && is_prepared(entries[count]) &&
               (entries[count] & offset_mask) / cluster_size_ == first + count)
            ++count;
        run = {first, count};
        is_new = false;
        return 0;
    }
    while (count < entries.size() && !is_own_place(entries[count]))
        ++count;
    is_new = true;
    return allocate(count, run);
}

int Qcow2Image::write_new(std::uint64_t offset, SegmentCursor& cursor, std::uint64_t& length) {
    if (is_damaged_) return EUCLEAN;
    const std::uint64_t coverage = header_.l2_coverage();
    length = std::min(length, coverage - offset % coverage);
    std::uint64_t table = 0;
    if (const int error = need_table(offset, table); error != 0) return error;
    Mapping mapping;
    if (const int error = map(offset, length, Waiting::Yes, mapping); error != 0)
        return error == EUCLEAN ? damaged() : error;
    if (mapping.place == Mapping::Place::File && mapping.is_writable) {  // somebody was faster
        length = mapping.length;
        return file_->write(mapping.file_offset, cursor.take(length), Durability::Cached);
    }

    const std::uint64_t first = offset / cluster_size_;
    std::vector<std::uint64_t> entries;
    if (const int error = load_entries(offset, (offset + length - 1) / cluster_size_ - first + 1,
                                       entries);
        error != 0)
        return error;
    if (mapping.place == Mapping::Place::File && (entries[0] & copied) != 0) return damaged();
    ClusterRun run;
    bool is_new = false;
    if (const int error = take_run(entries, run, is_new); error != 0) return error;
    length = std::min(length, (first + run.count) * cluster_size_ - offset);
    int error = write_clusters(offset, cursor, length, run);
    if (error == 0) {
        const std::vector<std::uint64_t> old{
            entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(run.count)};
        for (std::uint64_t at = 0; at < run.count; ++at)
            entries[at] = (run.first + at) * cluster_size_ | copied;
        error = store_entries(offset, table, std::span{entries}.first(run.count));
        if (error == 0 && is_new) std::ranges::for_each(old, [&](auto entry) { end_use(entry); });
    }
    if (error != 0 && is_new) give_back(run);
    return error;
}

int Qcow2Image::write_clusters(std::uint64_t offset, SegmentCursor& cursor, std::uint64_t length,
                               const ClusterRun& run) {
    const std::uint64_t start = offset - offset % cluster_size_, end = offset + length;
    const std::uint64_t clusters_end = start + run.count * cluster_size_;
    std::vector<std::byte> head, tail;
    if (const int error = surroundings(start, offset - start, run.is_fresh, head); error != 0)
        return error;
    if (const int error = surroundings(end, clusters_end - end, run.is_fresh, tail); error != 0)
        return error;
    std::vector<iovec> segments;
    if (!head.empty()) segments.push_back({head.data(), head.size()});
    const Segments data = cursor.take(length);
    segments.insert(segments.end(), data.begin(), data.end());
    if (!tail.empty()) segments.push_back({tail.data(), tail.size()});
    const std::uint64_t skipped = offset - start - head.size();
    return file_->write(run.first * cluster_size_ + skipped, segments, Durability::Cached);
}

int Qcow2Image::surroundings(std::uint64_t offset, std::uint64_t length, bool is_fresh,
                             std::vector<std::byte>& bytes) {
    if (length == 0) return 0;
    const std::uint64_t there = offset < size_ ? std::min(length, size_ - offset) : 0;
    if (is_fresh) {
        Mapping mapping{.place = Mapping::Place::Zero, .length = length};
        if (there != 0)
            if (const int error = map(offset, there, Waiting::Yes, mapping); error != 0)
                return error;
        // It lies within one cluster, so all of it is in the same place.
        if (mapping.place == Mapping::Place::Zero ||
            (mapping.place == Mapping::Place::Below && has_nothing_below(offset)))
            return 0;
    }
    bytes.resize(length);
    return read_mapped(offset, Segment{std::span{bytes}.first(there)}, Waiting::Yes);
}

int Qcow2Image::empty_clusters(std::uint64_t first, std::uint64_t end, Emptied how,
                               bool keeps_room) {
    const std::uint64_t coverage = header_.l2_coverage();
    while (first < end) {
        if (is_damaged_) return EUCLEAN;
        const std::uint64_t part_end = std::min(end, first / coverage * coverage + coverage);
        const std::uint64_t count = divide_up(part_end - first, cluster_size_);
        std::vector<std::uint64_t> old;
        if (const int error = load_entries(first, count, old); error != 0) return error;
        std::vector<std::uint64_t> entries = old;
        for (std::uint64_t at = 0; at < count; ++at) {
            std::uint64_t& entry = entries[at];
            const bool is_hole = how == Emptied::Hole ||
                                 ((header_.version < 3 || entry == 0) &&
                                  has_nothing_below(first + at * cluster_size_));
            if (is_hole)
                entry = 0;
            else if (keeps_room && is_own_place(entry))
                entry |= reads_as_zeroes;
            else
                entry = reads_as_zeroes;
        }
        if (entries != old) {
            std::uint64_t table = 0;
            if (const int error = need_table(first, table); error != 0) return error;
            if (const int error = store_entries(first, table, entries); error != 0) return error;
            for (std::uint64_t at = 0; at < count; ++at)
                if ((entries[at] & offset_mask) == 0) end_use(old[at]);
        }
        first = part_end;
    }
    return 0;
}

int Qcow2Image::write_zeroes(std::uint64_t offset, std::uint64_t length, bool may_discard) {
    if (header_.version < 3 && !has_nothing_below(offset))
        return write_needed_zeroes(offset, length);
    const std::uint64_t end = offset + length;
    const std::uint64_t first = round_up(offset, cluster_size_);
    const std::uint64_t last = end == size_ ? end : end / cluster_size_ * cluster_size_;
    if (first >= last) return write_needed_zeroes(offset, length);
    if (const int error = write_needed_zeroes(offset, first - offset); error != 0) return error;
    {
        const std::unique_lock lock{mutex_};
        if (const int error = empty_clusters(first, last, Emptied::Zero, !may_discard); error != 0)
            return error;
    }
    if (const int error = write_needed_zeroes(last, end - last); error != 0) return error;
    return commit_if_due();
}

int Qcow2Image::discard(std::uint64_t offset, std::uint64_t length) {
    const std::uint64_t first = round_up(offset, cluster_size_), end = offset + length;
    const std::uint64_t last = end == size_ ? end : end / cluster_size_ * cluster_size_;
    // Only a hint: a hole would show what lies below.
    if (first >= last || (header_.version < 3 && !has_nothing_below(first))) return 0;
    {
        const std::unique_lock lock{mutex_};
        const Emptied how = has_nothing_below(first) ? Emptied::Hole : Emptied::Zero;
        if (const int error = empty_clusters(first, last, how, false); error != 0) return error;
    }
    return commit_if_due();
}

int Qcow2Image::uncover(std::uint64_t offset, std::uint64_t length) {
    {
        const std::unique_lock lock{mutex_};
        if (const int error = empty_clusters(offset / cluster_size_ * cluster_size_,
                                             offset + length, Emptied::Hole, false);
            error != 0)
            return error;
    }
    return commit_if_due();
}

// Compressed clusters follow each other without gaps as long as their clusters do.
int Qcow2Image::place_packed(std::uint64_t size, PackedPlace& place) {
    const std::uint64_t left = packed_end_ == 0
                                   ? 0
                                   : round_up(packed_end_, cluster_size_) - packed_end_;
    ClusterRun run;
    if (left < size)
        if (const int error = allocate(1, run); error != 0) return error;
    const bool goes_on = left != 0 &&
                         (left >= size || run.first * cluster_size_ == packed_end_ + left);
    int error = goes_on ? counts_->add_user(packed_end_ / cluster_size_) : ERANGE;
    if (error == ERANGE) {  // nothing to go on with, or as many as can be counted
        if (run.count == 0)
            if (error = allocate(1, run); error != 0) return error;
        packed_end_ = run.first * cluster_size_;
        error = 0;
    }
    if (error != 0) {
        give_back(run);
        return error;
    }
    place = {packed_end_, size};
    packed_end_ += size;
    return 0;
}

int Qcow2Image::write_packed(std::uint64_t offset, std::span<const std::byte> bytes) {
    std::vector<std::byte> whole;
    if (bytes.size() < cluster_size_) {
        whole.assign(bytes.begin(), bytes.end());
        whole.resize(cluster_size_);
        bytes = whole;
    }
    const auto data = pack(header_.compression, bytes, cluster_size_ - 512);
    if (data.empty())
        return write(offset, Segment{bytes.first(std::min(cluster_size_, size_ - offset))},
                     Durability::Cached);
    {
        const std::unique_lock lock{mutex_};
        std::uint64_t table = 0;
        std::vector<std::uint64_t> old;
        if (const int error = need_table(offset, table); error != 0) return error;
        if (const int error = load_entries(offset, 1, old); error != 0) return error;
        PackedPlace place;
        if (const int error = place_packed(data.size(), place); error != 0) return error;
        if (const int error = file_->write_bytes(place.offset, data); error != 0) return error;
        const std::uint64_t entry = place.entry(header_.cluster_bits);
        if (const int error = store_entries(offset, table, {&entry, 1}); error != 0) return error;
        const std::uint64_t end = packed_end_;
        end_use(old[0]);
        packed_end_ = (old[0] & packed) ? 0 : end;
    }
    return commit_if_due();
}

}  // namespace backplane::images::qcow2
