// Units as types, so that a time is never mistaken for a frequency or a size.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

namespace backplane {

// Guest time: nanoseconds. An instant is the duration since power-on.
using Duration = std::chrono::nanoseconds;

struct Bytes {
    std::uint64_t value = 0;
    constexpr auto operator<=>(const Bytes&) const = default;
};

constexpr std::uint64_t nanoseconds_per_second = 1'000'000'000;

__extension__ using Unsigned128 = unsigned __int128;

// value * numerator / denominator, rounded down, exact over the whole range of time.
constexpr std::uint64_t scale(std::uint64_t value, std::uint64_t numerator,
                              std::uint64_t denominator) {
    return static_cast<std::uint64_t>(static_cast<Unsigned128>(value) * numerator / denominator);
}

struct Hertz {
    std::uint64_t value = 0;
    constexpr auto operator<=>(const Hertz&) const = default;

    // Whole ticks that fit in a span, and the shortest span that holds so many ticks. Using them on
    // absolute times keeps a counter from drifting, however odd its frequency.
    constexpr std::uint64_t ticks(Duration span) const {
        const auto nanoseconds = static_cast<std::uint64_t>(span.count());
        constexpr std::uint64_t narrow = ~std::uint64_t{0} / nanoseconds_per_second;
        if (value > narrow) return scale(nanoseconds, value, nanoseconds_per_second);
        // The same without a division of 128 bits, as processors ask for it all the time.
        return nanoseconds / nanoseconds_per_second * value +
               nanoseconds % nanoseconds_per_second * value / nanoseconds_per_second;
    }

    constexpr Duration span(std::uint64_t ticks) const {
        const auto product = static_cast<Unsigned128>(ticks) * nanoseconds_per_second + (value - 1);
        return Duration{static_cast<std::int64_t>(product / value)};
    }
};

namespace literals {
constexpr Hertz operator""_Hz(unsigned long long value) { return {value}; }
constexpr Hertz operator""_kHz(unsigned long long value) { return {value * 1'000}; }
constexpr Hertz operator""_MHz(unsigned long long value) { return {value * 1'000'000}; }
constexpr Hertz operator""_GHz(unsigned long long value) { return {value * 1'000'000'000}; }
constexpr Bytes operator""_KiB(unsigned long long value) { return {value << 10}; }
constexpr Bytes operator""_MiB(unsigned long long value) { return {value << 20}; }
constexpr Bytes operator""_GiB(unsigned long long value) { return {value << 30}; }
}  // namespace literals

}  // namespace backplane
