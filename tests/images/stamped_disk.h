// Random work on a disk whose every sector carries a stamp, so that it is known what each may hold.
#pragma once

#include "images/image_storage.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace backplane::images::testing {

class StampedDisk {
public:
    static constexpr std::uint64_t sector = 512;

    // Stamps start behind `first_stamp`; the disk is a part of another from `first_sector` on.
    explicit StampedDisk(std::uint64_t size, std::uint64_t seed = 1, std::uint64_t first_stamp = 0,
                         std::uint64_t first_sector = 0)
        : random{seed}, sectors_(size / sector), stamp_{first_stamp}, first_sector_{first_sector} {}

    // One operation at a random place; what went wrong, or 0.
    int step(ImageStorage& image) {
        const std::uint64_t count = sectors_.size();
        const std::uint64_t first = random() % 4 == 0 ? random() % count / 128 * 128
                                                      : random() % count;
        const std::uint64_t longest = random() % 4 == 0 ? 1024 : random() % 3 == 0 ? 128 : 12;
        const std::uint64_t length = std::min(count - first, 1 + random() % longest);
        switch (random() % 16) {
        case 0: return flush(image);
        case 1: return discard(image, first, length);
        case 2:
        case 3: {
            const bool may_discard = random() % 2 == 0;
            expect(first, length, 0);
            const int error = image.write_zeroes(first * sector, length * sector, may_discard);
            if (error == 0) settle(first, length, 0);
            return error;
        }
        case 4:
        case 5: return read(image, first, length) ? 0 : -1;
        default: return write(image, first, length);
        }
    }

    int write(ImageStorage& image, std::uint64_t first, std::uint64_t length) {
        const std::uint64_t stamp = ++stamp_;
        std::vector<std::uint64_t> data(length * sector / 8);
        for (std::uint64_t at = 0; at < length; ++at)
            fill(data.data() + at * sector / 8, first + at, stamp);
        // In two segments, of which the first ends anywhere.
        const std::size_t bytes = data.size() * 8, split = random() % (bytes + 1);
        auto* from = reinterpret_cast<char*>(data.data());
        const iovec segments[] = {{from, split}, {from + split, bytes - split}};
        expect(first, length, stamp);
        int error = random() % 2 == 0 ? image.try_write(first * sector, segments) : EAGAIN;
        if (error == EAGAIN) error = image.write(first * sector, segments, Durability::Cached);
        if (error == 0) settle(first, length, stamp);
        return error;
    }

    int flush(ImageStorage& image) {
        const int error = image.flush();
        if (error == 0) have_flushed();
        return error;
    }

    void have_flushed() {
        for (Sector& each : sectors_)
            if (each.is_known) each.may_be.assign(1, each.now);
    }

    int discard(ImageStorage& image, std::uint64_t first, std::uint64_t length) {
        expect(first, length, 0);
        const int error = image.discard(first * sector, length * sector);
        if (error != 0) return error;
        // Whatever is there now stays.
        std::vector<std::uint64_t> data(length * sector / 8);
        const iovec segment{data.data(), data.size() * 8};
        if (const int failed = image.read(first * sector, {&segment, 1}, Waiting::Yes); failed != 0)
            return failed;
        for (std::uint64_t at = 0; at < length; ++at) {
            const std::uint64_t stamp = data[at * sector / 8];
            if (std::ranges::find(sectors_[first + at].may_be, stamp) ==
                sectors_[first + at].may_be.end())
                return -1;
            settle(first + at, 1, stamp);
        }
        return 0;
    }

    // Every sector is what it was at last.
    bool read(ImageStorage& image, std::uint64_t first, std::uint64_t length) {
        return compare(image, first, length, [](const Sector& each, std::uint64_t stamp) {
            return each.is_known ? stamp == each.now
                                 : std::ranges::find(each.may_be, stamp) != each.may_be.end();
        });
    }
    bool is_current(ImageStorage& image) { return read(image, 0, sectors_.size()); }

    // Every sector is what it was when everything was flushed, or what was written there later.
    bool is_possible_after_failure(ImageStorage& image) {
        return compare(image, 0, sectors_.size(), [](const Sector& each, std::uint64_t stamp) {
            return std::ranges::find(each.may_be, stamp) != each.may_be.end();
        });
    }

    // Takes what is there for what is known.
    void adopt(ImageStorage& image) {
        std::vector<std::uint64_t> data(sectors_.size() * sector / 8);
        const iovec segment{data.data(), data.size() * 8};
        (void)image.read(0, {&segment, 1}, Waiting::Yes);
        for (std::size_t at = 0; at < sectors_.size(); ++at) {
            const std::uint64_t stamp = data[at * sector / 8];
            sectors_[at] = {stamp, {stamp}, true};
        }
    }

    std::uint64_t size() const { return sectors_.size() * sector; }
    // What the whole disk is.
    std::vector<std::uint64_t> contents() const {
        std::vector<std::uint64_t> data(sectors_.size() * sector / 8);
        for (std::size_t at = 0; at < sectors_.size(); ++at)
            fill(data.data() + at * sector / 8, at, sectors_[at].now);
        return data;
    }
    void resize(std::uint64_t size) { sectors_.resize(size / sector); }

    std::mt19937_64 random;
    std::string difference;

private:
    struct Sector {
        std::uint64_t now = 0;
        std::vector<std::uint64_t> may_be = {0};
        bool is_known = true;  // not after an error
    };

    void fill(std::uint64_t* words, std::uint64_t index, std::uint64_t stamp) const {
        words[0] = stamp;
        for (std::size_t at = 1; at < sector / 8; ++at)
            words[at] = stamp == 0 ? 0
                                   : stamp * 0x9e3779b97f4a7c15 + (first_sector_ + index) * 64 + at;
    }

    void expect(std::uint64_t first, std::uint64_t length, std::uint64_t stamp) {
        for (std::uint64_t at = first; at < first + length; ++at) {
            sectors_[at].may_be.push_back(stamp);
            sectors_[at].is_known = false;
        }
    }
    void settle(std::uint64_t first, std::uint64_t length, std::uint64_t stamp) {
        for (std::uint64_t at = first; at < first + length; ++at)
            sectors_[at].now = stamp, sectors_[at].is_known = true;
    }

    template <class Matches>
    bool compare(ImageStorage& image, std::uint64_t first, std::uint64_t length, Matches matches) {
        std::vector<std::uint64_t> data(length * sector / 8), expected(sector / 8);
        const iovec segment{data.data(), data.size() * 8};
        if (const int error = image.read(first * sector, {&segment, 1}, Waiting::Yes); error != 0) {
            difference = std::string{"cannot read: "} + std::strerror(error);
            return false;
        }
        for (std::uint64_t at = 0; at < length; ++at) {
            const std::uint64_t* words = data.data() + at * sector / 8;
            fill(expected.data(), first + at, words[0]);
            if (matches(sectors_[first + at], words[0]) &&
                std::equal(expected.begin(), expected.end(), words))
                continue;
            difference = "sector " + std::to_string(first + at) + " has stamp " +
                         std::to_string(words[0]) + ", last written " +
                         std::to_string(sectors_[first + at].now);
            return false;
        }
        return true;
    }

    std::vector<Sector> sectors_;
    std::uint64_t stamp_, first_sector_;
};

}  // namespace backplane::images::testing
