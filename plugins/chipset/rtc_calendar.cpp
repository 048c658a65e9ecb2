#include "rtc_calendar.h"

#include <chrono>
#include <cstdio>
#include <string>

namespace backplane::chipset {

constexpr std::int64_t seconds_per_day = 86'400;
constexpr std::uint8_t pm = 0x80;

namespace {

// Rounded down, also before 1970.
std::int64_t day_of(std::int64_t seconds) {
    return (seconds >= 0 ? seconds : seconds - (seconds_per_day - 1)) / seconds_per_day;
}

std::int64_t days_from_civil(int year, unsigned month, unsigned day) {
    const std::chrono::year_month_day first{std::chrono::year{year}, std::chrono::month{month},
                                            std::chrono::day{1}};
    return std::chrono::sys_days{first}.time_since_epoch().count() +
           static_cast<std::int64_t>(day) - 1;
}

}  // namespace

std::uint8_t rtc_encode_number(unsigned value, RtcFormat format) {
    return static_cast<std::uint8_t>(format.binary ? value : value / 10 << 4 | value % 10);
}

unsigned rtc_decode_number(std::uint8_t value, RtcFormat format) {
    return format.binary ? value : (value >> 4) * 10u + (value & 0xf);
}

// 12-hour: 12 AM is midnight, 12 PM noon, and PM is bit 7.
std::uint8_t rtc_encode_hour(unsigned hour, RtcFormat format) {
    if (format.hours_24) return rtc_encode_number(hour, format);
    const unsigned twelve = hour % 12 == 0 ? 12 : hour % 12;
    return static_cast<std::uint8_t>(rtc_encode_number(twelve, format) | (hour >= 12 ? pm : 0));
}

unsigned rtc_decode_hour(std::uint8_t value, RtcFormat format) {
    if (format.hours_24) return rtc_decode_number(value, format);
    return rtc_decode_number(value & 0x7f, format) % 12 + ((value & pm) != 0 ? 12 : 0);
}

unsigned rtc_weekday(std::int64_t seconds) {
    const std::int64_t weekday = (day_of(seconds) + 4) % 7;  // 1970-01-01 was a Thursday
    return static_cast<unsigned>(weekday < 0 ? weekday + 7 : weekday) + 1;
}

RtcTime rtc_encode(std::int64_t seconds, RtcFormat format) {
    const std::int64_t day = day_of(seconds);
    const auto within = static_cast<unsigned>(seconds - day * seconds_per_day);
    const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};
    const auto year = static_cast<unsigned>(static_cast<int>(date.year())) % 10'000;
    return {.second = rtc_encode_number(within % 60, format),
            .minute = rtc_encode_number(within / 60 % 60, format),
            .hour = rtc_encode_hour(within / 3600, format),
            .weekday = rtc_encode_number(rtc_weekday(seconds), format),
            .day = rtc_encode_number(static_cast<unsigned>(date.day()), format),
            .month = rtc_encode_number(static_cast<unsigned>(date.month()), format),
            .year = rtc_encode_number(year % 100, format),
            .century = rtc_encode_number(year / 100, format)};
}

std::int64_t rtc_decode(const RtcTime& time, RtcFormat format) {
    const auto number = [format](std::uint8_t value) { return rtc_decode_number(value, format); };
    unsigned year = number(time.century) * 100 + number(time.year);
    unsigned month = number(time.month);
    if (month == 0) month = 1;
    year += (month - 1) / 12;
    const std::int64_t days = days_from_civil(static_cast<int>(year), (month - 1) % 12 + 1,
                                              number(time.day));
    return days * seconds_per_day + std::int64_t{rtc_decode_hour(time.hour, format)} * 3600 +
           std::int64_t{number(time.minute)} * 60 + number(time.second);
}

RtcDaylightChange rtc_next_daylight_change(std::int64_t from, unsigned weekday_shift) {
    constexpr std::int64_t two_o_clock = 7200, hour = 3600;
    for (std::int64_t day = day_of(from);; ++day) {
        const std::int64_t at = day * seconds_per_day + two_o_clock;
        const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};
        const bool april = date.month() == std::chrono::April;
        if (at <= from || (!april && date.month() != std::chrono::October)) continue;
        const auto last_day = static_cast<unsigned>(std::chrono::year_month_day_last{
            date.year(),
            std::chrono::month_day_last{date.month()}}.day());
        const bool sunday = (rtc_weekday(at) - 1 + weekday_shift) % 7 == 0;
        if (sunday && static_cast<unsigned>(date.day()) + 7 > last_day)
            return {at, april ? hour : -hour};
    }
}

std::optional<std::int64_t> rtc_parse(std::string_view view) {
    const std::string text{view};
    int year = 0, consumed = 0;
    unsigned month = 0, day = 0, hour = 0, minute = 0, second = 0;
    if (std::sscanf(text.c_str(), "%4d-%2u-%2u%n", &year, &month, &day, &consumed) != 3)
        return std::nullopt;
    std::string_view rest = std::string_view{text}.substr(static_cast<std::size_t>(consumed));
    if (!rest.empty()) {
        const char separator = rest.front();
        if (separator != 'T' && separator != ' ') return std::nullopt;
        int more = 0;
        if (std::sscanf(text.c_str() + consumed + 1, "%2u:%2u:%2u%n", &hour, &minute, &second,
                        &more) != 3)
            return std::nullopt;
        rest = rest.substr(static_cast<std::size_t>(more) + 1);
        if (!rest.empty() && rest != "Z") return std::nullopt;
    }
    const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{month},
                                           std::chrono::day{day}};
    if (!date.ok() || year < 1 || hour > 23 || minute > 59 || second > 59) return std::nullopt;
    return days_from_civil(year, month, day) * seconds_per_day + hour * 3600 + minute * 60 + second;
}

}  // namespace backplane::chipset
