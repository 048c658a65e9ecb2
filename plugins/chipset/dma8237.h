// The DMA of the ISA bus: two 8237A controllers, the second of which has the first on its channel
// 0, and the page registers that hold the upper address bits. (IBM PC/AT Technical Reference,
// "Direct Memory Access"; Intel 8237A data sheet 231466)
//
// Transfers happen at once when device and guest are both ready, and not byte by byte: nothing on
// an ISA bus could tell. Only a channel that begins again by itself waits as long as the bus would
// have been busy.
#pragma once

#include "dma8237_controller.h"

#include <backplane/sdk.h>

#include <array>
#include <span>

namespace backplane::chipset {

class Dma8237 final : public Device {
public:
    static constexpr unsigned channels = 8;  // the fourth connects the two controllers

    static void declare(Declaration<Dma8237>& d);

    void reset(ResetKind);

    // backplane.dma-channel/1
    struct Channel {
        void attach(const backplane_dma_device* device) { owner->devices_[number] = *device; }
        void request(std::int32_t level) { owner->request(number, level != 0); }
        std::uint32_t width() const { return Dma8237::width(number); }

        Dma8237* owner = nullptr;
        unsigned number = 0;
    };

private:
    template <unsigned which> std::uint64_t read(std::uint64_t offset, unsigned size);
    template <unsigned which>
    void write(std::uint64_t offset, unsigned size, std::uint64_t value);
    std::uint64_t read_page(std::uint64_t offset, unsigned size) const;
    void write_page(std::uint64_t offset, unsigned size, std::uint64_t value);
    backplane_link channel_link(unsigned number);

    static std::uint32_t width(unsigned number) { return number < 4 ? 1 : 2; }
    Dma8237Channel& channel(unsigned number) {
        return controllers_[number / 4].channel[number % 4];
    }
    std::uint64_t address(unsigned number) const;

    void request(unsigned number, bool level);
    void serve();
    bool serve_next(unsigned controller);
    unsigned waiting(unsigned controller) const;
    bool moves_whole_block(unsigned number) const;
    void transfer(unsigned number);
    std::uint32_t transfer_run(unsigned number, std::uint32_t transfers);
    std::uint32_t call_device(unsigned number, std::span<std::uint8_t> data,
                              std::uint32_t length) const;
    void move_memory();
    void finish(unsigned number, std::uint32_t transfers);
    void go_on();

    AddressSpace memory_;
    Timer again_;
    std::array<Channel, channels> links_{};
    std::array<backplane_dma_device, channels> devices_{};

    std::array<Dma8237Controller, 2> controllers_;
    std::array<std::uint8_t, 16> pages_{};
    std::array<Duration, channels> held_until_{};  // after a terminal count
    bool serving_ = false;
    std::uint64_t bytes_ = 0, blocks_ = 0;
};

}  // namespace backplane::chipset
