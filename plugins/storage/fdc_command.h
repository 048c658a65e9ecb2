// The commands of the 82077AA: how they are told apart, and how many bytes they have. (Intel
// 82077AA datasheet 290166, table 5-1)
#pragma once

#include <cstdint>

namespace backplane::storage {

enum class FdcCommand : std::uint8_t {
    Invalid,
    ReadData,
    ReadDeletedData,
    WriteData,
    WriteDeletedData,
    ReadTrack,
    Verify,
    Version,
    FormatTrack,
    ScanEqual,
    ScanLowOrEqual,
    ScanHighOrEqual,
    Recalibrate,
    SenseInterruptStatus,
    Specify,
    SenseDriveStatus,
    Configure,
    RelativeSeek,
    Seek,
    DumpRegisters,
    ReadId,
    PerpendicularMode,
    Lock
};

// Bits of the first byte, where a command has them.
namespace fdc_option {
constexpr std::uint8_t multi_track = 0x80, mfm = 0x40, skip = 0x20;
constexpr std::uint8_t lock = 0x80, step_inwards = 0x40;
}  // namespace fdc_option

struct FdcCommandForm {
    FdcCommand command;
    std::uint8_t length;  // bytes of the command phase, the first one too
};

FdcCommandForm fdc_command(std::uint8_t first_byte);

constexpr bool fdc_is_read(FdcCommand command) {
    return command == FdcCommand::ReadData || command == FdcCommand::ReadDeletedData;
}
constexpr bool fdc_is_write(FdcCommand command) {
    return command == FdcCommand::WriteData || command == FdcCommand::WriteDeletedData;
}
constexpr bool fdc_is_scan(FdcCommand command) {
    return command == FdcCommand::ScanEqual || command == FdcCommand::ScanLowOrEqual ||
           command == FdcCommand::ScanHighOrEqual;
}
// What is written on the disk, or what is compared with it.
constexpr bool fdc_takes_data(FdcCommand command) {
    return fdc_is_write(command) || fdc_is_scan(command) || command == FdcCommand::FormatTrack;
}

}  // namespace backplane::storage
