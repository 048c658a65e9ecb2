// Carries out the script by which tables for a guest are placed in memory and connected, as
// firmware does: allocate, add pointers, add checksums. (QEMU, hw/acpi/bios-linker-loader.c
// describes the records)
#pragma once

#include "memory_map.h"

#include <backplane/connection.h>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

namespace backplane::linux_boot {

struct LoadedTable {
    std::uint64_t address = 0;
    std::vector<std::byte> content;
};

struct LoadedTables {
    std::vector<LoadedTable> tables;
    std::vector<Range> memory;  // what they take above 1 MiB, in ascending order
    std::size_t root = 0;       // the table with the ACPI root pointer

    std::uint64_t root_address() const { return tables[root].address; }
    // Without what the file has behind it.
    std::span<const std::byte> root_pointer() const;
};

// `providers` have the files and the script, and are told the addresses that they ask for. What is
// to lie where a kernel looks for it goes into the extended BIOS data area, which must be RAM;
// everything else goes to the end of the memory below 4 GiB. The error is a sentence.
std::expected<LoadedTables, std::string>
load_tables(const std::vector<Connection<backplane_firmware_files>>& providers,
            const std::vector<Range>& ram);

}  // namespace backplane::linux_boot
