// Interrupt messages, the way they look on the bus: a write of `data` to `address`. (SDM 3A 11.11)
#pragma once

#include <cstdint>

namespace backplane::chipset {

enum class DeliveryMode : std::uint8_t {
    Fixed = 0,
    LowestPriority = 1,
    Smi = 2,
    Nmi = 4,
    Init = 5,
    Startup = 6,
    External = 7
};

struct InterruptMessage {
    // Address bits 63-40 hold the upper part of a 32-bit destination, which only x2APICs send.
    static constexpr std::uint64_t window = 0xfee00000, window_mask = 0xff'fff0'0000;
    static constexpr std::uint32_t all = 0xff, all_x2apic = 0xffffffff;

    std::uint32_t destination = 0;
    bool logical = false;
    DeliveryMode mode = DeliveryMode::Fixed;
    std::uint8_t vector = 0;
    bool level_triggered = false;
    bool assert = true;

    std::uint64_t address() const {
        const bool redirect = mode == DeliveryMode::LowestPriority;
        return window | std::uint64_t{destination >> 8} << 40 |
               std::uint64_t{destination & 0xff} << 12 | std::uint64_t{redirect} << 3 |
               std::uint64_t{logical} << 2;
    }

    std::uint32_t data() const {
        return vector | static_cast<std::uint32_t>(mode) << 8 | std::uint32_t{assert} << 14 |
               std::uint32_t{level_triggered} << 15;
    }

    static bool is_message(std::uint64_t address) { return (address & window_mask) == window; }

    static InterruptMessage decode(std::uint64_t address, std::uint32_t data) {
        return {.destination = static_cast<std::uint32_t>((address >> 12 & 0xff) | (address >> 40)
                                                                                       << 8),
                .logical = (address & 4) != 0,
                .mode = static_cast<DeliveryMode>(data >> 8 & 7),
                .vector = static_cast<std::uint8_t>(data),
                .level_triggered = (data & 0x8000) != 0,
                .assert = (data & 0x4000) != 0 || (data & 0x8000) == 0};
    }
};

}  // namespace backplane::chipset
