// One request to a virtio-blk device, from the chain it came in to the status it gets.
#pragma once

#include "virtio_blk_protocol.h"

#include <backplane/block.h>
#include <backplane/guest_segments.h>
#include <backplane/virtio/chain.h>

#include <array>
#include <cstdint>
#include <vector>

namespace backplane::storage {

class VirtioBlk;

struct VirtioBlkRequest {
    VirtioBlk* disk = nullptr;
    unsigned queue = 0;
    virtio::Chain chain;

    // What the image is asked for. A transfer that is too large for it goes in parts, and segments
    // of DISCARD and WRITE ZEROES one after another.
    BlockOperation operation{};
    std::uint32_t flags = 0;
    std::uint64_t offset = 0, length = 0, done = 0;
    GuestSegments data;
    std::array<virtio_blk::RangeSegment, virtio_blk::most_ranges> ranges{};
    std::uint32_t range_count = 0, next_range = 0;

    // Of the operation that was submitted.
    std::vector<backplane_block_segment> part;
    std::uint64_t part_length = 0;

    std::uint32_t written = 0;  // into the chain's writable buffers, when it goes well
    bool is_used = false;
    bool is_submitted = false;
    bool is_abandoned = false;  // nobody waits for it any more

    bool is_transfer() const {
        return operation == BlockOperation::Read || operation == BlockOperation::Write;
    }

    // The next part, of at most so many bytes.
    void cut_part(std::uint64_t most);
};

}  // namespace backplane::storage
