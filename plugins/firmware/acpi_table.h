// The form that ACPI tables share. (ACPI 6.4, 5.2.6)
#pragma once

#include "byte_table.h"

#include <cstdint>
#include <string_view>

namespace backplane::firmware {

inline constexpr std::size_t acpi_length_offset = 4, acpi_checksum_offset = 9;

// The header; length and checksum are 0.
Table begin_table(std::string_view signature, std::uint8_t revision);
void set_length(Table& table);

}  // namespace backplane::firmware
