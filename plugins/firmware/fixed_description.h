// The Fixed ACPI Description Table: where the power management registers are. (ACPI 6.4, 5.2.9)
#pragma once

#include "acpi_tables.h"

namespace backplane::firmware {

// Offsets of the pointers in it.
namespace fadt {
inline constexpr std::uint32_t facs = 36, dsdt = 40, extended_dsdt = 140;
}

// Of ACPI 1.0 on the older chipset, of ACPI 2.0, with the reset register, on the newer one. The
// pointers are 0. `power_management` is the port at which the chipset's registers begin.
Table fixed_description(Chipset chipset, std::uint16_t power_management);

}  // namespace backplane::firmware
