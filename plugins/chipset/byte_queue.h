// A few bytes in order, of fixed capacity, in a form that a snapshot can hold.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>

namespace backplane::chipset {

template <std::size_t most>
struct ByteQueue {
    static constexpr std::size_t capacity = most;

    bool is_empty() const { return count == 0; }
    std::size_t room() const { return capacity - count; }
    void clear() { first = count = 0; }

    // Nothing when it does not fit.
    bool push(std::uint8_t value) {
        if (count >= capacity) return false;
        values[(first + count++) % capacity] = value;
        return true;
    }
    void push(std::initializer_list<std::uint8_t> several) {
        for (const std::uint8_t value : several)
            push(value);
    }

    void push_front(std::uint8_t value) {
        if (count >= capacity) return;
        first = static_cast<std::uint8_t>((first + capacity - 1) % capacity);
        values[first] = value;
        ++count;
    }

    // Not from an empty queue.
    std::uint8_t pop() {
        const std::uint8_t value = values[first % capacity];
        first = static_cast<std::uint8_t>((first + 1) % capacity);
        --count;
        return value;
    }

    std::array<std::uint8_t, capacity> values{};
    std::uint8_t first = 0, count = 0;
};

// Declares its fields saved state of the device T.
template <class Declaration, class Accessor>
void save_byte_queue(Declaration& d, const std::string& name, Accessor queue) {
    d.saved(name + ".values", [queue](auto& device) -> auto& { return (device.*queue).values; });
    d.saved(name + ".first", [queue](auto& device) -> auto& { return (device.*queue).first; });
    d.saved(name + ".count", [queue](auto& device) -> auto& { return (device.*queue).count; });
}

}  // namespace backplane::chipset
