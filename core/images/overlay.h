// Throw-away writes above an image that stays as it is: `snapshot: true`. What was written lies in
// a temporary file, at its own offset, which takes no more of the host's disk than was written.
#pragma once

#include "images/image_storage.h"

#include <expected>
#include <memory>
#include <shared_mutex>
#include <string>
#include <vector>

namespace backplane::images {

class Overlay final : public ImageStorage {
public:
    static std::expected<std::unique_ptr<Overlay>, std::string>
    above(std::unique_ptr<ImageStorage> base);
    Overlay(std::unique_ptr<ImageStorage> base, std::unique_ptr<ImageStorage> top);

    std::uint64_t size() const override { return size_; }
    bool is_read_only() const override { return false; }
    bool can_discard() const override { return true; }
    int read(std::uint64_t offset, Segments segments, Waiting waiting) override;
    int write(std::uint64_t offset, Segments segments, Durability durability) override;
    int try_write(std::uint64_t offset, Segments segments) override;
    int extent(std::uint64_t offset, std::uint64_t length, Extent& extent) override;
    // Nothing of it outlives the program, so nothing needs to be safe.
    int flush() override { return 0; }
    int discard(std::uint64_t, std::uint64_t) override { return 0; }
    int write_zeroes(std::uint64_t offset, std::uint64_t length, bool may_discard) override;
    int resize(std::uint64_t size) override;
    int close() override { return 0; }

private:
    // What is copied from the base when a part of it is written.
    static constexpr std::uint64_t grain = 4096;

    bool is_written(std::uint64_t offset) const { return written_[offset / grain]; }
    // Up to where all is in the same place as what is at `offset`, at most `end`.
    std::uint64_t same_place_until(std::uint64_t offset, std::uint64_t end) const;
    int read_base(std::uint64_t offset, std::span<std::byte> bytes, Waiting waiting);
    int write_locked(std::uint64_t offset, Segments segments);
    int keep_surroundings(std::uint64_t offset, std::uint64_t end);
    int keep_grain(std::uint64_t offset);

    std::unique_ptr<ImageStorage> base_, top_;
    std::uint64_t size_, base_size_;
    std::shared_mutex mutex_;    // guards what follows, and each write as a whole
    std::vector<bool> written_;  // by grain
};

}  // namespace backplane::images
