// Registers and status bytes of the 82077AA. (Intel 82077AA datasheet 290166, chapters 2 and 6)
#pragma once

#include <cstdint>

namespace backplane::storage {

// Offsets from port 0x3F0; DIR and CCR, at 0x3F7, have a window of their own.
enum class FdcRegister : std::uint8_t { Sra, Srb, Dor, Tdr, MsrDsr, Fifo };

namespace fdc_sra {  // of the PS/2; those of Model 30 differ
constexpr std::uint8_t interrupt = 0x80, no_second_drive = 0x40, step = 0x20, not_track_0 = 0x10,
                       head_1 = 0x08, not_index = 0x04, not_write_protect = 0x02, inwards = 0x01;
// Of Model 30
constexpr std::uint8_t dma_request = 0x40, track_0 = 0x10, not_head_1 = 0x08, index = 0x04,
                       write_protect = 0x02, not_inwards = 0x01;
}  // namespace fdc_sra

namespace fdc_srb {
constexpr std::uint8_t ones = 0xc0, drive_select_0 = 0x20, write_data = 0x10, read_data = 0x08,
                       write_enable = 0x04, motors = 0x03;
// Of Model 30
constexpr std::uint8_t no_second_drive = 0x80, not_drive_1 = 0x40, not_drive_0 = 0x20,
                       not_drive_3 = 0x02, not_drive_2 = 0x01;
}  // namespace fdc_srb

namespace fdc_dor {
constexpr std::uint8_t drive = 0x03, not_reset = 0x04, dma_gate = 0x08;
constexpr unsigned motors_shift = 4;
}  // namespace fdc_dor

namespace fdc_tdr {
constexpr std::uint8_t tape_select = 0x03, floating = 0xfc;
}

namespace fdc_msr {
constexpr std::uint8_t request = 0x80, to_host = 0x40, non_dma = 0x20, busy = 0x10;
}

namespace fdc_dsr {
constexpr std::uint8_t reset = 0x80, power_down = 0x40, rate = 0x03;
constexpr std::uint8_t power_on = 0x02;  // 250 kbit/s, and write precompensation as is usual
}  // namespace fdc_dsr

namespace fdc_dir {
constexpr std::uint8_t change = 0x80, floating = 0x7f;
constexpr std::uint8_t ps2_ones = 0x78, ps2_low_density = 0x01;
constexpr std::uint8_t model30_dma_gate = 0x08, no_precompensation = 0x04;
}  // namespace fdc_dir

namespace fdc_st0 {
constexpr std::uint8_t abnormal = 0x40, invalid = 0x80, polling = 0xc0, seek_end = 0x20,
                       equipment_check = 0x10, head_1 = 0x04;
}

namespace fdc_st1 {
constexpr std::uint8_t end_of_cylinder = 0x80, data_error = 0x20, overrun = 0x10, no_data = 0x04,
                       not_writable = 0x02, missing_address_mark = 0x01;
}

namespace fdc_st2 {
constexpr std::uint8_t control_mark = 0x40, data_error_in_data = 0x20, wrong_cylinder = 0x10,
                       scan_hit = 0x08, scan_not_satisfied = 0x04, bad_cylinder = 0x02;
}

namespace fdc_st3 {
constexpr std::uint8_t write_protected = 0x40, ones = 0x28, track_0 = 0x10;
}

}  // namespace backplane::storage
