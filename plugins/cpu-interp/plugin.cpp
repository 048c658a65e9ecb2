// Offers the interpreter, the reference engine.
#include "interp/interpreted_processor.h"

#include <backplane/plugin.h>

BACKPLANE_PLUGIN(.id = "org.backplane.cpu-interp", .name = "Interpreter", .version = "0.1.0",
                 .vendor = "Backplane", .license = "Apache-2.0",
                 .devices = backplane::device_types<backplane::interp::InterpretedProcessor>);
