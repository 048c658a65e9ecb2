// The two channels of an IDE controller, and their ports as all controllers of a PC declare them.
#pragma once

#include "ide_channel.h"

#include <backplane/sdk.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace backplane::storage {

class IdeChannels : public Device {
protected:
    ~IdeChannels() = default;

    // Windows `primary` and `primary-control`, line `primary-irq`, drives `primary-master` and
    // `primary-slave`, or those of the secondary channel, and what is saved.
    template <unsigned index, class T>
    static void declare_channel(Declaration<T>& d);

    std::array<IdeChannel, 2> channels_;

private:
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
};

template <unsigned index, class T>
void IdeChannels::declare_channel(Declaration<T>& d) {
    static constexpr bool primary = index == 0;
    const auto channel = [](T& t) -> IdeChannel& { return t.IdeChannels::channels_[index]; };
    d.template port_window<&IdeChannels::read<index>, &IdeChannels::write<index>,
                           &IdeChannels::read_many<index>, &IdeChannels::write_many<index>>(
         primary ? "primary" : "secondary", 8,
         primary ? "Command block, in a PC at 0x1F0" : "Command block, in a PC at 0x170")
        .reg(0, "DATA", "16 bits of the data block", 2)
        .reg(1, "ERROR", "Read: error; write: features")
        .reg(2, "COUNT", "Sectors")
        .reg(3, "LBA_LOW", "LBA bits 0 to 7, or the sector")
        .reg(4, "LBA_MID", "LBA bits 8 to 15, or the cylinder's low byte")
        .reg(5, "LBA_HIGH", "LBA bits 16 to 23, or the cylinder's high byte")
        .reg(6, "DEVICE", "Bit 4: device; bit 6: LBA; bits 0 to 3: LBA bits 24 to 27, or the head")
        .reg(7, "STATUS", "Read: status, and the interrupt is taken back; write: command");
    d.template port_window<&IdeChannels::read_control<index>, &IdeChannels::write_control<index>>(
         primary ? "primary-control" : "secondary-control", 1,
         primary ? "Control block, in a PC at 0x3F6" : "Control block, in a PC at 0x376")
        .reg(0, "CONTROL", "Read: status; write: bit 1 disables interrupts, bit 2 resets");
    d.line_output(
        primary ? "primary-irq" : "secondary-irq",
        [channel](T& t) -> auto& { return channel(t).interrupt_line(); },
        primary ? "Interrupt, in a PC 14" : "Interrupt, in a PC 15");
    d.connects(
        primary ? "primary-master" : "secondary-master",
        [channel](T& t) -> auto& { return channel(t).drive(0); }, "Device 0", Optional::Yes);
    d.connects(
        primary ? "primary-slave" : "secondary-slave",
        [channel](T& t) -> auto& { return channel(t).drive(1); }, "Device 1", Optional::Yes);
    IdeChannel::declare_saved(d, primary ? "primary" : "secondary", channel);
}

}  // namespace backplane::storage
