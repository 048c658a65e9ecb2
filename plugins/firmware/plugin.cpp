// What firmware finds in a machine: fw_cfg, tables, flash memory.
#include "acpi_tables_device.h"
#include "fw_cfg.h"
#include "fw_cfg_file.h"
#include "pflash.h"
#include "smbios_device.h"

#include <backplane/plugin.h>

using namespace backplane::firmware;

BACKPLANE_PLUGIN(.id = "org.backplane.firmware", .name = "Firmware support", .version = "0.1.0",
                 .vendor = "Backplane", .license = "Apache-2.0",
                 .devices = backplane::device_types<FwCfg, FwCfgFile, AcpiTablesDevice,
                                                    SmbiosDevice, Pflash>);
