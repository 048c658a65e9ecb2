// What a mouse has still to report: movement is added up, changes of buttons are kept in order, so
// that a click between two reports is not lost.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace backplane::chipset {

struct Ps2MouseMotion {
    static constexpr std::size_t capacity = 16;
    static constexpr std::int32_t limit = 0x7fff;

    struct Report {
        std::int32_t x = 0, y = 0, wheel = 0;
        std::uint8_t buttons = 0;
    };

    bool is_empty() const { return count == 0; }
    std::size_t room() const { return capacity - count; }

    // Forgets movement; the buttons stay where they are.
    void clear() { count = 0; }

    void move(std::int32_t x, std::int32_t y, std::int32_t wheel) {
        if (x == 0 && y == 0 && wheel == 0) return;
        if (count == 0) append();
        const std::size_t last = count - 1u;
        const auto add = [last](auto& values, std::int32_t distance) {
            const std::int64_t sum = std::int64_t{values[last]} + distance;
            values[last] = static_cast<std::int32_t>(std::clamp<std::int64_t>(sum, -limit, limit));
        };
        add(xs, x);
        add(ys, y);
        add(wheels, wheel);
    }

    // When too many changes wait, the last of them show where the buttons are now.
    void press(std::uint8_t now) {
        if (now == buttons) return;
        buttons = now;
        if (count == capacity)
            states[count - 1u] = now;
        else
            append();
    }

    // At most this far at once in each direction; the rest waits.
    Report take(std::int32_t most, std::int32_t most_wheel) {
        if (count == 0) return {0, 0, 0, buttons};
        const Report report{std::clamp(xs[0], -most, most), std::clamp(ys[0], -most, most),
                            std::clamp(wheels[0], -most_wheel, most_wheel), states[0]};
        xs[0] -= report.x;
        ys[0] -= report.y;
        wheels[0] -= report.wheel;
        if (xs[0] == 0 && ys[0] == 0 && wheels[0] == 0) remove_first();
        return report;
    }

    std::uint8_t buttons = 0;  // now
    std::uint8_t count = 0;
    std::array<std::int32_t, capacity> xs{}, ys{}, wheels{};
    std::array<std::uint8_t, capacity> states{};  // of the buttons

private:
    void append() {
        xs[count] = ys[count] = wheels[count] = 0;
        states[count++] = buttons;
    }

    void remove_first() {
        --count;
        const auto shift = [](auto& values) {
            std::copy(values.begin() + 1, values.end(), values.begin());
        };
        shift(xs);
        shift(ys);
        shift(wheels);
        shift(states);
    }
};

}  // namespace backplane::chipset
