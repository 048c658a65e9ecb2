// A small virtio device and its driver, to try rings and transport with: it writes back what it
// reads. A message that begins with 'h' is held until one that begins with 'r' comes; then those
// held are given back, the last first.
#pragma once

#include <backplane/testing/device_bench.h>
#include <backplane/testing/round_trip.h>
#include <backplane/testing/virtio_driver.h>
#include <backplane/virtio/virtio_pci.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cctype>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace backplane::virtio {

using testing::DeviceBench;
using testing::FakeClock;
using testing::VirtioBuffer;
using testing::VirtioDriver;
using testing::VirtioDriverQueue;

using Data = std::vector<std::uint8_t>;

class Echo final : public VirtioPci {
public:
    static void declare(Declaration<Echo>& d) {
        d.type("test.virtio-echo", "Gives back what it is given");
        declare_virtio(
            d, {.type = 42, .class_code = 0x00ff00, .queues = 3, .legacy_device_id = 0x1029});
        d.property("queues", &Echo::queues_, "How many");
        d.saved("mood", &Echo::mood_);
    }

    static constexpr std::uint64_t shout = bit(3);  // a feature: gives back capitals

private:
    unsigned queue_count() const override { return queues_; }
    std::uint16_t largest_queue() const override { return 64; }
    std::uint64_t device_features() const override { return shout; }

    void queue_notified(unsigned queue) override {
        while (take(queue, chain_)) {
            std::array<std::byte, 1> first{};
            chain_.read(memory(), 0, first);
            if (first[0] == std::byte{'h'}) {
                held_.push_back({queue, chain_});
                continue;
            }
            answer(queue, chain_);
            if (first[0] != std::byte{'r'}) continue;
            for (; !held_.empty(); held_.pop_back())
                answer(held_.back().first, held_.back().second);
        }
    }

    void answer(unsigned queue, const Chain& chain) {
        std::vector<std::byte> bytes(std::min<std::uint64_t>(length_of(chain.readable), 65536));
        chain.read(memory(), 0, bytes);
        if (has(shout))
            for (std::byte& each : bytes)
                each = static_cast<std::byte>(std::toupper(static_cast<int>(each)));
        give_back(queue, chain, static_cast<std::uint32_t>(chain.write(memory(), 0, bytes)));
    }

    void abandon(unsigned queue) override {
        std::erase_if(held_, [&](const auto& each) { return each.first == queue; });
    }
    void device_reset() override { mood_ = 7; }
    void fill_config(std::span<std::uint8_t, config_size> config) const override {
        config[0] = mood_;
        config[200] = 0xee;
    }
    void write_config(unsigned offset, unsigned, std::uint32_t value) override {
        if (offset != 0) return;
        mood_ = static_cast<std::uint8_t>(value);
        if (mood_ == 99) config_changed();
    }

    unsigned queues_ = 2;
    std::uint8_t mood_ = 7;
    Chain chain_;
    std::vector<std::pair<unsigned, Chain>> held_;
};

class EchoBench {
public:
    explicit EchoBench(std::vector<testing::Setting> settings = {})
        : device{Declaration<Echo>::device_type(), std::move(settings), &clock} {
        device.connect("slot", slot);
        EXPECT_TRUE(device.power_on()) << device.failure();
        driver.emplace(slot);
    }

    // A queue of this size at `base`, ready to be used.
    VirtioDriverQueue& begin(std::uint64_t features, std::uint16_t size = 8) {
        EXPECT_EQ(driver->negotiate(features | feature::version_1), features | feature::version_1);
        auto& queue = driver->add_queue(0, base, size);
        driver->ready();
        return queue;
    }

    void put(std::uint64_t address, const std::string& text) {
        for (std::size_t at = 0; at < text.size(); ++at)
            slot.memory.write(address + at, 1, static_cast<std::uint8_t>(text[at]));
    }
    std::string text(std::uint64_t address, std::size_t length) {
        std::string result;
        for (std::size_t at = 0; at < length; ++at)
            result += static_cast<char>(slot.memory.read(address + at, 1));
        return result;
    }

    std::size_t warnings() {
        std::size_t count = 0;
        for (const auto& line : device.host().log_lines)
            count += line.level <= BACKPLANE_LOG_WARNING ? 1 : 0;
        return count;
    }
    bool needs_reset() { return (driver->status() & status::needs_reset) != 0; }

    static constexpr std::uint64_t base = 0x10000, out = 0x40000, in = 0x50000;
    FakeClock clock;
    testing::FakePciSlot slot;
    DeviceBench device;
    std::optional<VirtioDriver> driver;
};

}  // namespace backplane::virtio
