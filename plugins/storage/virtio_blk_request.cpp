// The requests of VirtioBlk. (virtio 1.2, 5.2.6)
#include "virtio_blk_request.h"

#include "virtio_blk.h"

#include <algorithm>
#include <array>
#include <utility>

namespace backplane::storage {

using virtio_blk::RangeSegment;
using virtio_blk::RequestHeader;
using virtio_blk::sector_size;

void VirtioBlkRequest::cut_part(std::uint64_t most) {
    part_length = std::min(length - done, most);
    part.clear();
    std::uint64_t skip = done, left = part_length;
    for (const backplane_block_segment& each : data.segments()) {
        if (left == 0) break;
        if (skip >= each.length) {
            skip -= each.length;
            continue;
        }
        const std::uint64_t here = std::min(each.length - skip, left);
        part.push_back({static_cast<std::byte*>(each.data) + skip, here});
        left -= here;
        skip = 0;
    }
}

VirtioBlk::Request& VirtioBlk::new_request() {
    if (free_.empty()) {
        free_.push_back(requests_.emplace_back(std::make_unique<Request>()).get());
        free_.back()->disk = this;
    }
    Request& request = *free_.back();
    free_.pop_back();
    request.is_used = true;
    request.is_abandoned = request.is_submitted = false;
    request.operation = BlockOperation::Flush;
    request.flags = request.written = 0;
    request.offset = request.length = request.done = 0;
    request.range_count = request.next_range = 0;
    return request;
}

void VirtioBlk::release(Request& request) {
    request.is_used = false;
    request.data.clear({});
    free_.push_back(&request);
}

void VirtioBlk::begin(Request& request) {
    RequestHeader header{};
    const auto bytes = std::as_writable_bytes(std::span{&header, 1});
    const bool has_status = virtio::length_of(request.chain.writable) != 0;
    if (request.chain.read(memory(), 0, bytes) < sizeof header || !has_status) {
        fail("a request has no room for its header or its status");
        return release(request);
    }
    request.offset = header.sector;  // bytes once it is known to exist
    switch (header.type) {
    case virtio_blk::request::in: return begin_transfer(request, BlockOperation::Read);
    case virtio_blk::request::out: return begin_transfer(request, BlockOperation::Write);
    case virtio_blk::request::flush:
        ++flushes_;
        request.operation = BlockOperation::Flush;
        return run(request);
    case virtio_blk::request::get_id: return send_id(request);
    case virtio_blk::request::discard: return begin_ranges(request, BlockOperation::Discard);
    case virtio_blk::request::write_zeroes:
        return begin_ranges(request, BlockOperation::WriteZeroes);
    default: return finish(request, virtio_blk::status::unsupp);
    }
}

bool VirtioBlk::is_in_capacity(std::uint64_t sector, std::uint64_t bytes) const {
    const std::uint64_t blocks = block_size_ / sector_size;
    return sector % blocks == 0 && bytes % block_size_ == 0 && sector <= capacity() &&
           bytes / sector_size <= capacity() - sector;
}

void VirtioBlk::begin_transfer(Request& request, BlockOperation operation) {
    const bool reads = operation == BlockOperation::Read;
    const virtio::Chain& chain = request.chain;
    const std::uint64_t sector = request.offset;
    request.operation = operation;
    request.length = reads ? virtio::length_of(chain.writable) - 1
                           : virtio::length_of(chain.readable) - sizeof(RequestHeader);
    if (!is_in_capacity(sector, request.length)) return finish(request, virtio_blk::status::ioerr);
    request.offset = sector * sector_size;
    (reads ? reads_ : writes_) += 1;
    if (!reads && writes_through()) request.flags = BACKPLANE_BLOCK_FORCE_ACCESS;
    using Direction = GuestSegments::Direction;
    request.data.clear(reads ? Direction::ToGuest : Direction::FromGuest);
    bool fits = true;
    virtio::for_each_piece(
        reads ? chain.writable : chain.readable, reads ? 0 : sizeof(RequestHeader), request.length,
        [&](std::uint64_t address, std::uint64_t length, std::uint64_t) {
            fits = fits && request.data.add(memory(), address, length, most_copied);
        });
    if (!fits) return finish(request, virtio_blk::status::ioerr);
    if (request.length == 0) return finish(request, virtio_blk::status::ok);
    run(request);
}

// All is checked before anything is done. (5.2.6.2)
void VirtioBlk::begin_ranges(Request& request, BlockOperation operation) {
    using namespace virtio_blk;
    const bool discards = operation == BlockOperation::Discard;
    if (!has(discards ? feature::discard : feature::write_zeroes))
        return finish(request, status::unsupp);
    const std::uint64_t bytes = virtio::length_of(request.chain.readable) - sizeof(RequestHeader);
    if (bytes == 0 || bytes % sizeof(RangeSegment) != 0 ||
        bytes / sizeof(RangeSegment) > most_ranges)
        return finish(request, status::ioerr);
    request.operation = operation;
    request.range_count = static_cast<std::uint32_t>(bytes / sizeof(RangeSegment));
    const std::span ranges{request.ranges.data(), request.range_count};
    request.chain.read(memory(), sizeof(RequestHeader), std::as_writable_bytes(ranges));
    for (const RangeSegment& each : ranges) {
        if ((each.flags & ~(discards ? 0 : unmap)) != 0) return finish(request, status::unsupp);
        if (each.num_sectors > most_range_sectors ||
            !is_in_capacity(each.sector, std::uint64_t{each.num_sectors} * sector_size))
            return finish(request, status::ioerr);
    }
    run(request);
}

void VirtioBlk::send_id(Request& request) {
    std::array<char, virtio_blk::id_length> id{};
    const std::string text = serial_.empty() ? std::string{name()} : serial_;
    text.copy(id.data(), id.size());
    const std::uint64_t room = virtio::length_of(request.chain.writable) - 1;
    const auto bytes = std::as_bytes(std::span{id}).first(std::min<std::size_t>(id.size(), room));
    request.written = static_cast<std::uint32_t>(request.chain.write(memory(), 0, bytes));
    finish(request, virtio_blk::status::ok);
}

// What the image is to do next; false when all is done.
bool VirtioBlk::next_operation(Request& request) {
    if (request.is_transfer()) {
        if (request.done == request.length) return false;
        std::uint64_t most = info_.maximum_transfer / block_size_ * block_size_;
        if (most == 0) most = ~std::uint64_t{0};
        request.cut_part(most);
        return true;
    }
    if (request.operation == BlockOperation::Flush) {
        request.part_length = 0;
        return std::exchange(request.next_range, 1) == 0;
    }
    if (request.next_range == request.range_count) return false;
    const RangeSegment& range = request.ranges[request.next_range++];
    request.offset = range.sector * sector_size;
    request.done = 0;
    request.part_length = std::uint64_t{range.num_sectors} * sector_size;
    request.flags = request.operation == BlockOperation::WriteZeroes && writes_through()
                        ? BACKPLANE_BLOCK_FORCE_ACCESS
                        : 0;
    if ((range.flags & virtio_blk::unmap) != 0) request.flags |= BACKPLANE_BLOCK_MAY_DISCARD;
    request.part.clear();
    return true;
}

// As far as it goes without waiting.
void VirtioBlk::run(Request& request) {
    while (next_operation(request)) {
        request.is_submitted = true;
        const BlockResult result = image_.submit(
            request.operation, request.offset + request.done, request.part_length, request.part,
            [](void* user, std::int32_t outcome) noexcept {
                auto& arrived = *static_cast<Request*>(user);
                arrived.disk->arrived(arrived, static_cast<BlockResult>(outcome));
            },
            &request, request.flags);
        if (result == BlockResult::Pending) return;
        request.is_submitted = false;
        if (result != BlockResult::Ok) return finish(request, virtio_blk::status::ioerr);
        if (request.is_transfer()) request.done += request.part_length;
    }
    finish(request, virtio_blk::status::ok);
}

void VirtioBlk::arrived(Request& request, BlockResult result) {
    request.is_submitted = false;
    if (request.is_abandoned) return release(request);
    const Work work{*this};
    if (result != BlockResult::Ok) return finish(request, virtio_blk::status::ioerr);
    if (request.is_transfer()) request.done += request.part_length;
    run(request);
}

void VirtioBlk::finish(Request& request, std::uint8_t status) {
    const std::uint64_t room = virtio::length_of(request.chain.writable);
    const bool is_well = status == virtio_blk::status::ok;
    if (!is_well) ++failures_;
    if (is_well && request.operation == BlockOperation::Read && request.length != 0) {
        request.data.finish(memory());
        request.written = static_cast<std::uint32_t>(request.length);
        bytes_read_ += request.length;
    }
    if (is_well && request.operation == BlockOperation::Write) bytes_written_ += request.length;
    const std::array bytes{std::byte{status}};
    request.chain.write(memory(), room - 1, bytes);
    // What is told to be written is written from the first byte on.
    if (request.written == room - 1) ++request.written;
    give_back(request.queue, request.chain, request.written);
    release(request);
}

void VirtioBlk::abandon(unsigned queue) {
    bool must_wait = false;
    for (const auto& request : requests_) {
        if (!request->is_used || request->queue != queue || !request->is_submitted) continue;
        request->is_abandoned = true;
        must_wait = true;
    }
    if (must_wait) image_.wait();
}

void VirtioBlk::abandon_all() {
    for (unsigned queue = 0; queue < queue_count_; ++queue)
        abandon(queue);
}

}  // namespace backplane::storage
