// One 8237A DMA controller: what its registers hold and what writing them does. Moving the data is
// the business of whoever has the memory and the devices. (Intel 8237A data sheet 231466)
#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace backplane::chipset {

struct Dma8237Channel {
    enum class Mode : std::uint8_t { Demand, Single, Block, Cascade };
    enum class Transfer : std::uint8_t { Verify, Write, Read, Illegal };  // as memory sees it

    Mode transfer_mode() const { return static_cast<Mode>(mode >> 6); }
    Transfer transfer() const { return static_cast<Transfer>(mode >> 2 & 3); }
    bool autoinitializes() const { return (mode & 0x10) != 0; }
    bool decrements() const { return (mode & 0x20) != 0; }
    // Transfers until terminal count.
    std::uint32_t left() const { return std::uint32_t{count} + 1; }

    void advance(std::uint32_t transfers) {
        address = static_cast<std::uint16_t>(decrements() ? address - transfers
                                                          : address + transfers);
        count = static_cast<std::uint16_t>(count - transfers);
    }

    std::uint16_t base_address = 0, base_count = 0;
    std::uint16_t address = 0, count = 0;
    std::uint8_t mode = 0;
};

struct Dma8237Controller {
    static constexpr unsigned channels = 4;

    // `reg` is 0 to 15.
    std::uint8_t read(unsigned reg);
    void write(unsigned reg, std::uint8_t value);
    void master_clear();

    bool is_disabled() const;
    bool moves_memory() const;  // channels 0 and 1 together
    bool holds_source() const;  // channel 0's address stays while they do
    bool is_masked(unsigned channel) const { return (mask >> channel & 1) != 0; }
    bool is_requested_by_software(unsigned channel) const { return (request >> channel & 1) != 0; }

    // The channel whose turn it is among those of which the bit in `waiting` is set.
    std::optional<unsigned> next(unsigned waiting) const;
    // With rotating priority a channel that was served is the last next time.
    void served(unsigned channel);
    // The count of the channel has run out.
    void terminal_count(unsigned channel);

    std::array<Dma8237Channel, channels> channel{};
    std::uint8_t command = 0, request = 0, mask = 0x0f, temporary = 0;
    std::uint8_t reached = 0;         // terminal count, until the status is read
    std::uint8_t device_request = 0;  // levels of DREQ
    std::uint8_t lowest = 3;          // channel of lowest priority
    bool second_byte = false;         // the byte pointer flip-flop
};

}  // namespace backplane::chipset
