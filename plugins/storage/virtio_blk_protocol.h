// What virtio-blk devices and drivers say to each other. (virtio 1.2, chapter 5.2; little endian)
#pragma once

#include <backplane/virtio/features.h>

#include <cstdint>

namespace backplane::storage {

namespace virtio_blk {

inline constexpr std::uint32_t sector_size = 512;

namespace feature {
inline constexpr std::uint64_t seg_max = virtio::bit(2), geometry = virtio::bit(4),
                               read_only = virtio::bit(5), blk_size = virtio::bit(6),
                               flush = virtio::bit(9), topology = virtio::bit(10),
                               config_wce = virtio::bit(11), mq = virtio::bit(12),
                               discard = virtio::bit(13), write_zeroes = virtio::bit(14);
}  // namespace feature

// Offsets in the device's configuration.
namespace config {
inline constexpr unsigned capacity = 0, size_max = 8, seg_max = 12, cylinders = 16, heads = 18,
                          sectors = 19, blk_size = 20, physical_block_exp = 24,
                          alignment_offset = 25, min_io_size = 26, opt_io_size = 28, writeback = 32,
                          num_queues = 34, max_discard_sectors = 36, max_discard_seg = 40,
                          discard_sector_alignment = 44, max_write_zeroes_sectors = 48,
                          max_write_zeroes_seg = 52, write_zeroes_may_unmap = 56;
}  // namespace config

struct RequestHeader {
    std::uint32_t type, reserved;
    std::uint64_t sector;
};

namespace request {
inline constexpr std::uint32_t in = 0, out = 1, flush = 4, get_id = 8, discard = 11,
                               write_zeroes = 13;
}  // namespace request

namespace status {
inline constexpr std::uint8_t ok = 0, ioerr = 1, unsupp = 2;
}  // namespace status

inline constexpr unsigned id_length = 20;

// One segment of DISCARD and WRITE ZEROES.
struct RangeSegment {
    std::uint64_t sector;
    std::uint32_t num_sectors, flags;
};
inline constexpr std::uint32_t unmap = 1;

// What is offered.
inline constexpr std::uint32_t most_range_sectors = 1 << 22, most_ranges = 64;

}  // namespace virtio_blk

}  // namespace backplane::storage
