// Numbers as people write them in machine files: `0x40`, `1_000_000`, `512 MiB`, `1.193182 MHz`,
// `10 ms`.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace backplane::runtime {

// What is wrong with a number, and what would be right: "has no unit", "did you mean 512 MiB?".
struct NumberProblem {
    std::string problem;
    std::string expected;
};

template <typename T> using Number = std::expected<T, NumberProblem>;

[[nodiscard]] Number<std::uint64_t> parse_unsigned(std::string_view text);
[[nodiscard]] Number<std::int64_t> parse_signed(std::string_view text);

// A number and its unit, which only 0 may lack. Fractions are fine when the result is a whole
// number of the base unit.
[[nodiscard]] Number<std::uint64_t> parse_bytes(std::string_view text);
[[nodiscard]] Number<std::uint64_t> parse_hertz(std::string_view text);
[[nodiscard]] Number<std::uint64_t> parse_duration(std::string_view text);  // nanoseconds
// A plain number or a number of bytes: 0xFED10000, 4 GiB.
[[nodiscard]] Number<std::uint64_t> parse_address(std::string_view text);

// In the largest unit that gives a whole number; readable by the functions above.
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);
[[nodiscard]] std::string hertz_text(std::uint64_t hertz);
[[nodiscard]] std::string duration_text(std::uint64_t nanoseconds);

}  // namespace backplane::runtime
