// Offers the sampling profiler and the tracer.
#include "sampling_profiler.h"
#include "tracer.h"

#include <backplane/plugin.h>

BACKPLANE_PLUGIN(.id = "org.backplane.profiler", .name = "Profiler", .version = "0.1.0",
                 .vendor = "Backplane", .license = "Apache-2.0",
                 .devices = backplane::device_types<backplane::profiler::SamplingProfiler,
                                                    backplane::profiler::Tracer>);
