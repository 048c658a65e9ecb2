// Why a packet command failed: sense key, additional sense code and qualifier. (SPC-3 4.5; MMC-5
// annex F)
#pragma once

#include <cstdint>

namespace backplane::storage {

struct Sense {
    std::uint8_t key = 0, asc = 0, ascq = 0;
    bool operator==(const Sense&) const = default;
};

namespace sense {
constexpr Sense none{};
constexpr Sense medium_not_present_tray_closed{0x2, 0x3a, 0x01};
constexpr Sense medium_not_present_tray_open{0x2, 0x3a, 0x02};
constexpr Sense unrecovered_read_error{0x3, 0x11, 0x00};
constexpr Sense parameter_list_length_error{0x5, 0x1a, 0x00};
constexpr Sense invalid_operation_code{0x5, 0x20, 0x00};
constexpr Sense block_address_out_of_range{0x5, 0x21, 0x00};
constexpr Sense invalid_field_in_packet{0x5, 0x24, 0x00};
constexpr Sense invalid_field_in_parameters{0x5, 0x26, 0x00};
constexpr Sense incompatible_format{0x5, 0x30, 0x02};
constexpr Sense saving_parameters_not_supported{0x5, 0x39, 0x00};
constexpr Sense medium_removal_prevented{0x5, 0x53, 0x02};
constexpr Sense illegal_mode_for_this_track{0x5, 0x64, 0x00};
constexpr Sense medium_may_have_changed{0x6, 0x28, 0x00};
constexpr Sense power_on_or_reset{0x6, 0x29, 0x00};
}  // namespace sense

}  // namespace backplane::storage
