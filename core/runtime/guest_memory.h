// Host memory that stands for guest RAM: reserved at once, committed by the host page by page as it
// is touched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>

namespace backplane::runtime {

class GuestMemory {
public:
    static std::expected<GuestMemory, std::string> allocate(std::uint64_t bytes);

    GuestMemory(GuestMemory&& other) noexcept : bytes_{other.bytes_} { other.bytes_ = {}; }
    GuestMemory& operator=(GuestMemory&&) = delete;
    ~GuestMemory();

    [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }

    // Bytes that the host has committed so far. Slow: asks the kernel about every page.
    [[nodiscard]] std::uint64_t committed() const;

private:
    explicit GuestMemory(std::span<std::byte> bytes) : bytes_{bytes} {}

    std::span<std::byte> bytes_;
};

}  // namespace backplane::runtime
