#include "virtio_blk.h"

#include "disk_address.h"

#include <algorithm>
#include <bit>
#include <chrono>

namespace backplane::storage {

using namespace std::chrono_literals;
namespace feature = virtio_blk::feature;

void VirtioBlk::declare(Declaration<VirtioBlk>& d) {
    d.type("storage.virtio-blk", "Disk of a virtual machine, on PCI");
    declare_virtio(
        d, {.type = 2, .class_code = 0x010000, .queues = most_queues, .legacy_device_id = 0x1001});
    d.property("serial", &VirtioBlk::serial_,
               "Serial number, at most 20 characters; the device's name when empty");
    d.property("queues", &VirtioBlk::queue_count_, "Queues of requests; one for each CPU is best")
        .range(1u, most_queues);
    d.property("queue-size", &VirtioBlk::queue_size_, "Descriptors in a queue: a power of two")
        .range<std::uint16_t>(4, virtio::max_queue_size);
    d.property("block-size", &VirtioBlk::block_size_,
               "Bytes of a block: the guest reads and writes whole ones")
        .range(512u, 4096u);
    d.property("access-time", &VirtioBlk::access_time_,
               "Guest time from a request to its result, at least");
    d.connects("image", &VirtioBlk::image_, "What is on the disk");
    d.timer<&VirtioBlk::serve_later>("later", &VirtioBlk::later_);
    d.saved("writeback", &VirtioBlk::write_back_);
    d.counter("reads", &VirtioBlk::reads_, "requests", "Requests to read");
    d.counter("writes", &VirtioBlk::writes_, "requests", "Requests to write");
    d.counter("bytes.read", &VirtioBlk::bytes_read_, "bytes", "Given to the guest");
    d.counter("bytes.written", &VirtioBlk::bytes_written_, "bytes", "Taken from the guest");
    d.counter("flushes", &VirtioBlk::flushes_, "requests", "Requests to flush");
    d.counter("failures", &VirtioBlk::failures_, "requests", "Answered with an error");
    d.gauge(
        "in-flight", [](VirtioBlk& t) { return t.requests_.size() - t.free_.size(); }, "requests",
        "Being worked on");
}

Outcome VirtioBlk::start() {
    info_ = image_.info();
    if (!std::has_single_bit(queue_size_))
        return std::unexpected("queue-size is " + std::to_string(queue_size_) +
                               ", which is no power of two");
    if (!std::has_single_bit(block_size_))
        return std::unexpected("block-size is " + std::to_string(block_size_) +
                               ", which is no power of two");
    if (serial_.size() > virtio_blk::id_length)
        return std::unexpected("serial has " + std::to_string(serial_.size()) +
                               " characters; there is room for 20");
    block_size_ = std::max(block_size_, info_.block_size);
    if (!info_.has_medium()) hide();
    image_.listen(*this);
    return VirtioPci::start();
}

void VirtioBlk::resized() {
    info_ = image_.info();
    log(LogLevel::Info, "now has ", capacity(), " sectors");
    config_changed();
}

std::uint64_t VirtioBlk::capacity() const {
    return info_.size / block_size_ * (block_size_ / virtio_blk::sector_size);
}

std::uint64_t VirtioBlk::device_features() const {
    std::uint64_t features = feature::seg_max | feature::geometry | feature::blk_size |
                             feature::flush | feature::topology | feature::config_wce;
    if (queue_count_ > 1) features |= feature::mq;
    if (info_.is_read_only()) return features | feature::read_only;
    if (info_.can_discard()) features |= feature::discard;
    return features | feature::write_zeroes;
}

void VirtioBlk::fill_config(std::span<std::uint8_t, config_size> config) const {
    const auto put = [&](unsigned offset, unsigned bytes, std::uint64_t value) {
        for (unsigned byte = 0; byte < bytes; ++byte)
            config[offset + byte] = static_cast<std::uint8_t>(value >> (byte * 8));
    };
    DiskGeometry geometry = DiskGeometry::natural(capacity());
    if (info_.cylinders != 0 && info_.heads != 0 && info_.sectors != 0)
        geometry = {info_.cylinders, info_.heads, info_.sectors};
    const std::uint32_t physical = std::max(info_.physical_block_size, block_size_);
    const std::uint32_t blocks = physical / block_size_;
    namespace at = virtio_blk::config;
    put(at::capacity, 8, capacity());
    // Header and status have descriptors of their own.
    put(at::seg_max, 4, queue_size_ - 2u);
    put(at::cylinders, 2, std::min(geometry.cylinders, 65535u));
    put(at::heads, 1, std::min(geometry.heads, 255u));
    put(at::sectors, 1, std::min(geometry.sectors, 255u));
    put(at::blk_size, 4, block_size_);
    put(at::physical_block_exp, 1, static_cast<std::uint64_t>(std::countr_zero(blocks)));
    put(at::min_io_size, 2, blocks);
    put(at::writeback, 1, writes_through() ? 0 : 1);
    put(at::num_queues, 2, queue_count_);
    put(at::max_discard_sectors, 4, virtio_blk::most_range_sectors);
    put(at::max_discard_seg, 4, virtio_blk::most_ranges);
    put(at::discard_sector_alignment, 4, physical / virtio_blk::sector_size);
    put(at::max_write_zeroes_sectors, 4, virtio_blk::most_range_sectors);
    put(at::max_write_zeroes_seg, 4, virtio_blk::most_ranges);
    put(at::write_zeroes_may_unmap, 1, info_.can_discard() ? 1 : 0);
}

// 5.2.5.2: the cache's mode is all that a driver can write, if it has agreed to.
void VirtioBlk::write_config(unsigned offset, unsigned bytes, std::uint32_t value) {
    const unsigned at = virtio_blk::config::writeback;
    if (!has(feature::config_wce) || offset > at || offset + bytes <= at) return;
    write_back_ = (value >> ((at - offset) * 8) & 0xff) != 0;
}

// A driver that cannot flush gets its writes onto stable storage at once. (5.2.6.2)
bool VirtioBlk::writes_through() const {
    return has(feature::config_wce) ? !write_back_ : !has(feature::flush);
}

void VirtioBlk::features_agreed() { write_back_ = has(feature::flush); }

void VirtioBlk::device_reset() {
    write_back_ = true;
    later_.stop();
}

void VirtioBlk::queue_notified(unsigned queue) {
    if (access_time_ != 0ns && !is_later_) {
        if (!later_.is_running()) later_.start_after(access_time_);
        return;
    }
    for (unsigned count = 0; count < most_at_once; ++count) {
        Request& request = new_request();
        if (!take(queue, request.chain)) return release(request);
        request.queue = queue;
        begin(request);
    }
    if (!later_.is_running()) later_.start_after(access_time_);
}

void VirtioBlk::serve_later() {
    is_later_ = true;
    notify_all();
    is_later_ = false;
}

}  // namespace backplane::storage
