#include "images/table_cache.h"

#include <algorithm>
#include <utility>

namespace backplane::images {

void TableCache::Range::include(Range other) {
    if (other.is_empty()) return;
    *this = is_empty() ? other : Range{std::min(first, other.first), std::max(end, other.end)};
}

int TableCache::find(std::uint64_t offset, Waiting waiting, Table*& table) {
    auto found = tables_.find(offset);
    if (found == tables_.end()) {
        Table loaded;
        loaded.bytes.resize(table_size_);
        if (const int error = file_.read_bytes(offset, loaded.bytes, waiting); error != 0)
            return error;
        make_room();
        found = tables_.emplace(offset, std::move(loaded)).first;
    }
    table = &found->second;
    table->last_use = ++uses_;
    return 0;
}

void TableCache::make_room() {
    while (tables_.size() >= capacity_) {
        auto oldest = tables_.end();
        for (auto table = tables_.begin(); table != tables_.end(); ++table) {
            if (!table->second.changed.is_empty() || !table->second.being_written.is_empty())
                continue;
            if (oldest == tables_.end() || table->second.last_use < oldest->second.last_use)
                oldest = table;
        }
        if (oldest == tables_.end()) return;
        tables_.erase(oldest);
    }
}

void TableCache::mark_changed(Table& table, Range range) {
    if (table.changed.is_empty() && !range.is_empty()) ++changed_count_;
    table.changed.include(range);
}

void TableCache::add(std::uint64_t offset, std::vector<std::byte> bytes) {
    const std::lock_guard lock{mutex_};
    make_room();
    Table& table = tables_[offset];
    table.bytes = std::move(bytes);
    table.last_use = ++uses_;
    mark_changed(table, {0, table.bytes.size()});
}

void TableCache::forget(std::uint64_t offset) {
    const std::lock_guard lock{mutex_};
    const auto found = tables_.find(offset);
    if (found == tables_.end()) return;
    if (!found->second.changed.is_empty()) --changed_count_;
    tables_.erase(found);
}

std::size_t TableCache::changed_count() const {
    const std::lock_guard lock{mutex_};
    return changed_count_;
}

void TableCache::take_changes(WriteStage& stage) {
    const std::lock_guard lock{mutex_};
    for (auto& [offset, table] : tables_) {
        if (table.changed.is_empty()) continue;
        table.being_written = std::exchange(table.changed, {});
        const auto& [first, end] = table.being_written;
        const auto from = table.bytes.begin();
        stage.push_back(
            {offset + first,
             {from + static_cast<std::ptrdiff_t>(first), from + static_cast<std::ptrdiff_t>(end)}});
    }
    changed_count_ = 0;
}

void TableCache::finish(bool were_written) {
    const std::lock_guard lock{mutex_};
    for (auto& [offset, table] : tables_) {
        const Range range = std::exchange(table.being_written, {});
        if (!were_written) mark_changed(table, range);
    }
}

}  // namespace backplane::images
