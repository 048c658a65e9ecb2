// Starts guests without firmware.
#include "linux_boot.h"

#include <backplane/plugin.h>

BACKPLANE_PLUGIN(.id = "org.backplane.linux-boot", .name = "Linux boot", .version = "0.1.0",
                 .vendor = "Backplane", .license = "Apache-2.0",
                 .devices = backplane::device_types<backplane::linux_boot::LinuxBoot>);
