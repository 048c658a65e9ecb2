// Two IDE channels at the ports of the ISA bus, without DMA: what a PC had before PCI, and what an
// ISA adapter card gives.
#pragma once

#include "ide_channel.h"

#include <backplane/sdk.h>

#include <array>

namespace backplane::storage {

class IdeController final : public Device {
public:
    static void declare(Declaration<IdeController>& d);

    Outcome start();
    void reset(ResetKind);
    void restored();

private:
    template <unsigned index>
    static void declare_channel(Declaration<IdeController>& d);

    template <unsigned index>
    std::uint64_t read(std::uint64_t offset, unsigned size) {
        return channels_[index].read(offset, size);
    }
    template <unsigned index>
    void write(std::uint64_t offset, unsigned size, std::uint64_t value) {
        channels_[index].write(offset, size, value);
    }
    template <unsigned index>
    std::uint32_t read_many(std::uint64_t offset, unsigned size, std::span<std::byte> data) {
        return offset == 0 ? channels_[index].read_many(size, data) : 0;
    }
    template <unsigned index>
    std::uint32_t write_many(std::uint64_t offset, unsigned size, std::span<const std::byte> data) {
        return offset == 0 ? channels_[index].write_many(size, data) : 0;
    }
    template <unsigned index>
    std::uint64_t read_control(std::uint64_t, unsigned) {
        return channels_[index].read_alternate_status();
    }
    template <unsigned index>
    void write_control(std::uint64_t, unsigned, std::uint64_t value) {
        channels_[index].write_device_control(static_cast<std::uint8_t>(value));
    }

    std::array<IdeChannel, 2> channels_;
};

}  // namespace backplane::storage
