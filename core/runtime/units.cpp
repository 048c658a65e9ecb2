#include "runtime/units.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <span>

namespace backplane::runtime {

namespace {

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};

constexpr std::uint64_t kilo = 1000, kibi = 1024;
// The base unit first; each a multiple of the one before.
constexpr Unit byte_units[] = {{"B", 1},
                               {"KiB", kibi},
                               {"MiB", kibi* kibi},
                               {"GiB", kibi* kibi* kibi},
                               {"TiB", kibi* kibi* kibi* kibi}};
constexpr Unit hertz_units[] = {
    {"Hz", 1}, {"kHz", kilo}, {"MHz", kilo* kilo}, {"GHz", kilo* kilo* kilo}};
constexpr Unit duration_units[] = {
    {"ns", 1}, {"us", kilo}, {"ms", kilo* kilo}, {"s", kilo* kilo* kilo}};

using Wide = unsigned __int128;
constexpr Wide too_wide = ~Wide{0};

struct Digits {
    Wide value = 0;         // too_wide when it does not fit
    Wide denominator = 1;   // a power of ten: digits after the point
    std::string_view rest;  // behind the number, blanks skipped
};

constexpr const char* integer_forms =
    "a whole number: decimal, 0x or 0b, with _ between digits if wanted";

std::optional<unsigned> digit_value(char c, unsigned base) {
    unsigned value = 99;
    if (c >= '0' && c <= '9') value = static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') value = static_cast<unsigned>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') value = static_cast<unsigned>(c - 'A' + 10);
    return value < base ? std::optional{value} : std::nullopt;
}

// Takes digits with single `_` between them off the front of text; false when there are none.
bool take_digits(std::string_view& text, unsigned base, Digits& digits,
                 Wide* denominator = nullptr) {
    bool any = false;
    while (!text.empty()) {
        if (text[0] == '_' && any && text.size() > 1 && digit_value(text[1], base))
            text.remove_prefix(1);
        const auto digit = digit_value(text[0], base);
        if (!digit) break;
        any = true;
        // Twice the width of the result leaves room for a fraction of 18 digits.
        constexpr Wide limit = too_wide / 16 - 16;
        if (digits.value != too_wide)
            digits.value = digits.value > limit ? too_wide : digits.value * base + *digit;
        if (denominator != nullptr && digits.value != too_wide) *denominator *= base;
        text.remove_prefix(1);
    }
    return any;
}

std::optional<Digits> take_number(std::string_view text) {
    Digits digits;
    const bool hex = text.starts_with("0x") || text.starts_with("0X");
    const bool binary = text.starts_with("0b") || text.starts_with("0B");
    if (hex || binary) text.remove_prefix(2);
    if (!take_digits(text, hex ? 16 : binary ? 2 : 10, digits)) return std::nullopt;
    if (!hex && !binary && text.starts_with('.')) {
        text.remove_prefix(1);
        if (!take_digits(text, 10, digits, &digits.denominator)) return std::nullopt;
    }
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    digits.rest = text;
    return digits;
}

// 010 is eight to some and ten to others.
bool has_leading_zero(std::string_view text) {
    return text.size() > 1 && text[0] == '0' && (digit_value(text[1], 10) || text[1] == '_');
}

std::unexpected<NumberProblem> problem(std::string what, std::string expected) {
    return std::unexpected{NumberProblem{std::move(what), std::move(expected)}};
}

std::string names_of(std::span<const Unit> units) {
    std::string names;
    for (const Unit& unit : units) {
        if (!names.empty()) names += unit.name == units.back().name ? " or " : ", ";
        names += unit.name;
    }
    return names;
}

std::string lower_case(std::string_view text) {
    std::string result{text};
    for (char& c : result)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return result;
}

// The unit that was probably meant: MB for MiB, khz for kHz, µs for us.
std::string_view near_unit(std::string_view wrong, std::span<const Unit> units) {
    const std::string wanted = lower_case(wrong == "µs" ? "us" : wrong);
    for (const Unit& unit : units) {
        std::string name = lower_case(unit.name);
        if (name == wanted) return unit.name;
        std::erase(name, 'i');
        if (name == wanted ||
            (name.size() == 2 && name.back() == 'b' && wanted == name.substr(0, 1)))
            return unit.name;
        if (name.size() == 3 && name.ends_with("hz") && wanted == name.substr(0, 1))
            return unit.name;
    }
    return {};
}

Number<std::uint64_t> parse_quantity(std::string_view text, std::span<const Unit> units,
                                     const char* what) {
    const std::string accepted = fmt::format("expected {} with {}", what, names_of(units));
    if (has_leading_zero(text) && !text.starts_with("0."))
        return problem("starts with a zero", "write it without, or with 0x");
    const auto number = take_number(text);
    if (!number) return problem("is not " + std::string{what}, accepted);
    const std::string_view digits = text.substr(0, text.size() - number->rest.size());
    const auto trimmed = digits.substr(0, digits.find_last_not_of(' ') + 1);
    if (number->rest.empty()) {
        if (number->value == 0) return 0;
        return problem("has no unit",
                       accepted + fmt::format(", such as {} {}", trimmed, units[1].name));
    }
    const auto unit = std::ranges::find(units, number->rest, &Unit::name);
    if (unit == units.end()) {
        const std::string_view near = near_unit(number->rest, units);
        if (near.empty()) return problem("is not " + std::string{what}, accepted);
        return problem("has an unknown unit", fmt::format("did you mean {} {}?", trimmed, near));
    }
    constexpr Wide most = std::numeric_limits<std::uint64_t>::max();
    if (number->value == too_wide || number->value > too_wide / unit->factor ||
        number->value * unit->factor / number->denominator > most)
        return problem("is too large",
                       "expected less than 2 to the power of 64 " + std::string{units[0].name});
    const Wide value = number->value * unit->factor;
    if (value % number->denominator != 0)
        return problem(fmt::format("is not a whole number of {}", units[0].name), accepted);
    return static_cast<std::uint64_t>(value / number->denominator);
}

std::string quantity_text(std::uint64_t value, std::span<const Unit> units) {
    const Unit* best = &units[0];
    for (const Unit& unit : units)
        if (value != 0 && value % unit.factor == 0) best = &unit;
    return fmt::format("{} {}", value / best->factor, best->name);
}

}  // namespace

Number<std::uint64_t> parse_unsigned(std::string_view text) {
    const std::string accepted = std::string{"expected "} + integer_forms;
    if (has_leading_zero(text))
        return problem("starts with a zero", "write it without, or with 0x");
    const auto number = take_number(text);
    if (text.starts_with('-') && text.size() > 1 && digit_value(text[1], 10))
        return problem("is negative", "expected 0 or more");
    if (!number || !number->rest.empty() || text.ends_with(' ') || number->denominator != 1)
        return problem("is not a whole number", accepted);
    if (number->value > std::numeric_limits<std::uint64_t>::max())
        return problem("is too large", "expected less than 2 to the power of 64");
    return static_cast<std::uint64_t>(number->value);
}

Number<std::int64_t> parse_signed(std::string_view text) {
    const bool negative = text.starts_with('-');
    if (negative) text.remove_prefix(1);
    if (text.starts_with('-'))
        return problem("is not a whole number", std::string{"expected "} + integer_forms);
    const auto size = parse_unsigned(text);
    if (!size) return std::unexpected{size.error()};
    constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
    if (*size > most + (negative ? 1 : 0))
        return problem("is too large", fmt::format("expected -{} to {}", most + 1, most));
    return static_cast<std::int64_t>(negative ? 0 - *size : *size);
}

Number<std::uint64_t> parse_bytes(std::string_view text) {
    return parse_quantity(text, byte_units, "a size");
}

Number<std::uint64_t> parse_hertz(std::string_view text) {
    return parse_quantity(text, hertz_units, "a frequency");
}

Number<std::uint64_t> parse_duration(std::string_view text) {
    return parse_quantity(text, duration_units, "a time");
}

Number<std::uint64_t> parse_address(std::string_view text) {
    auto plain = parse_unsigned(text);
    if (plain) return plain;
    auto bytes = parse_bytes(text);
    if (bytes || bytes.error().problem != "is not a size") return bytes;
    return problem("is not an address",
                   "expected a number such as 0xFED10000, or a size such as 4 GiB");
}

std::string bytes_text(std::uint64_t bytes) { return quantity_text(bytes, byte_units); }
std::string hertz_text(std::uint64_t hertz) { return quantity_text(hertz, hertz_units); }
std::string duration_text(std::uint64_t nanoseconds) {
    return quantity_text(nanoseconds, duration_units);
}

}  // namespace backplane::runtime
