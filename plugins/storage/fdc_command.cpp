#include "fdc_command.h"

#include <algorithm>
#include <array>

namespace backplane::storage {

namespace {

struct Pattern {
    std::uint8_t code, mask;
    FdcCommandForm form;
};

// Options that a command has not are zeroes, but SK of those that write, which nothing looks at.
constexpr std::array<Pattern, 22> patterns{{
    {0x06, 0x1f, {FdcCommand::ReadData, 9}},
    {0x0c, 0x1f, {FdcCommand::ReadDeletedData, 9}},
    {0x05, 0x1f, {FdcCommand::WriteData, 9}},
    {0x09, 0x1f, {FdcCommand::WriteDeletedData, 9}},
    {0x02, 0x9f, {FdcCommand::ReadTrack, 9}},
    {0x16, 0x1f, {FdcCommand::Verify, 9}},
    {0x10, 0xff, {FdcCommand::Version, 1}},
    {0x0d, 0xbf, {FdcCommand::FormatTrack, 6}},
    {0x11, 0x1f, {FdcCommand::ScanEqual, 9}},
    {0x19, 0x1f, {FdcCommand::ScanLowOrEqual, 9}},
    {0x1d, 0x1f, {FdcCommand::ScanHighOrEqual, 9}},
    {0x07, 0xff, {FdcCommand::Recalibrate, 2}},
    {0x08, 0xff, {FdcCommand::SenseInterruptStatus, 1}},
    {0x03, 0xff, {FdcCommand::Specify, 3}},
    {0x04, 0xff, {FdcCommand::SenseDriveStatus, 2}},
    {0x13, 0xff, {FdcCommand::Configure, 4}},
    {0x8f, 0xbf, {FdcCommand::RelativeSeek, 3}},
    {0x0f, 0xff, {FdcCommand::Seek, 3}},
    {0x0e, 0xff, {FdcCommand::DumpRegisters, 1}},
    {0x0a, 0xbf, {FdcCommand::ReadId, 2}},
    {0x12, 0xff, {FdcCommand::PerpendicularMode, 2}},
    {0x14, 0x7f, {FdcCommand::Lock, 1}},
}};

}  // namespace

FdcCommandForm fdc_command(std::uint8_t first_byte) {
    const auto found = std::ranges::find_if(patterns, [&](const Pattern& pattern) {
        return (first_byte & pattern.mask) == pattern.code;
    });
    return found == patterns.end() ? FdcCommandForm{FdcCommand::Invalid, 1} : found->form;
}

}  // namespace backplane::storage
