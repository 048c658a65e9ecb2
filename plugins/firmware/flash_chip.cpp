#include "flash_chip.h"

#include <algorithm>
#include <bit>

namespace backplane::firmware {

namespace {

// Datasheet, "Command Definitions".
namespace command {
constexpr std::uint8_t none = 0x00, set_lock = 0x01, program_alternative = 0x10, block_erase = 0x20,
                       program = 0x40, clear_status = 0x50, locks = 0x60, read_status = 0x70,
                       read_identifier = 0x90, read_query = 0x98, suspend = 0xb0,
                       configuration = 0xb8, program_protection = 0xc0, confirm = 0xd0,
                       write_buffer = 0xe8, read_array = 0xff;
}  // namespace command

// "Status Register Definitions".
namespace status {
constexpr std::uint8_t ready = 0x80, erase_error = 0x20, program_error = 0x10, block_locked = 0x02;
constexpr std::uint8_t sequence_error = erase_error | program_error;
}  // namespace status

// "Identifier Codes": address 0, 1, and 2 of each block.
constexpr std::uint8_t intel = 0x89;
constexpr std::uint64_t lock_address = 2, protection_lock_address = 0x80;
constexpr std::uint32_t protection_locked = 0xffff;  // there is nothing to program in it

std::uint8_t device_code(std::uint64_t size) {
    constexpr std::uint64_t mebibyte = 1 << 20;
    return size <= 4 * mebibyte    ? 0x16
           : size <= 8 * mebibyte  ? 0x17
           : size <= 16 * mebibyte ? 0x18
                                   : 0x1d;
}

}  // namespace

void FlashChip::attach(std::span<std::byte> array, std::uint32_t block_size, std::uint32_t unit) {
    array_ = array;
    block_size_ = block_size;
    unit_ = unit;
    changed_.assign(block_count(), false);
}

bool FlashChip::is_consistent() const {
    return state_.mode <= Mode::Query && state_.command_offset < array_.size() &&
           state_.command_offset % unit_ == 0 && state_.awaited <= buffer_size / unit_;
}

bool FlashChip::take_change(std::uint64_t block) {
    const bool changed = changed_.at(block);
    changed_[block] = false;
    return changed;
}

bool FlashChip::is_locked(std::uint64_t block) const {
    return is_protected_ || (locks_[block / 8] >> block % 8 & 1) != 0;
}

void FlashChip::set_lock(std::uint64_t block, bool is_locked) {
    const auto bit = static_cast<std::uint8_t>(1 << block % 8);
    locks_[block / 8] = static_cast<std::uint8_t>(is_locked ? locks_[block / 8] | bit
                                                            : locks_[block / 8] & ~bit);
}

// ---- Reads ----

std::uint32_t FlashChip::read(std::uint64_t offset) const {
    const std::uint64_t address = offset / unit_;
    switch (state_.mode) {
    case Mode::Array: {
        std::uint32_t value = 0;
        for (std::uint32_t byte = 0; byte < unit_; ++byte)
            value |= std::to_integer<std::uint32_t>(array_[offset + byte]) << byte * 8;
        return value;
    }
    case Mode::Status: return state_.status;
    case Mode::Identifier: return identifier(address);
    case Mode::Query: return query(address);
    }
    return 0;
}

std::uint32_t FlashChip::identifier(std::uint64_t address) const {
    const std::uint64_t in_block = address % (block_size_ / unit_);
    if (in_block == lock_address) return is_locked(address / (block_size_ / unit_));
    if (address == 0) return intel;
    if (address == 1) return device_code(array_.size());
    return address == protection_lock_address ? protection_locked : 0;
}

// JESD68, "CFI Query Structure": one byte at each address.
std::uint32_t FlashChip::query(std::uint64_t address) const {
    const auto size_exponent = static_cast<std::uint8_t>(std::bit_width(array_.size() - 1));
    const auto last_block = static_cast<std::uint16_t>(block_count() - 1);
    const std::uint32_t pages = block_size_ / 256;
    const std::array<std::uint8_t, 0x30> table{
        'Q', 'R', 'Y',     // at 0x10
        0x01, 0x00,        // Intel's extended command set
        0x31, 0x00,        // whose own table is there
        0, 0, 0, 0,        // there is no other command set
        0x27, 0x36, 0, 0,  // 2.7 to 3.6 V, no programming voltage
        7, 7, 10, 0,       // typical times, 2^n: 128 us a unit and a buffer, 1 s a block
        4, 4, 4, 0,        // at most 2^n as much
        size_exponent,     // at 0x27
        unit_ == 1 ? std::uint8_t{0} : std::uint8_t{1}, 0,  // 8 or 16 bits wide
        std::countr_zero(buffer_size), 0,                   // buffer, 2^n bytes
        1,                                                  // number of erase regions
        static_cast<std::uint8_t>(last_block), static_cast<std::uint8_t>(last_block >> 8),
        static_cast<std::uint8_t>(pages), static_cast<std::uint8_t>(pages >> 8), 'P', 'R', 'I', '1',
        '1',  // at 0x31
        // legacy lock and unlock, suspend of erasing and programming, queued erase: none of them
        0x00, 0x00, 0x00, 0x00,
        0x00,        // nothing can be done while suspended
        0x01, 0x00,  // the identifier's lock bit is valid
        0x33, 0x00,  // 3.3 V, no programming voltage
        0x00};       // no protection register
    constexpr std::uint64_t first = 0x10;
    return address >= first && address - first < table.size() ? table[address - first] : 0;
}

// ---- Writes ----

void FlashChip::write(std::uint64_t offset, std::uint32_t value) {
    if (state_.command == command::none)
        start_command(offset, static_cast<std::uint8_t>(value));
    else
        continue_command(offset, value);
}

void FlashChip::start_command(std::uint64_t offset, std::uint8_t given) {
    switch (given) {
    case command::read_array: state_.mode = Mode::Array; return;
    case command::read_identifier: state_.mode = Mode::Identifier; return;
    case command::read_query: state_.mode = Mode::Query; return;
    case command::clear_status: state_.status = status::ready; return;
    case command::read_status:
    case command::suspend:  // nothing is going on that could be suspended
        state_.mode = Mode::Status;
        return;
    case command::program:
    case command::program_alternative:
    case command::block_erase:
    case command::locks:
    case command::configuration:
    case command::program_protection:
    case command::write_buffer:
        state_.mode = Mode::Status;
        state_.command = given;
        state_.command_offset = offset;
        state_.awaited = 0;
        state_.has_offset = false;
        return;
    default: return;  // among them a confirmation of nothing
    }
}

void FlashChip::finish(std::uint8_t errors) {
    state_.status |= errors;
    state_.command = command::none;
    state_.awaited = 0;
    state_.has_offset = false;
}

void FlashChip::continue_command(std::uint64_t offset, std::uint32_t value) {
    const auto given = static_cast<std::uint8_t>(value);
    switch (state_.command) {
    case command::program:
    case command::program_alternative:
        finish();
        if (is_locked(block_of(offset)))
            return finish(status::program_error | status::block_locked);
        return program(offset, value);
    case command::block_erase:
        finish(given == command::confirm ? 0 : status::sequence_error);
        if (given == command::confirm) erase(block_of(offset));
        return;
    case command::locks: finish(); return change_locks(block_of(offset), given);
    case command::program_protection:  // the register is locked
        return finish(status::program_error | status::block_locked);
    case command::write_buffer: return continue_buffer(offset, value);
    default: return finish();  // configuration of the STS pin, to which nothing is connected
    }
}

// "Write to Buffer": the number of units less one, the units in any order, the confirmation.
void FlashChip::continue_buffer(std::uint64_t offset, std::uint32_t value) {
    const std::uint64_t block = block_of(state_.command_offset);
    if (!state_.has_offset && state_.awaited == 0) {
        state_.awaited = (value & 0xffff) + 1;
        state_.buffer.fill(0xff);
        if (state_.awaited > buffer_size / unit_) finish(status::sequence_error);
        return;
    }
    if (state_.awaited != 0) {
        // The first address chooses the buffer's place, which begins at a multiple of its size or,
        // at less speed, anywhere in the block.
        if (!state_.has_offset) state_.command_offset = offset;
        state_.has_offset = true;
        const std::uint64_t at = offset - state_.command_offset;
        if (block_of(offset) != block || offset < state_.command_offset || at + unit_ > buffer_size)
            return finish(status::sequence_error);
        for (std::uint32_t byte = 0; byte < unit_; ++byte)
            state_.buffer[at + byte] = static_cast<std::uint8_t>(value >> byte * 8);
        --state_.awaited;
        return;
    }
    if (static_cast<std::uint8_t>(value) != command::confirm || block_of(offset) != block)
        return finish(status::sequence_error);
    finish();
    if (is_locked(block)) return finish(status::program_error | status::block_locked);
    program_buffer();
}

// Programming only turns ones into zeros.
void FlashChip::program(std::uint64_t offset, std::uint32_t value) {
    for (std::uint32_t byte = 0; byte < unit_; ++byte)
        array_[offset + byte] &= std::byte(static_cast<std::uint8_t>(value >> byte * 8));
    changed_[block_of(offset)] = true;
}

// What the guest left out is all ones, which changes nothing.
void FlashChip::program_buffer() {
    const auto place = array_.subspan(state_.command_offset);
    for (std::size_t byte = 0; byte < std::min(buffer_size, place.size()); ++byte)
        place[byte] &= std::byte{state_.buffer[byte]};
    changed_[block_of(state_.command_offset)] = true;
}

void FlashChip::erase(std::uint64_t block) {
    if (is_locked(block)) return finish(status::erase_error | status::block_locked);
    std::ranges::fill(array_.subspan(block * block_size_, block_size_), std::byte{0xff});
    changed_[block] = true;
}

// Lock bits are set one by one and cleared all together.
void FlashChip::change_locks(std::uint64_t block, std::uint8_t given) {
    if (given == command::set_lock) {
        if (is_protected_) return finish(status::program_error | status::block_locked);
        set_lock(block, true);
    } else if (given == command::confirm) {
        if (is_protected_) return finish(status::erase_error | status::block_locked);
        locks_.fill(0);
    } else {
        finish(status::sequence_error);
    }
}

}  // namespace backplane::firmware
