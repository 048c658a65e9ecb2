// One channel of a DMA controller, with memory of its own.
#pragma once

#include <backplane/abi/device.h>
#include <backplane/abi/dma_channel.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace backplane::storage {

class FakeDmaChannel {
public:
    backplane_link link() {
        static constexpr backplane_dma_channel functions{
            sizeof(backplane_dma_channel), 0,
            [](void* object, const backplane_dma_device* device) { self(object).device = *device; },
            [](void* object, std::int32_t level) { self(object).request(level != 0); },
            [](void* object) { return self(object).width; }};
        return {&functions, this};
    }

    // What the guest has programmed: so many bytes from the begin of memory on.
    void program(std::uint32_t way, std::size_t bytes) {
        direction = way;
        at = 0;
        left = bytes;
        if (memory.size() < bytes) memory.resize(bytes);
        serve();
    }
    void give(std::vector<std::uint8_t> data) {
        memory = std::move(data);
        program(BACKPLANE_DMA_TO_DEVICE, memory.size());
    }
    void take(std::size_t bytes) {
        memory.assign(bytes, 0);
        program(BACKPLANE_DMA_FROM_DEVICE, bytes);
    }

    backplane_dma_device device{};
    std::vector<std::uint8_t> memory;
    std::uint32_t direction = BACKPLANE_DMA_VERIFY, width = 1;
    std::size_t at = 0, left = 0;
    bool requested = false;
    int ends = 0;

private:
    static FakeDmaChannel& self(void* object) { return *static_cast<FakeDmaChannel*>(object); }

    void request(bool level) {
        requested = level;
        if (level) serve();
    }

    // In pieces, as a real one; terminal count comes with the last byte.
    void serve() {
        while (requested && left != 0) {
            const auto wanted = static_cast<std::uint32_t>(std::min<std::size_t>(left, 200));
            std::uint8_t* const data = direction == BACKPLANE_DMA_VERIFY ? nullptr
                                                                         : memory.data() + at;
            const std::uint32_t moved = device.transfer(device.user, direction, data, wanted);
            at += moved;
            left -= moved;
            if (left == 0) {
                ++ends;
                device.terminal_count(device.user);
            } else if (moved < wanted) {
                requested = false;
            }
        }
    }
};

}  // namespace backplane::storage
