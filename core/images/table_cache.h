// Tables of an image file that say where its data is, kept in memory while they are in use. What is
// changed in them stays here until the image writes it, in its order.
#pragma once

#include "images/byte_file.h"
#include "images/write_stages.h"

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

namespace backplane::images {

class TableCache {
public:
    // `capacity` tables are kept; more only while they are changed and not yet written.
    TableCache(ByteFile& file, std::size_t table_size, std::size_t capacity)
        : file_{file}, table_size_{table_size}, capacity_{capacity} {}

    std::size_t table_size() const { return table_size_; }

    // [any] Calls use(std::span<const std::byte>) with the table at `offset` of the file.
    template <class Use> int look(std::uint64_t offset, Waiting waiting, Use use) {
        std::unique_lock lock{mutex_, std::defer_lock};
        if (waiting == Waiting::Yes)
            lock.lock();
        else if (!lock.try_lock())
            return EAGAIN;
        Table* table = nullptr;
        if (const int error = find(offset, waiting, table); error != 0) return error;
        use(std::span<const std::byte>{table->bytes});
        return 0;
    }

    // Calls change(std::span<std::byte>), after which bytes `first` to `end` are to be written.
    template <class Change>
    int change(std::uint64_t offset, std::size_t first, std::size_t end, Change change) {
        const std::lock_guard lock{mutex_};
        Table* table = nullptr;
        if (const int error = find(offset, Waiting::Yes, table); error != 0) return error;
        change(std::span<std::byte>{table->bytes});
        mark_changed(*table, {first, end});
        return 0;
    }

    // A new table, all of which is to be written.
    void add(std::uint64_t offset, std::vector<std::byte> bytes);
    // There is no table at `offset` any more.
    void forget(std::uint64_t offset);

    std::size_t changed_count() const;
    // Copies what is to be written. Then `finish` says whether it was.
    void take_changes(WriteStage& stage);
    void finish(bool were_written);

private:
    struct Range {
        std::size_t first = 0, end = 0;
        bool is_empty() const { return first == end; }
        void include(Range other);
    };
    struct Table {
        std::vector<std::byte> bytes;
        Range changed, being_written;
        std::uint64_t last_use = 0;
    };

    int find(std::uint64_t offset, Waiting waiting, Table*& table);
    void mark_changed(Table& table, Range range);
    void make_room();

    ByteFile& file_;
    std::size_t table_size_, capacity_;
    mutable std::mutex mutex_;  // guards what follows
    std::unordered_map<std::uint64_t, Table> tables_;
    std::uint64_t uses_ = 0;
    std::size_t changed_count_ = 0;
};

}  // namespace backplane::images
