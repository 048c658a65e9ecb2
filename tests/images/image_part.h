// A part of an image as an image of its own.
#pragma once

#include "images/image_storage.h"

#include <cerrno>
#include <cstdint>

namespace backplane::images::testing {

class Part final : public ImageStorage {
public:
    Part(ImageStorage& whole, std::uint64_t first, std::uint64_t length)
        : whole_{whole}, first_{first}, length_{length} {}
    std::uint64_t size() const override { return length_; }
    bool is_read_only() const override { return false; }
    bool can_discard() const override { return true; }
    int read(std::uint64_t offset, Segments segments, Waiting waiting) override {
        return whole_.read(first_ + offset, segments, waiting);
    }
    int write(std::uint64_t offset, Segments segments, Durability durability) override {
        return whole_.write(first_ + offset, segments, durability);
    }
    int try_write(std::uint64_t offset, Segments segments) override {
        return whole_.try_write(first_ + offset, segments);
    }
    int flush() override { return whole_.flush(); }
    int discard(std::uint64_t offset, std::uint64_t length) override {
        return whole_.discard(first_ + offset, length);
    }
    int write_zeroes(std::uint64_t offset, std::uint64_t length, bool may_discard) override {
        return whole_.write_zeroes(first_ + offset, length, may_discard);
    }
    int resize(std::uint64_t) override { return EINVAL; }

private:
    ImageStorage& whole_;
    std::uint64_t first_, length_;
};

}  // namespace backplane::images::testing
