// The SMBIOS structures that tell an operating system what machine this is. (DMTF DSP0134, 3.0.0)
#pragma once

#include "byte_table.h"
#include "ram_layout.h"
#include "uuid.h"

#include <cstdint>
#include <string>

namespace backplane::firmware {

// 5.2: the 32-bit entry point, with which old software is content, or the 64-bit one.
enum class SmbiosEntryPoint : std::uint8_t { V2_8, V3_0 };

struct SmbiosMachine {
    std::string manufacturer, product, version, serial, sku, family;
    std::string processor_manufacturer, processor_version;
    Uuid uuid{};
    unsigned cpus = 1;                // cores of one processor
    std::uint16_t processor_mhz = 0;  // 0 = unknown
    RamLayout ram;
};

struct SmbiosFiles {
    Table anchor, tables;
};

// The anchor's address of the tables is 0; firmware fills it in.
SmbiosFiles make_smbios_files(const SmbiosMachine& machine, SmbiosEntryPoint entry_point);

}  // namespace backplane::firmware
