// A disk for guests that know they are in an emulator: virtio-blk (virtio 1.2, chapter 5.2) over an
// image, with many requests in flight in several queues, whose data moves between image and guest
// memory without a copy.
//
// A disk whose image has no file is not there: the bus finds nothing in its slot.
#pragma once

#include "virtio_blk_protocol.h"
#include "virtio_blk_request.h"

#include <backplane/block.h>
#include <backplane/virtio/virtio_pci.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace backplane::storage {

class VirtioBlk final : public virtio::VirtioPci {
public:
    static void declare(Declaration<VirtioBlk>& d);

    Outcome start();
    void stop() { abandon_all(); }
    void resized();

private:
    using Request = VirtioBlkRequest;

    static constexpr unsigned most_queues = 16;
    // Chains taken at one go, before others have their turn.
    static constexpr unsigned most_at_once = 64;
    // Of guest memory that is not directly accessible, in one request.
    static constexpr std::uint64_t most_copied = 16 << 20;

    // VirtioDevice
    unsigned queue_count() const override { return queue_count_; }
    std::uint16_t largest_queue() const override { return queue_size_; }
    std::uint64_t device_features() const override;
    void queue_notified(unsigned queue) override;
    void abandon(unsigned queue) override;
    void features_agreed() override;
    void device_reset() override;
    void fill_config(std::span<std::uint8_t, config_size> config) const override;
    void write_config(unsigned offset, unsigned bytes, std::uint32_t value) override;

    // virtio_blk_request.cpp
    Request& new_request();
    void begin(Request& request);
    void begin_transfer(Request& request, BlockOperation operation);
    void begin_ranges(Request& request, BlockOperation operation);
    void send_id(Request& request);
    bool next_operation(Request& request);
    void run(Request& request);
    void arrived(Request& request, BlockResult result);
    void finish(Request& request, std::uint8_t status);
    void release(Request& request);
    void abandon_all();

    bool is_in_capacity(std::uint64_t sector, std::uint64_t bytes) const;
    bool writes_through() const;
    std::uint64_t capacity() const;  // in sectors
    void serve_later();

    BlockDevice image_;
    BlockInfo info_{};  // of the image, as it last said
    Timer later_;
    std::string serial_;
    std::uint32_t queue_count_ = 1;
    std::uint16_t queue_size_ = 256;
    std::uint32_t block_size_ = 512;
    Duration access_time_{0};

    bool write_back_ = true;  // the writeback field
    bool is_later_ = false;   // what waited for `later_` is being served
    std::vector<std::unique_ptr<Request>> requests_;
    std::vector<Request*> free_;

    std::uint64_t reads_ = 0, writes_ = 0, bytes_read_ = 0, bytes_written_ = 0, flushes_ = 0,
                  failures_ = 0;
};

}  // namespace backplane::storage
