// The SSDT: the part of the ACPI namespace that depends on how the machine is built, processors and
// the host bridge's windows.
#pragma once

#include "acpi_tables.h"

namespace backplane::firmware {

// Beyond it, processors are devices with a number of their own.
inline constexpr unsigned largest_processor_id = 254;

Table machine_namespace(const AcpiMachine& machine);

}  // namespace backplane::firmware
