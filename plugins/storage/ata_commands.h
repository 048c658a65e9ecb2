// Command codes. (ATA/ATAPI-7 volume 1, annex B; DATA SET MANAGEMENT, logs, queued commands: ACS-3)
#pragma once

#include <cstdint>

namespace backplane::storage::ata_command {

constexpr std::uint8_t nop = 0x00;
constexpr std::uint8_t data_set_management = 0x06;
constexpr std::uint8_t device_reset = 0x08;
constexpr std::uint8_t recalibrate = 0x10;  // and all to 0x1f
constexpr std::uint8_t read_sectors = 0x20;
constexpr std::uint8_t read_sectors_without_retry = 0x21;
constexpr std::uint8_t read_sectors_ext = 0x24;
constexpr std::uint8_t read_dma_ext = 0x25;
constexpr std::uint8_t read_native_max_address_ext = 0x27;
constexpr std::uint8_t read_multiple_ext = 0x29;
constexpr std::uint8_t read_log_ext = 0x2f;
constexpr std::uint8_t write_sectors = 0x30;
constexpr std::uint8_t write_sectors_without_retry = 0x31;
constexpr std::uint8_t write_sectors_ext = 0x34;
constexpr std::uint8_t write_dma_ext = 0x35;
constexpr std::uint8_t write_multiple_ext = 0x39;
constexpr std::uint8_t write_dma_fua_ext = 0x3d;
constexpr std::uint8_t read_verify_sectors = 0x40;
constexpr std::uint8_t read_verify_sectors_without_retry = 0x41;
constexpr std::uint8_t read_verify_sectors_ext = 0x42;
constexpr std::uint8_t read_log_dma_ext = 0x47;
constexpr std::uint8_t read_fpdma_queued = 0x60;
constexpr std::uint8_t write_fpdma_queued = 0x61;
constexpr std::uint8_t seek = 0x70;  // and all to 0x7f
constexpr std::uint8_t execute_device_diagnostic = 0x90;
constexpr std::uint8_t initialize_device_parameters = 0x91;
constexpr std::uint8_t packet = 0xa0;
constexpr std::uint8_t identify_packet_device = 0xa1;
constexpr std::uint8_t smart = 0xb0;
constexpr std::uint8_t read_multiple = 0xc4;
constexpr std::uint8_t write_multiple = 0xc5;
constexpr std::uint8_t set_multiple_mode = 0xc6;
constexpr std::uint8_t read_dma = 0xc8;
constexpr std::uint8_t read_dma_without_retry = 0xc9;
constexpr std::uint8_t write_dma = 0xca;
constexpr std::uint8_t write_dma_without_retry = 0xcb;
constexpr std::uint8_t write_multiple_fua_ext = 0xce;
constexpr std::uint8_t standby_immediate = 0xe0;
constexpr std::uint8_t idle_immediate = 0xe1;
constexpr std::uint8_t standby = 0xe2;
constexpr std::uint8_t idle = 0xe3;
constexpr std::uint8_t read_buffer = 0xe4;
constexpr std::uint8_t check_power_mode = 0xe5;
constexpr std::uint8_t sleep = 0xe6;
constexpr std::uint8_t flush_cache = 0xe7;
constexpr std::uint8_t write_buffer = 0xe8;
constexpr std::uint8_t flush_cache_ext = 0xea;
constexpr std::uint8_t identify_device = 0xec;
constexpr std::uint8_t set_features = 0xef;
constexpr std::uint8_t read_native_max_address = 0xf8;

}  // namespace backplane::storage::ata_command
