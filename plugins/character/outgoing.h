// Bytes on their way from the device to the host, written in batches and never waited for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace backplane::character {

class HostFile;

// What to do when nobody takes the bytes. A file or a terminal is waited for: the device keeps what
// was not taken. On a line where nobody listens nobody waits either: the oldest bytes go.
enum class WhenFull : std::uint8_t { Refuse, DropOldest };

class Outgoing {
public:
    explicit Outgoing(WhenFull when_full) : when_full_{when_full} {}

    // How many were taken.
    std::uint32_t put(std::span<const std::uint8_t> bytes);
    // 0 when all is written, EAGAIN when the rest has to wait, otherwise what is wrong with the
    // file.
    int write_to(const HostFile& file);
    void clear();

    bool is_empty() const { return written_ == waiting_.size(); }
    std::uint64_t dropped() const { return dropped_; }
    std::uint64_t written() const { return total_; }

    static constexpr std::size_t capacity = 64 << 10;

private:
    void compact();

    WhenFull when_full_;
    std::vector<std::uint8_t> waiting_;
    std::size_t written_ = 0;  // of waiting_
    std::uint64_t dropped_ = 0, total_ = 0;
};

}  // namespace backplane::character
