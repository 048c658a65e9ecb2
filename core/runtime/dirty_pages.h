// Which pages of host memory were written, for displays that redraw only what changed and for
// copies of running guests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace backplane::runtime {

constexpr std::uint64_t dirty_page_size = 4096;

// One tracked block of memory. Every page starts dirty.
class DirtyPages {
public:
    explicit DirtyPages(std::span<std::byte> memory)
        : memory_{memory}, dirty_((memory.size() + dirty_page_size - 1) / dirty_page_size, 1) {}

    [[nodiscard]] std::span<std::byte> memory() const { return memory_; }
    [[nodiscard]] bool contains(const void* place) const {
        return place >= memory_.data() && place < memory_.data() + memory_.size();
    }
    [[nodiscard]] std::uint64_t page_of(const void* place) const {
        return static_cast<std::uint64_t>(static_cast<const std::byte*>(place) - memory_.data()) /
               dirty_page_size;
    }
    [[nodiscard]] bool is_dirty(std::uint64_t page) const { return dirty_[page] != 0; }

    void mark(const void* place, std::uint64_t length);
    // Bit i of `bitmap` becomes the state of page first + i, which is clean after. Gives whether
    // any was dirty.
    bool take(std::uint64_t first, std::uint64_t pages, std::uint64_t* bitmap);

private:
    std::span<std::byte> memory_;
    std::vector<std::uint8_t> dirty_;
};

// All tracked blocks of a machine; with the machine lock held.
class DirtyTracking {
public:
    void track(std::span<std::byte> memory);
    void forget(const void* memory);
    // Null when the memory at this place is not tracked.
    [[nodiscard]] DirtyPages* find(const void* place) const;

private:
    std::vector<std::unique_ptr<DirtyPages>> blocks_;
};

}  // namespace backplane::runtime
