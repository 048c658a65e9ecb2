// A chain of two buffers through a virtqueue, in either ring layout: taken by the device, given
// back, and whether to interrupt is decided. The driver's part is a few stores into RAM.
#include "runtime/address_space.h"

#include <backplane/virtio/virtqueue.h>

#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstring>
#include <vector>

namespace backplane::virtio {
namespace {

constexpr std::uint16_t queue_size = 256;
constexpr std::uint64_t descriptors = 0, driver_area = 0x2000, device_area = 0x4000,
                        request = 0x10000, response = 0x20000, ram_size = 1 << 20;
constexpr std::uint32_t request_size = 16, response_size = 512;
constexpr std::uint16_t next = 1, device_writes = 2;  // virtio 1.2, 2.7.5 and 2.8.1

// A queue in the RAM of a machine's memory bus.
class Ring {
public:
    explicit Ring(std::uint64_t features) : features_{features | feature::version_1} {
        exclusive_.enter();
        window_.struct_size = sizeof window_;
        window_.flags = BACKPLANE_WINDOW_READ_DIRECT | BACKPLANE_WINDOW_WRITE_DIRECT;
        window_.memory = ram_.data();
        bus_.map({.owner = "ram", .base = 0, .size = ram_size, .window = &window_, .object = this});
        queue_.reset(queue_size);
        queue_.state.descriptors = descriptors;
        queue_.state.driver_area = driver_area;
        queue_.state.device_area = device_area;
        queue_.enable(features_);
    }

    // Whether the device found the chain.
    bool pass() {
        const char* error = nullptr;
        if (!queue_.take(memory_, features_, chain_, error)) return false;
        queue_.give_back(memory_, features_, chain_, response_size);
        benchmark::DoNotOptimize(queue_.wants_interrupt(memory_, features_));
        return chain_.readable.size() == 1 && chain_.writable.size() == 1;
    }

    template <class Value> void store(std::uint64_t address, Value value) {
        std::memcpy(&ram_[address], &value, sizeof value);
    }
    void store_descriptor(std::uint64_t address, std::uint64_t buffer, std::uint32_t length,
                          std::uint16_t third, std::uint16_t fourth) {
        store(address, buffer);
        store(address + 8, length);
        store(address + 12, third);
        store(address + 14, fourth);
    }

private:
    runtime::MachineLock lock_;
    runtime::DirtyTracking dirty_;
    runtime::ExclusiveSection exclusive_{lock_, [] {}};
    std::vector<std::uint8_t> ram_ = std::vector<std::uint8_t>(ram_size);
    backplane_window window_{};
    runtime::AddressSpace bus_{"memory", std::uint64_t{1} << 40, lock_, exclusive_, dirty_};
    AddressSpace memory_{backplane_link{&runtime::AddressSpace::functions, &bus_}};
    std::uint64_t features_;
    Virtqueue queue_;
    Chain chain_;
};

void virtqueue_pass_chain_split(benchmark::State& state) {
    Ring ring{0};
    ring.store_descriptor(descriptors, request, request_size, next, 1);
    ring.store_descriptor(descriptors + 16, response, response_size, device_writes, 0);
    std::uint16_t available = 0;
    for (auto _ : state) {
        ring.store(driver_area + 4 + 2u * (available % queue_size), std::uint16_t{0});
        ring.store(driver_area + 2, ++available);
        if (!ring.pass()) return state.SkipWithError("the device did not find the chain");
    }
}
BENCHMARK(virtqueue_pass_chain_split);

void virtqueue_pass_chain_packed(benchmark::State& state) {
    Ring ring{feature::ring_packed};
    constexpr std::uint16_t available = 1 << 7, used = 1 << 15;  // virtio 1.2, 2.8.1
    std::uint16_t place = 0, owner = available;                  // of this turn around the ring
    for (auto _ : state) {
        const std::uint64_t at = descriptors + std::uint64_t{16} * place;
        ring.store_descriptor(at + 16, response, response_size, 0,
                              static_cast<std::uint16_t>(device_writes | owner));
        ring.store_descriptor(at, request, request_size, 0,
                              static_cast<std::uint16_t>(next | owner));
        place = static_cast<std::uint16_t>(place + 2);
        if (place == queue_size) place = 0, owner = owner == available ? used : available;
        if (!ring.pass()) return state.SkipWithError("the device did not find the chain");
    }
}
BENCHMARK(virtqueue_pass_chain_packed);

}  // namespace
}  // namespace backplane::virtio
