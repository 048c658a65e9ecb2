// Bytes on their way to the device: kept until it has room.
#pragma once

#include <backplane/abi/character.h>

#include <cstdint>
#include <span>
#include <vector>

namespace backplane::character {

class Incoming {
public:
    // True when another device was attached before, which gets nothing any more.
    bool attach(const backplane_character_receiver& receiver);

    void push(std::span<const std::uint8_t> bytes);
    // Gives the device what it has room for.
    void deliver();
    // Reading more should wait.
    bool is_full() const { return waiting_.size() - given_ >= capacity; }

    void send_break() const;
    void set_connected(bool connected);

    static constexpr std::size_t capacity = 64 << 10;

private:
    backplane_character_receiver receiver_{};
    std::vector<std::uint8_t> waiting_;
    std::size_t given_ = 0;  // of waiting_
    bool delivering_ = false;
    bool connected_ = false;
};

}  // namespace backplane::character
