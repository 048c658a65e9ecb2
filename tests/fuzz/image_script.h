// What the fuzz targets of image formats have in common: the first bytes of the input say what is
// done with the image that the others are.
#pragma once

#include "images/check_report.h"
#include "images/image_storage.h"
#include "images/memory_file.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

namespace backplane::images::testing {

class ImageScript {
public:
    static constexpr std::size_t length = 64;

    explicit ImageScript(std::span<const std::uint8_t> data)
        : script_{data.first(std::min(length, data.size()))},
          image_{std::as_bytes(data.subspan(script_.size()))} {}

    // The rest of the input as a file that grows to 4 MiB at most.
    std::shared_ptr<MemoryDisk> disk() const {
        auto disk = std::make_shared<MemoryDisk>();
        disk->stable.assign(image_.begin(), image_.end());
        disk->current = disk->stable;
        disk->most = 4 << 20;
        return disk;
    }

    void play(ImageStorage& image) {
        const std::uint64_t sectors = image.size() / 512;
        if (sectors * 512 != image.size()) std::abort();
        if (sectors == 0) return;
        std::vector<std::byte> buffer(most_sectors * 512);
        for (std::size_t at = 0; at + 8 <= script_.size(); at += 8) {
            std::uint64_t word = 0;
            std::memcpy(&word, script_.data() + at, 8);
            const std::uint64_t first = (word >> 8 & 1) != 0 ? (word >> 16) % sectors
                                                             : (word >> 16 & 0xfff) % sectors;
            const std::uint64_t count = std::min(sectors - first, 1 + (word >> 10 & 0x3f));
            const std::uint64_t offset = first * 512, bytes = count * 512;
            const auto part = std::span{buffer}.first(bytes);
            Extent extent;
            switch (word % 12) {
            case 0:
            case 1:
                if (image.read(offset, Segment{part}, Waiting::Yes) == 0) touch(part);
                break;
            case 2: (void)image.read(offset, Segment{part}, Waiting::No); break;
            case 3:
                if (image.extent(offset, image.size() - offset, extent) == 0 &&
                    (extent.length == 0 || extent.length > image.size() - offset))
                    std::abort();
                break;
            case 4:
                if (!image.is_read_only()) (void)image.flush();
                break;
            case 5:
                if (!image.is_read_only()) (void)image.discard(offset, bytes);
                break;
            case 6:
                if (!image.is_read_only())
                    (void)image.write_zeroes(offset, bytes, (word >> 9 & 1) != 0);
                break;
            case 7:
                if (!image.is_read_only() && (word >> 9 & 7) == 0) (void)image.resize(bytes * 64);
                return;
            default:
                std::ranges::fill(part, std::byte(word >> 24));
                if (image.is_read_only()) break;
                if ((word >> 9 & 1) != 0 && image.try_write(offset, Segment{part}) == 0) break;
                (void)image.write(offset, Segment{part}, Durability::Cached);
            }
        }
        if (!image.is_read_only()) (void)image.close();
    }

    // All that could be mended was, or it is an error that cannot be.
    static void compare(const CheckReport& mended, const CheckReport& after) {
        if (mended.errors == mended.mended_errors && mended.leaks == mended.mended_leaks &&
            (after.errors != 0 || after.leaks != 0)) {
            for (const std::string& finding : mended.findings)
                std::fprintf(stderr, "before: %s\n", finding.c_str());
            for (const std::string& finding : after.findings)
                std::fprintf(stderr, "after: %s\n", finding.c_str());
            std::abort();
        }
    }

private:
    static constexpr std::size_t most_sectors = 64;

    // Reads each byte, so that the sanitizer sees where it lies.
    static void touch(std::span<const std::byte> bytes) {
        volatile unsigned sum = 0;
        for (const std::byte byte : bytes)
            sum = sum + std::to_integer<unsigned>(byte);
    }

    std::span<const std::uint8_t> script_;
    std::span<const std::byte> image_;
};

}  // namespace backplane::images::testing
