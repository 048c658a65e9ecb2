// Offers the ACPI tables of the machine to its firmware.
#pragma once

#include "acpi_tables.h"

#include <backplane/sdk.h>

#include <array>
#include <vector>

namespace backplane::firmware {

class AcpiTablesDevice final : public Device {
public:
    static void declare(Declaration<AcpiTablesDevice>& d);

    Outcome start();
    void reset(ResetKind kind);
    void restored();

    // backplane_firmware_files
    std::uint32_t count() { return static_cast<std::uint32_t>(files_.size()); }
    void describe(std::uint32_t index, backplane_firmware_file* file);
    void opened(std::uint32_t index);

private:
    struct File {
        const char* name;
        Table content;
    };

    AcpiFiles make() const;
    void look_at_chipset();
    void find_power_management();
    void find_configuration_space();
    std::uint32_t read_configuration(std::uint32_t offset) const;

    Chipset chipset_ = Chipset::I440fx;
    bool hpet_ = true, keyboard_ = true, mouse_ = true, floppy_ = false, parallel_port_ = false;
    std::uint32_t serial_ports_ = 1;
    AddressSpace memory_, io_;
    std::vector<Connection<backplane_cpu>> cpus_;

    std::uint64_t low_end_ = 0, high_end_ = 0;
    std::uint64_t configuration_base_ = 0, configuration_size_ = 0;
    std::uint16_t power_management_base_ = AcpiMachine{}.power_management_base;
    bool is_made_ = false;
    std::array<File, 3> files_;
};

}  // namespace backplane::firmware
