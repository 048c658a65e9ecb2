// The device type profiler.trace: records what a machine does as a time line.
#pragma once

#include "trace_collector.h"
#include "trace_ring.h"
#include "trace_writer.h"

#include <backplane/declaration.h>
#include <backplane/units.h>

#include <cstdint>
#include <filesystem>

namespace backplane::profiler {

class Tracer final : public Device {
public:
    static void declare(Declaration<Tracer>& d);

    Outcome start();
    void stop();

private:
    std::filesystem::path file_;
    std::uint32_t events_ = 65'536;
    Bytes limit_{std::uint64_t{1} << 30};
    bool vcpu_ = true, device_ = true, io_ = true, jit_ = true;

    TraceRing ring_;
    TraceCollector collector_{ring_};
    TraceWriter writer_{ring_};
};

}  // namespace backplane::profiler
