// Date and time as the registers of an MC146818 hold them: seconds since 1970 to bytes and back.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace backplane::chipset {

// In the order of the time registers of the chip; the century is where ACPI's FADT says, in the
// RAM.
struct RtcTime {
    std::uint8_t second, minute, hour, weekday, day, month, year, century;
};

struct RtcFormat {
    bool binary = false;
    bool hours_24 = true;
};

// Sunday is weekday 1.
RtcTime rtc_encode(std::int64_t seconds, RtcFormat format);

// What a guest wrote need not be a date: fields that are too large carry into the next. The weekday
// is not looked at.
std::int64_t rtc_decode(const RtcTime& time, RtcFormat format);

std::uint8_t rtc_encode_number(unsigned value, RtcFormat format);
unsigned rtc_decode_number(std::uint8_t value, RtcFormat format);
std::uint8_t rtc_encode_hour(unsigned hour, RtcFormat format);
unsigned rtc_decode_hour(std::uint8_t value, RtcFormat format);
unsigned rtc_weekday(std::int64_t seconds);

// The chip's daylight saving: on the last Sunday in April 1:59:59 is followed by 3:00:00, on the
// last one in October by 1:00:00.
struct RtcDaylightChange {
    std::int64_t at;     // the second that does not come
    std::int64_t shift;  // what is added to the time of day instead
};

// The first after `from`. The weekday register counts `weekday_shift` days further than the
// calendar.
RtcDaylightChange rtc_next_daylight_change(std::int64_t from, unsigned weekday_shift);

// "2024-02-29T23:59:58Z"; the time and the Z may be missing.
std::optional<std::int64_t> rtc_parse(std::string_view text);

}  // namespace backplane::chipset
