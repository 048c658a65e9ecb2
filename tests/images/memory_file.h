// A file in memory, whose power can fail, and whose disk can be full.
#pragma once

#include "images/byte_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <random>
#include <vector>

namespace backplane::images::testing {

// Thrown from what was under way when the power failed.
struct PowerFailure {};

// What a file is behind all copies of it.
struct MemoryDisk {
    std::vector<std::byte> stable;   // what a power failure leaves for sure
    std::vector<std::byte> current;  // what readers see
    struct Change {
        std::uint64_t offset;
        std::vector<std::byte> bytes;  // empty: the size becomes `offset`
    };
    std::vector<Change> pending;
    std::uint64_t most = std::uint64_t{256} << 20;  // what fits; ENOSPC beyond
    bool is_read_only = false;
    bool is_full = false;       // nothing can be written
    std::byte discarded{0xdd};  // what discarded bytes become
    std::uint64_t flushes = 0;
    int writes_until_full = -1;
    int changes_until_failure = -1;
    std::mutex mutex;

    void before_change() {
        if (changes_until_failure > 0 && --changes_until_failure == 0) throw PowerFailure{};
    }

    static constexpr std::size_t sector = 512;

    static void apply(std::vector<std::byte>& to, const Change& change) {
        if (change.bytes.empty()) return to.resize(change.offset);
        if (to.size() < change.offset + change.bytes.size())
            to.resize(change.offset + change.bytes.size());
        std::ranges::copy(change.bytes, to.begin() + static_cast<std::ptrdiff_t>(change.offset));
    }

    // Any of the sectors that were not flushed may be on the disk, or not.
    void lose_power(std::mt19937_64& random) {
        const unsigned kept_of_8 = static_cast<unsigned>(random() % 9);
        for (const Change& change : pending) {
            if (change.bytes.empty()) {
                if (random() % 8 < kept_of_8) apply(stable, change);
                continue;
            }
            for (std::size_t at = 0; at < change.bytes.size();) {
                const std::size_t step = sector - (change.offset + at) % sector;
                const std::size_t length = std::min(step, change.bytes.size() - at);
                const auto from = change.bytes.begin() + static_cast<std::ptrdiff_t>(at);
                if (random() % 8 < kept_of_8)
                    apply(stable,
                          {change.offset + at, {from, from + static_cast<std::ptrdiff_t>(length)}});
                at += length;
            }
        }
        pending.clear();
        current = stable;
    }
};

class MemoryFile final : public ByteFile {
public:
    explicit MemoryFile(std::shared_ptr<MemoryDisk> disk) : disk_{std::move(disk)} {}

    std::uint64_t size() const override { return disk_->current.size(); }
    bool is_read_only() const override { return disk_->is_read_only; }
    bool can_discard() const override { return true; }

    int read(std::uint64_t offset, Segments segments, Waiting) override {
        const std::lock_guard lock{disk_->mutex};
        const auto& bytes = disk_->current;
        for (const iovec& segment : segments) {
            const std::uint64_t there = offset < bytes.size()
                                            ? std::min<std::uint64_t>(segment.iov_len,
                                                                      bytes.size() - offset)
                                            : 0;
            auto* to = static_cast<std::byte*>(segment.iov_base);
            if (there != 0) std::memcpy(to, bytes.data() + offset, there);
            if (there != segment.iov_len) std::memset(to + there, 0, segment.iov_len - there);
            offset += segment.iov_len;
        }
        return 0;
    }

    int write(std::uint64_t offset, Segments segments, Durability) override {
        const std::lock_guard lock{disk_->mutex};
        if (disk_->writes_until_full == 0) disk_->is_full = true;
        if (disk_->writes_until_full > 0) --disk_->writes_until_full;
        if (disk_->is_full) return ENOSPC;
        MemoryDisk::Change written{offset, {}};
        for (const iovec& segment : segments) {
            const auto* from = static_cast<const std::byte*>(segment.iov_base);
            written.bytes.insert(written.bytes.end(), from, from + segment.iov_len);
        }
        if (offset > disk_->most || written.bytes.size() > disk_->most - offset) return ENOSPC;
        if (!written.bytes.empty()) change(std::move(written));
        return 0;
    }

    int flush() override {
        const std::lock_guard lock{disk_->mutex};
        disk_->before_change();
        ++disk_->flushes;
        for (const auto& change : disk_->pending)
            MemoryDisk::apply(disk_->stable, change);
        disk_->pending.clear();
        return 0;
    }

    int discard(std::uint64_t offset, std::uint64_t length) override {
        const std::lock_guard lock{disk_->mutex};
        if (offset >= disk_->current.size()) return 0;
        length = std::min<std::uint64_t>(length, disk_->current.size() - offset);
        if (length != 0) change({offset, std::vector<std::byte>(length, disk_->discarded)});
        return 0;
    }

    int write_zeroes(std::uint64_t offset, std::uint64_t length, bool) override {
        const std::vector<std::byte> zeroes(length);
        return write_bytes(offset, zeroes);
    }

    int resize(std::uint64_t size) override {
        const std::lock_guard lock{disk_->mutex};
        if (size > disk_->most) return ENOSPC;
        change({size, {}});
        return 0;
    }

private:
    void change(MemoryDisk::Change change) {
        disk_->before_change();
        MemoryDisk::apply(disk_->current, change);
        disk_->pending.push_back(std::move(change));
    }

    std::shared_ptr<MemoryDisk> disk_;
};

}  // namespace backplane::images::testing
