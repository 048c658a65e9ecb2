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
    static constexpr std::uint64_t window = 0xfee00000, window_mask = ~std::uint64_t{0xfffff};

    std::uint8_t destination = 0;
    bool logical = false;
    DeliveryMode mode = DeliveryMode::Fixed;
    std::uint8_t vector = 0;
    bool level_triggered = false;
    bool assert = true;

    std::uint64_t address() const {
        const bool redirect = mode == DeliveryMode::LowestPriority;
        return window | std::uint64_t{destination} << 12 | std::uint64_t{redirect} << 3 |
               std::uint64_t{logical} << 2;
    }

    std::uint32_t data() const {
        return vector | static_cast<std::uint32_t>(mode) << 8 | std::uint32_t{assert} << 14 |
               std::uint32_t{level_triggered} << 15;
    }

    static bool is_message(std::uint64_t address) { return (address & window_mask) == window; }

    static InterruptMessage decode(std::uint64_t address, std::uint32_t data) {
        return {.destination = static_cast<std::uint8_t>(address >> 12),
                .logical = (address & 4) != 0,
                .mode = static_cast<DeliveryMode>(data >> 8 & 7),
                .vector = static_cast<std::uint8_t>(data),
                .level_triggered = (data & 0x8000) != 0,
                .assert = (data & 0x4000) != 0 || (data & 0x8000) == 0};
    }
};

}  // namespace backplane::chipset
