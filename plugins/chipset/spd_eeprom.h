// The EEPROM on a memory module that tells firmware what the module is: 256 bytes, written in the
// factory and protected since. (JEDEC Standard 21-C, 4.1.3, "EE1002"; 24C02 data sheets)
#pragma once

#include "spd_contents.h"

#include <backplane/sdk.h>

#include <array>

namespace backplane::chipset {

class SpdEeprom final : public Device {
public:
    static void declare(Declaration<SpdEeprom>& d);

    Outcome start();
    void reset(ResetKind);

    // backplane.smbus-device/1
    std::int32_t start_transfer(std::uint8_t address, std::int32_t read);
    std::int32_t write(std::uint8_t value);
    std::uint8_t read() { return contents_[pointer_++]; }
    void stop_transfer() {}

private:
    std::uint8_t address_ = 0x50;
    SpdMemory memory_ = SpdMemory::Sdr;
    Bytes size_ = literals::operator""_MiB(512);
    std::array<std::uint8_t, 256> contents_{};

    std::uint8_t pointer_ = 0;  // the byte read next; after the last comes the first
    bool has_pointer_ = false;  // this transfer has set it
};

}  // namespace backplane::chipset
