#include "images/qcow2/refcounts.h"

#include "images/byte_order.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace backplane::images::qcow2 {

namespace {

constexpr std::size_t cache_bytes = 16 << 20, fewest_tables = 4, most_tables = 1024;

std::size_t cache_capacity(std::uint64_t table_size) {
    return std::clamp<std::size_t>(cache_bytes / table_size, fewest_tables, most_tables);
}

}  // namespace

std::uint64_t refcount_at(std::span<const std::byte> block, std::uint64_t index, unsigned order) {
    switch (order) {
    case 3: return std::to_integer<std::uint64_t>(block[index]);
    case 4: return load_big<std::uint16_t>(block, index * 2);
    case 5: return load_big<std::uint32_t>(block, index * 4);
    case 6: return load_big<std::uint64_t>(block, index * 8);
    default: {
        const unsigned bits = 1u << order;
        const auto in_byte = static_cast<unsigned>(index * bits % 8);
        return std::to_integer<unsigned>(block[index * bits / 8]) >> in_byte & ((1u << bits) - 1);
    }
    }
}

void set_refcount_at(std::span<std::byte> block, std::uint64_t index, unsigned order,
                     std::uint64_t value) {
    switch (order) {
    case 3: block[index] = std::byte(value); break;
    case 4: store_big(block, index * 2, static_cast<std::uint16_t>(value)); break;
    case 5: store_big(block, index * 4, static_cast<std::uint32_t>(value)); break;
    case 6: store_big(block, index * 8, value); break;
    default: {
        const unsigned bits = 1u << order;
        const auto in_byte = static_cast<unsigned>(index * bits % 8);
        const unsigned mask = ((1u << bits) - 1) << in_byte;
        std::byte& byte = block[index * bits / 8];
        byte = std::byte((std::to_integer<unsigned>(byte) & ~mask) |
                         (static_cast<unsigned>(value) << in_byte & mask));
    }
    }
}

Refcounts::Refcounts(ByteFile& file, const Header& header, MetadataClusters& metadata)
    : metadata_{metadata}, cluster_size_{header.cluster_size()},
      per_block_{header.refcounts_per_block()}, order_{header.refcount_order},
      blocks_{file, cluster_size_, cache_capacity(cluster_size_)},
      table_offset_{header.refcount_table_offset}, end_{divide_up(file.size(), cluster_size_)} {}

std::expected<std::unique_ptr<Refcounts>, int> Refcounts::load(ByteFile& file, const Header& header,
                                                               MetadataClusters& metadata) {
    std::unique_ptr<Refcounts> counts{new Refcounts{file, header, metadata}};
    std::vector<std::byte> bytes(header.refcount_table_clusters * header.cluster_size());
    if (const int error = file.read_bytes(header.refcount_table_offset, bytes); error != 0)
        return std::unexpected(error);
    counts->table_.resize(bytes.size() / 8);
    metadata.add(counts->table_offset_, bytes.size());
    for (std::size_t index = 0; index < counts->table_.size(); ++index) {
        counts->table_[index] = load_big<std::uint64_t>(bytes, index * 8);
        if (const std::uint64_t offset = counts->block_offset(index); offset != 0)
            metadata.add(offset);
    }
    return counts;
}

std::uint64_t Refcounts::largest() const {
    return order_ == 6 ? ~std::uint64_t{0} : (std::uint64_t{1} << (1u << order_)) - 1;
}

int Refcounts::check_block(std::uint64_t block) const {
    const std::uint64_t offset = block_offset(block);
    return offset % cluster_size_ != 0 || offset / cluster_size_ >= end_ ? EUCLEAN : 0;
}

int Refcounts::count(std::uint64_t cluster, std::uint64_t& count) {
    const std::uint64_t block = cluster / per_block_;
    count = 0;
    if (block_offset(block) == 0) return 0;
    if (const int error = check_block(block); error != 0) return error;
    return blocks_.look(block_offset(block), Waiting::Yes, [&](std::span<const std::byte> bytes) {
        count = refcount_at(bytes, cluster % per_block_, order_);
    });
}

int Refcounts::set(std::uint64_t cluster, std::uint64_t count) {
    const std::uint64_t block = cluster / per_block_, index = cluster % per_block_;
    if (const int error = need_block(block); error != 0) return error;
    const std::size_t first = index << order_ >> 3, end = (((index + 1) << order_) + 7) >> 3;
    if (count == 0) search_from_ = std::min(search_from_, cluster);
    return blocks_.change(block_offset(block), first, end, [&](std::span<std::byte> bytes) {
        set_refcount_at(bytes, index, order_, count);
    });
}

int Refcounts::add_user(std::uint64_t cluster) {
    std::uint64_t now = 0;
    if (const int error = count(cluster, now); error != 0) return error;
    return now == largest() ? ERANGE : set(cluster, now + 1);
}

int Refcounts::drop_user(std::uint64_t cluster, std::uint64_t& left) {
    if (const int error = count(cluster, left); error != 0) return error;
    if (left == 0) return EUCLEAN;
    return set(cluster, --left);
}

int Refcounts::allocate(std::uint64_t wanted, ClusterRun& run) {
    const std::uint64_t most_clusters = offset_mask / cluster_size_;
    for (std::uint64_t from = search_from_; from < most_clusters;) {
        const std::uint64_t block = from / per_block_;
        if (const int error = need_block(block); error != 0) return error;
        const std::uint64_t base = block * per_block_;
        std::uint64_t first = from - base, end = first;
        const int error = blocks_.look(
            block_offset(block), Waiting::Yes, [&](std::span<const std::byte> bytes) {
                while (first < per_block_ && refcount_at(bytes, first, order_) != 0)
                    ++first;
                end = first;
                while (end < per_block_ && end - first < wanted &&
                       refcount_at(bytes, end, order_) == 0)
                    ++end;
            });
        if (error != 0) return error;
        if (first == per_block_) {
            from = base + per_block_;
            continue;
        }
        run = {base + first, end - first, base + first >= end_};
        if (!run.is_fresh && run.first + run.count > end_) run.count = end_ - run.first;
        if (metadata_.overlap(run.first * cluster_size_, run.count * cluster_size_)) return EUCLEAN;
        for (std::uint64_t cluster = run.first; cluster < run.first + run.count; ++cluster)
            if (const int failed = set(cluster, 1); failed != 0) return failed;
        end_ = std::max(end_, run.first + run.count);
        search_from_ = run.first + run.count;
        return 0;
    }
    return EFBIG;
}

int Refcounts::allocate_exactly(std::uint64_t wanted, ClusterRun& run) {
    run = {};
    while (run.count < wanted) {
        ClusterRun next;
        if (const int error = allocate(wanted - run.count, next); error != 0) return error;
        if (run.count != 0 && next.first != run.first + run.count) {
            // Not long enough: it stays free for others, but is not looked at again here.
            const std::uint64_t search_from = search_from_;
            for (std::uint64_t at = 0; at < run.count; ++at)
                if (const int error = set(run.first + at, 0); error != 0) return error;
            search_from_ = search_from;
            run = {};
        }
        run = {run.count != 0 ? run.first : next.first, run.count + next.count,
               next.is_fresh && (run.count == 0 || run.is_fresh)};
    }
    return 0;
}

int Refcounts::need_block(std::uint64_t block) {
    if (block >= table_.size())
        if (const int error = grow_table(block); error != 0) return error;
    if (block_offset(block) != 0) return check_block(block);
    // Without a block all clusters that it would count are free: it may be one of them itself.
    const std::uint64_t first = block * per_block_;
    if (!is_growing_at_end_) return add_block(block, first);
    if (end_ < first + per_block_) return add_block(block, std::max(first, end_));
    while (block_offset(end_ / per_block_) == 0)
        if (const int error = need_block(end_ / per_block_); error != 0) return error;
    return add_block(block, end_);
}

int Refcounts::add_block(std::uint64_t block, std::uint64_t cluster) {
    const std::uint64_t offset = cluster * cluster_size_;
    if (metadata_.overlap(offset, cluster_size_)) return EUCLEAN;
    blocks_.add(offset, std::vector<std::byte>(cluster_size_));
    metadata_.add(offset);
    table_[block] = offset;
    changes_.entries.push_back(block);
    end_ = std::max(end_, cluster + 1);
    return set(cluster, 1);
}

void Refcounts::drop_block(std::uint64_t block) {
    table_[block] = 0;
    changes_.entries.push_back(block);
}

int Refcounts::grow_table(std::uint64_t block) {
    const std::size_t old_size = table_.size();
    const std::uint64_t old_clusters = table_clusters();
    std::uint64_t entries = std::max<std::uint64_t>(block + 1, old_size + old_size / 2);
    // The table's own clusters need counters too.
    const std::uint64_t with_itself = end_ + 2 * divide_up(entries * 8, cluster_size_) + 16;
    entries = round_up(std::max(entries, with_itself / per_block_ + 4), cluster_size_ / 8);
    if (entries * 8 > most_refcount_table_bytes) return EFBIG;
    table_.resize(entries);
    ClusterRun place;
    if (const int error = allocate_exactly(table_clusters(), place); error != 0) {
        table_.resize(old_size);
        return error;
    }
    const ClusterRun old_place{table_offset_ / cluster_size_, old_clusters};
    table_offset_ = place.first * cluster_size_;
    metadata_.add(table_offset_, place.count * cluster_size_);
    if (!changes_.is_moved) {
        changes_.is_moved = true;
        changes_.old_place = old_place;
        return 0;
    }
    // Nothing in the file points at the place that the last move chose.
    for (std::uint64_t at = 0; at < old_place.count; ++at) {
        metadata_.remove((old_place.first + at) * cluster_size_);
        if (const int error = set(old_place.first + at, 0); error != 0) return error;
    }
    return 0;
}

bool Refcounts::has_changes() const {
    return blocks_.changed_count() != 0 || !changes_.entries.empty() || changes_.is_moved;
}

void Refcounts::take_changes(WriteStage& blocks, WriteStage& pointers) {
    blocks_.take_changes(blocks);
    being_written_ = std::exchange(changes_, {});
    if (being_written_.is_moved) {
        std::vector<std::byte> whole(table_clusters() * cluster_size_);
        for (std::size_t index = 0; index < table_.size(); ++index)
            store_big(whole, index * 8, table_[index]);
        blocks.push_back({table_offset_, std::move(whole)});
        std::vector<std::byte> fields(12);
        store_big(fields, 0, table_offset_);
        store_big(fields, 8, static_cast<std::uint32_t>(table_clusters()));
        pointers.push_back({refcount_table_field, std::move(fields)});
        return;
    }
    for (const std::uint64_t block : being_written_.entries) {
        std::vector<std::byte> entry(8);
        store_big(entry, 0, table_[block]);
        pointers.push_back({table_offset_ + block * 8, std::move(entry)});
    }
}

std::optional<ClusterRun> Refcounts::finish(bool were_written) {
    blocks_.finish(were_written);
    Changes written = std::exchange(being_written_, {});
    if (were_written) {
        if (!written.is_moved) return {};
        for (std::uint64_t at = 0; at < written.old_place.count; ++at)
            metadata_.remove((written.old_place.first + at) * cluster_size_);
        return written.old_place;
    }
    changes_.entries.insert(changes_.entries.end(), written.entries.begin(), written.entries.end());
    if (written.is_moved && !changes_.is_moved) {
        changes_.is_moved = true;
        changes_.old_place = written.old_place;
    }
    return {};
}

}  // namespace backplane::images::qcow2
