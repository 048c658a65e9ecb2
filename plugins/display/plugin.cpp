// Graphics cards.
#include "isa_vga.h"
#include "std_vga.h"

using namespace backplane::display;

BACKPLANE_PLUGIN(.id = "org.backplane.display", .name = "Graphics cards", .version = "0.1.0",
                 .vendor = "Backplane", .license = "Apache-2.0",
                 .devices = backplane::device_types<IsaVga, StdVga>);
