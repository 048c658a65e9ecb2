// The ACPI tables of a PC, as files for the firmware and the script that tells it how to place
// them.
#pragma once

#include "byte_table.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace backplane::firmware {

enum class Chipset : std::uint8_t { I440fx, Q35 };

// What the tables say about this machine.
struct AcpiMachine {
    Chipset chipset = Chipset::I440fx;
    unsigned cpus = 1;           // with APIC IDs from 0
    std::uint64_t low_end = 0;   // of the memory below 4 GiB
    std::uint64_t high_end = 0;  // of the memory above
    // PCI Express configuration space, as firmware has set it up; none when the size is 0.
    std::uint64_t configuration_base = 0, configuration_size = 0;
    std::uint16_t power_management_base = 0x600;  // likewise
    bool hpet = true, keyboard = true, mouse = true, floppy = false, parallel_port = false;
    unsigned serial_ports = 1;
};

inline constexpr char acpi_root_file[] = "etc/acpi/rsdp";
inline constexpr char acpi_tables_file[] = "etc/acpi/tables";
inline constexpr char table_loader_file[] = "etc/table-loader";

// Pointers are offsets into the tables and checksums 0, until the script was carried out.
struct AcpiFiles {
    Table root, tables, script;
};

AcpiFiles make_acpi_files(const AcpiMachine& machine);

}  // namespace backplane::firmware
