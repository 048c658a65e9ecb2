// Offers the SMBIOS tables of the machine to its firmware.
#pragma once

#include "smbios_tables.h"

#include <backplane/sdk.h>

#include <string>
#include <vector>

namespace backplane::firmware {

class SmbiosDevice final : public Device {
public:
    static void declare(Declaration<SmbiosDevice>& d);

    Outcome start();
    void reset(ResetKind kind);

    // backplane_firmware_files
    std::uint32_t count() { return 2; }
    void describe(std::uint32_t index, backplane_firmware_file* file);

private:
    SmbiosFiles make() const;

    std::string manufacturer_ = "Backplane", product_ = "PC", version_, serial_, sku_, family_;
    std::string processor_manufacturer_, processor_version_, uuid_;
    Hertz processor_frequency_;
    SmbiosEntryPoint entry_point_ = SmbiosEntryPoint::V2_8;
    AddressSpace memory_;
    std::vector<Connection<backplane_cpu>> cpus_;
    SmbiosFiles files_;
};

}  // namespace backplane::firmware
