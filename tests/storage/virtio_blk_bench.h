// A virtio disk with an image in memory, and a driver that makes requests of it.
#pragma once

#include "virtio_blk.h"

#include <backplane/testing/device_bench.h>
#include <backplane/testing/fake_block.h>
#include <backplane/testing/round_trip.h>
#include <backplane/testing/virtio_driver.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

namespace backplane::storage {

using testing::DeviceBench;
using testing::FakeBlock;
using testing::FakeClock;
using testing::FakePciSlot;
using testing::Setting;
using testing::VirtioBuffer;
using testing::VirtioDriver;
using testing::VirtioDriverQueue;

using Data = std::vector<std::uint8_t>;

class VirtioBlkBench {
public:
    static constexpr std::uint64_t all_features = virtio::feature::version_1 |
                                                  virtio::feature::indirect_descriptors |
                                                  virtio_blk::feature::flush |
                                                  virtio_blk::feature::discard |
                                                  virtio_blk::feature::write_zeroes;
    static constexpr std::uint64_t rings = 0x1000, header = 0x40000, status = 0x48000,
                                   data = 0x50000;

    explicit VirtioBlkBench(std::vector<Setting> settings = {}, std::size_t bytes = 2048 * 512)
        : image{bytes}, disk{Declaration<VirtioBlk>::device_type(), std::move(settings), &clock} {
        for (std::size_t at = 0; at < image.bytes.size(); ++at)
            image.bytes[at] = static_cast<std::uint8_t>(at * 7 + at / 512 * 13);
        disk.connect("image", image);
        disk.connect("slot", slot);
    }

    VirtioBlkBench& on() {
        EXPECT_TRUE(disk.power_on()) << disk.failure();
        driver.emplace(slot);
        return *this;
    }

    VirtioBlkBench& begin(std::uint64_t features = all_features, unsigned queues = 1) {
        if (!driver) on();
        EXPECT_EQ(driver->negotiate(features), features);
        for (unsigned index = 0; index < queues; ++index)
            driver->add_queue(index, rings + index * 0xc000, 64);
        driver->ready();
        return *this;
    }

    void put_header(std::uint32_t type, std::uint64_t sector, unsigned number = 0) {
        slot.memory.write(header + number * 16, 4, type);
        slot.memory.write(header + number * 16 + 4, 4, 0);
        slot.memory.write(header + number * 16 + 8, 8, sector);
        slot.memory.write(status + number, 1, 0xaa);
    }

    // Hands request `number` over, whose data is in these buffers.
    std::uint16_t add(std::uint32_t type, std::uint64_t sector, std::vector<VirtioBuffer> buffers,
                      unsigned number = 0, unsigned queue = 0) {
        put_header(type, sector, number);
        buffers.insert(buffers.begin(), {header + number * 16, 16});
        buffers.push_back({status + number, 1, true});
        return driver->queue(queue).add(buffers, buffers.size() > 6);
    }

    std::uint8_t status_of(unsigned number = 0) const {
        return slot.memory.memory[status + number];
    }

    // Makes a request, and gives its status; 0xaa when there is none yet.
    unsigned request(std::uint32_t type, std::uint64_t sector, std::vector<VirtioBuffer> buffers) {
        const auto id = add(type, sector, std::move(buffers));
        driver->notify(0);
        const auto used = driver->queue(0).take_used();
        if (!used) return status_of();
        EXPECT_EQ(used->id, id);
        written = used->length;
        return status_of();
    }

    void put(std::uint64_t address, const Data& bytes) {
        std::copy(bytes.begin(), bytes.end(),
                  slot.memory.memory.begin() + static_cast<std::ptrdiff_t>(address));
    }
    Data memory(std::uint64_t address, std::size_t length) const {
        const auto first = slot.memory.memory.begin() + static_cast<std::ptrdiff_t>(address);
        return {first, first + static_cast<std::ptrdiff_t>(length)};
    }
    Data content(std::size_t offset, std::size_t length) const {
        const auto first = image.bytes.begin() + static_cast<std::ptrdiff_t>(offset);
        return {first, first + static_cast<std::ptrdiff_t>(length)};
    }
    bool needs_reset() { return (driver->status() & virtio::status::needs_reset) != 0; }

    FakeClock clock;
    FakeBlock image;
    FakePciSlot slot;
    DeviceBench disk;
    std::optional<VirtioDriver> driver;
    std::uint32_t written = 0;
};

}  // namespace backplane::storage
