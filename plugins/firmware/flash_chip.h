// Flash memory that understands Intel's command set: what each write means, and what reads give
// meanwhile. (Intel 28F128J3 "StrataFlash" datasheet 290667; JEDEC JESD68 for the query)
//
// The guest cannot see that programming and erasing take time: the chip is always ready.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace backplane::firmware {

class FlashChip {
public:
    enum class Mode : std::uint8_t { Array, Status, Identifier, Query };

    static constexpr std::uint64_t most_blocks = 16384;
    static constexpr std::size_t buffer_size = 32;

    // What survives a snapshot beside the contents.
    struct State {
        Mode mode = Mode::Array;
        std::uint8_t status = 0x80;
        std::uint8_t command = 0;          // whose further cycles are awaited; 0 = none
        std::uint64_t command_offset = 0;  // of the buffered write's first byte
        std::uint32_t awaited = 0;         // units that the buffer still lacks
        bool has_offset = false;
        std::array<std::uint8_t, buffer_size> buffer{};
    };
    using Locks = std::array<std::uint8_t, most_blocks / 8>;  // one bit for each block

    // `unit` is the width of the data bus in bytes, 1 or 2; the size is a multiple of block_size,
    // and block_size of 256.
    void attach(std::span<std::byte> array, std::uint32_t block_size, std::uint32_t unit);
    // All blocks are locked, and stay so.
    void protect() { is_protected_ = true; }
    // The RP# pin: array mode, and no errors; lock bits stay.
    void reset() { state_ = {}; }

    // One unit; `offset` is a multiple of it.
    std::uint32_t read(std::uint64_t offset) const;
    void write(std::uint64_t offset, std::uint32_t value);

    Mode mode() const { return state_.mode; }
    State& state() { return state_; }
    // Whether a state that came from elsewhere is one that a chip of this size can have.
    bool is_consistent() const;
    Locks& locks() { return locks_; }

    std::uint64_t block_count() const { return array_.size() / block_size_; }
    // Whether a block has changed since it was last asked.
    bool take_change(std::uint64_t block);
    void put_back_change(std::uint64_t block) { changed_.at(block) = true; }

private:
    std::uint64_t block_of(std::uint64_t offset) const { return offset / block_size_; }
    bool is_locked(std::uint64_t block) const;
    void set_lock(std::uint64_t block, bool is_locked);

    void start_command(std::uint64_t offset, std::uint8_t command);
    void continue_command(std::uint64_t offset, std::uint32_t value);
    void continue_buffer(std::uint64_t offset, std::uint32_t value);
    void finish(std::uint8_t errors = 0);

    void program(std::uint64_t offset, std::uint32_t value);
    void program_buffer();
    void erase(std::uint64_t block);
    void change_locks(std::uint64_t block, std::uint8_t command);

    std::uint32_t identifier(std::uint64_t address) const;
    std::uint32_t query(std::uint64_t address) const;

    std::span<std::byte> array_;
    std::uint32_t block_size_ = 4096, unit_ = 1;
    bool is_protected_ = false;
    std::vector<bool> changed_;
    State state_;
    Locks locks_{};
};

}  // namespace backplane::firmware
