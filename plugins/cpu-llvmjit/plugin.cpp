// Offers the compiling engine.
#include "compiled_processor.h"

#include <backplane/plugin.h>

BACKPLANE_PLUGIN(.id = "org.backplane.cpu-llvmjit", .name = "Just-in-time compiler",
                 .version = "0.1.0", .vendor = "Backplane", .license = "Apache-2.0",
                 .devices = backplane::device_types<backplane::jit::CompiledProcessor>);
