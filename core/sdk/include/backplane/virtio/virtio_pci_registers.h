// The registers of VirtioPci, modern and legacy.
#pragma once

#include <backplane/virtio/virtio_pci.h>

#include <array>
#include <cstdint>

namespace backplane::virtio {

// ---- Registers ----

inline std::uint64_t VirtioPci::read_registers(std::uint64_t offset, unsigned bytes) {
    if (is_working()) return ~std::uint64_t{0};
    const std::uint64_t at = offset % page;
    switch (offset / page) {
    case common_page:
        return read_fields(common_fields, at, bytes,
                           [this](unsigned field) { return common_field(field); });
    case isr_page: return at == 0 ? take_interrupt_status() : 0;
    case config_page: return read_config(at, bytes);
    default: return 0;
    }
}

inline void VirtioPci::write_registers(std::uint64_t offset, unsigned bytes, std::uint64_t value) {
    if (is_working()) return;
    const std::uint64_t at = offset % page;
    switch (offset / page) {
    case common_page:
        return write_fields(
            common_fields, at, bytes, value, [this](unsigned field) { return common_field(field); },
            [this](unsigned field, std::uint64_t whole) { set_common_field(field, whole); });
    case config_page:
        if (at + bytes <= config_size)
            write_config(static_cast<unsigned>(at), bytes, static_cast<std::uint32_t>(value));
        return;
    case notify_page: return notify_queue(static_cast<unsigned>(at / notify_multiplier));
    default: return;
    }
}

inline std::uint64_t VirtioPci::read_config(std::uint64_t offset, unsigned bytes) const {
    std::array<std::uint8_t, config_size> config{};
    fill_config(config);
    std::uint64_t value = 0;
    for (unsigned byte = 0; byte < bytes && offset + byte < config_size; ++byte)
        value |= std::uint64_t{config[offset + byte]} << (byte * 8);
    return value;
}

inline std::uint64_t VirtioPci::common_field(unsigned offset) {
    const auto half = [](std::uint64_t features, std::uint32_t select) {
        return select < 2 ? features >> (select * 32) & 0xffffffff : 0;
    };
    switch (offset) {
    case 0x00: return device_feature_select_;
    case 0x04: return half(offered(), device_feature_select_);
    case 0x08: return driver_feature_select_;
    case 0x0c: return half(accepted(), driver_feature_select_);
    case 0x10: return config_vector_;
    case 0x12: return queue_count();
    case 0x14: return device_status();
    case 0x15: return config_generation();
    case 0x16: return queue_select_;
    default: break;
    }
    if (!has_queue(queue_select_)) return 0;
    const QueueState& state = queue(queue_select_).state;
    switch (offset) {
    case 0x18: return state.size;
    case 0x1a: return state.vector;
    case 0x1c: return state.is_enabled ? 1 : 0;
    case 0x1e:
    case 0x38: return queue_select_;
    case 0x20: return state.descriptors & 0xffffffff;
    case 0x24: return state.descriptors >> 32;
    case 0x28: return state.driver_area & 0xffffffff;
    case 0x2c: return state.driver_area >> 32;
    case 0x30: return state.device_area & 0xffffffff;
    case 0x34: return state.device_area >> 32;
    default: return 0;
    }
}

inline void VirtioPci::set_common_field(unsigned offset, std::uint64_t value) {
    switch (offset) {
    case 0x00: device_feature_select_ = static_cast<std::uint32_t>(value); return;
    case 0x08: driver_feature_select_ = static_cast<std::uint32_t>(value); return;
    case 0x0c: {
        if (driver_feature_select_ >= 2) return;
        const unsigned shift = driver_feature_select_ * 32;
        return accept((accepted() & ~(std::uint64_t{0xffffffff} << shift)) | value << shift);
    }
    case 0x10: config_vector_ = possible_vector(value); return;
    case 0x14: return set_status(static_cast<std::uint8_t>(value));
    case 0x16: queue_select_ = static_cast<std::uint16_t>(value); return;
    default:
        if (has_queue(queue_select_)) set_queue_field(offset, value);
    }
}

inline void VirtioPci::set_queue_field(unsigned offset, std::uint64_t value) {
    QueueState& state = queue(queue_select_).state;
    const auto set_low = [&](std::uint64_t& address) { address = address >> 32 << 32 | value; };
    const auto set_high = [&](std::uint64_t& address) {
        address = (address & 0xffffffff) | value << 32;
    };
    switch (offset) {
    case 0x1a: state.vector = possible_vector(value); return;
    case 0x1c:
        if (value == 1) enable_queue(queue_select_);
        return;
    case 0x3a:
        if (value == 1 && has(feature::ring_reset)) reset_queue(queue_select_);
        return;
    default: break;
    }
    // 4.1.4.3.2: the rest is set before the queue is enabled.
    if (state.is_enabled) return;
    switch (offset) {
    case 0x18:
        if (value <= largest_queue()) state.size = static_cast<std::uint16_t>(value);
        return;
    case 0x20: return set_low(state.descriptors);
    case 0x24: return set_high(state.descriptors);
    case 0x28: return set_low(state.driver_area);
    case 0x2c: return set_high(state.driver_area);
    case 0x30: return set_low(state.device_area);
    case 0x34: return set_high(state.device_area);
    default: return;
    }
}

// ---- The legacy interface (4.1.4.8) ----

inline std::uint64_t VirtioPci::read_legacy(std::uint64_t offset, unsigned bytes) {
    if (is_working()) return ~std::uint64_t{0};
    const unsigned header = legacy_header();
    if (offset >= header) return read_config(offset - header, bytes);
    return read_fields(legacy_fields, offset, bytes,
                       [this](unsigned field) { return legacy_field(field); });
}

inline void VirtioPci::write_legacy(std::uint64_t offset, unsigned bytes, std::uint64_t value) {
    if (is_working()) return;
    const unsigned header = legacy_header();
    if (offset >= header)
        return write_config(static_cast<unsigned>(offset) - header, bytes,
                            static_cast<std::uint32_t>(value));
    write_fields(
        legacy_fields, offset, bytes, value, [this](unsigned field) { return legacy_field(field); },
        [this](unsigned field, std::uint64_t whole) { set_legacy_field(field, whole); });
}

inline std::uint64_t VirtioPci::legacy_field(unsigned offset) {
    const bool is_there = has_queue(queue_select_);
    switch (offset) {
    case 0: return offered() & 0xffffffff;
    case 4: return accepted() & 0xffffffff;
    case 8:
        return is_there && queue(queue_select_).state.is_enabled
                   ? queue(queue_select_).state.descriptors >> legacy_page_shift
                   : 0;
    case 12: return is_there ? largest_queue() : 0;
    case 14: return queue_select_;
    case 18: return device_status();
    case 19: return take_interrupt_status();
    case 20: return config_vector_;
    case 22: return is_there ? queue(queue_select_).state.vector : no_vector;
    default: return 0;
    }
}

inline void VirtioPci::set_legacy_field(unsigned offset, std::uint64_t value) {
    switch (offset) {
    case 4: return accept(value & offered() & 0xffffffff);
    case 8:
        if (has_queue(queue_select_)) place_legacy_queue(static_cast<std::uint32_t>(value));
        return;
    case 14: queue_select_ = static_cast<std::uint16_t>(value); return;
    case 16: return notify_queue(static_cast<unsigned>(value));
    case 18: return set_status(static_cast<std::uint8_t>(value));
    case 20: config_vector_ = possible_vector(value); return;
    case 22:
        if (has_queue(queue_select_)) queue(queue_select_).state.vector = possible_vector(value);
        return;
    default: return;
    }
}

// 2.7.2: of a legacy queue the driver chooses the place only, and the used ring begins a page.
inline void VirtioPci::place_legacy_queue(std::uint32_t page_number) {
    const std::uint16_t vector = queue(queue_select_).state.vector;
    reset_queue(queue_select_);
    QueueState& state = queue(queue_select_).state;
    state.vector = vector;
    if (page_number == 0) return;
    constexpr std::uint64_t alignment = std::uint64_t{1} << legacy_page_shift;
    state.descriptors = std::uint64_t{page_number} << legacy_page_shift;
    state.driver_area = state.descriptors + std::uint64_t{16} * state.size;
    const std::uint64_t end = state.driver_area + 6 + std::uint64_t{2} * state.size;
    state.device_area = (end + alignment - 1) / alignment * alignment;
    enable_queue(queue_select_);
}

}  // namespace backplane::virtio
