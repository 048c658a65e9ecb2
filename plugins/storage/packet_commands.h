// Operation codes of packet commands. (MMC-5 chapter 6; READ CD MSF and MECHANISM STATUS too)
#pragma once

#include <cstdint>

namespace backplane::storage::packet_command {

constexpr std::uint8_t test_unit_ready = 0x00;
constexpr std::uint8_t request_sense = 0x03;
constexpr std::uint8_t inquiry = 0x12;
constexpr std::uint8_t mode_select_6 = 0x15;
constexpr std::uint8_t mode_sense_6 = 0x1a;
constexpr std::uint8_t start_stop_unit = 0x1b;
constexpr std::uint8_t prevent_allow_medium_removal = 0x1e;
constexpr std::uint8_t read_capacity = 0x25;
constexpr std::uint8_t read_10 = 0x28;
constexpr std::uint8_t seek_10 = 0x2b;
constexpr std::uint8_t read_sub_channel = 0x42;
constexpr std::uint8_t read_toc = 0x43;
constexpr std::uint8_t get_configuration = 0x46;
constexpr std::uint8_t get_event_status_notification = 0x4a;
constexpr std::uint8_t read_disc_information = 0x51;
constexpr std::uint8_t read_track_information = 0x52;
constexpr std::uint8_t mode_select_10 = 0x55;
constexpr std::uint8_t mode_sense_10 = 0x5a;
constexpr std::uint8_t read_12 = 0xa8;
constexpr std::uint8_t read_dvd_structure = 0xad;
constexpr std::uint8_t read_cd_msf = 0xb9;
constexpr std::uint8_t set_cd_speed = 0xbb;
constexpr std::uint8_t mechanism_status = 0xbd;
constexpr std::uint8_t read_cd = 0xbe;

}  // namespace backplane::storage::packet_command
