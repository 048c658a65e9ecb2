#include "dma8237_controller.h"

namespace backplane::chipset {

namespace {

enum Register : unsigned {
    status_command = 8,
    request_register,
    single_mask,
    mode_register,
    clear_byte_pointer,
    temporary_master_clear,
    clear_mask,
    all_mask
};

namespace command_bits {
constexpr std::uint8_t memory_to_memory = 0x01, hold_source = 0x02, disable = 0x04;
constexpr std::uint8_t rotating_priority = 0x10;
}  // namespace command_bits

constexpr std::uint8_t all_channels = 0x0f;

std::uint8_t with_bit(std::uint8_t value, unsigned bit, bool set) {
    return static_cast<std::uint8_t>(set ? value | 1u << bit : value & ~(1u << bit));
}

}  // namespace

void Dma8237Controller::master_clear() {
    command = request = temporary = reached = 0;
    mask = all_channels;
    second_byte = false;
    lowest = 3;
}

bool Dma8237Controller::is_disabled() const { return (command & command_bits::disable) != 0; }
bool Dma8237Controller::moves_memory() const {
    return (command & command_bits::memory_to_memory) != 0;
}
bool Dma8237Controller::holds_source() const { return (command & command_bits::hold_source) != 0; }

std::uint8_t Dma8237Controller::read(unsigned reg) {
    if (reg < status_command) {
        const auto& from = channel[reg / 2];
        const std::uint16_t value = reg % 2 == 0 ? from.address : from.count;
        const unsigned shift = second_byte ? 8 : 0;
        second_byte = !second_byte;
        return static_cast<std::uint8_t>(value >> shift);
    }
    switch (reg) {
    case status_command: {
        const auto requests = static_cast<unsigned>(device_request | request);
        const auto value = static_cast<std::uint8_t>(requests << 4 | reached);
        reached = 0;
        return value;
    }
    case temporary_master_clear: return temporary;
    case all_mask: return mask;  // later chip sets; the 8237A calls it illegal
    default: return 0xff;
    }
}

void Dma8237Controller::write(unsigned reg, std::uint8_t value) {
    if (reg < status_command) {
        auto& to = channel[reg / 2];
        std::uint16_t& base = reg % 2 == 0 ? to.base_address : to.base_count;
        const unsigned shift = second_byte ? 8 : 0;
        base = static_cast<std::uint16_t>((base & ~(0xff << shift)) | value << shift);
        second_byte = !second_byte;
        (reg % 2 == 0 ? to.address : to.count) = base;
        return;
    }
    switch (reg) {
    case status_command: command = value; break;
    case request_register: request = with_bit(request, value & 3, (value & 4) != 0); break;
    case single_mask: mask = with_bit(mask, value & 3, (value & 4) != 0); break;
    case mode_register: channel[value & 3].mode = value; break;
    case clear_byte_pointer: second_byte = false; break;
    case temporary_master_clear: master_clear(); break;
    case clear_mask: mask = 0; break;
    default: mask = value & all_channels; break;
    }
}

std::optional<unsigned> Dma8237Controller::next(unsigned waiting) const {
    for (unsigned step = 1; step <= channels; ++step) {
        const unsigned candidate = (lowest + step) % channels;
        if ((waiting >> candidate & 1) != 0) return candidate;
    }
    return std::nullopt;
}

void Dma8237Controller::served(unsigned which) {
    lowest = (command & command_bits::rotating_priority) != 0 ? static_cast<std::uint8_t>(which)
                                                              : std::uint8_t{3};
}

void Dma8237Controller::terminal_count(unsigned which) {
    reached = with_bit(reached, which, true);
    request = with_bit(request, which, false);
    auto& done = channel[which];
    if (!done.autoinitializes()) {
        mask = with_bit(mask, which, true);
        return;
    }
    done.address = done.base_address;
    done.count = done.base_count;
}

}  // namespace backplane::chipset
