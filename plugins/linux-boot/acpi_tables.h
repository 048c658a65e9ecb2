// The ACPI tables of a PC with local APICs, one I/O APIC and the chipset's power management block,
// and no PCI.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace backplane::linux_boot {

struct AcpiTables {
    std::uint64_t rsdp;            // where the kernel starts to read
    std::vector<std::byte> bytes;  // go to the base they were made for
};

// `base` is 64-byte aligned, and below 1 MiB at or above 0xe0000 so that kernels without a pointer
// find the RSDP.
AcpiTables acpi_tables(std::uint64_t base, unsigned cpus);

}  // namespace backplane::linux_boot
