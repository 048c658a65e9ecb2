#include "tracer.h"

#include <string>

namespace backplane::profiler {

void Tracer::declare(Declaration<Tracer>& d) {
    d.type("profiler.trace", "Records what the machine does as a time line");
    d.property("file", &Tracer::file_,
               "The trace, as JSON that ui.perfetto.dev reads; compressed if it ends with .gz")
        .required();
    d.property("events", &Tracer::events_,
               "Events that may wait for the file; others are dropped and counted")
        .range(16u, 16u << 20);
    d.property("limit", &Tracer::limit_,
               "How long the trace may become, before it is compressed; then events are dropped");
    d.property("vcpu", &Tracer::vcpu_, "Trace processors: halted, in interrupts, exceptions");
    d.property("device", &Tracer::device_,
               "Trace accesses to devices, and where interrupts come from");
    d.property("io", &Tracer::io_, "Trace requests to disk images");
    d.property("jit", &Tracer::jit_, "Trace compiled blocks");
    const auto count = [&](const char* name, TraceLane lane,
                           TraceCounts (TraceRing::*counts)() const, const char* doc) {
        d.counter(
            name,
            [lane, counts](Tracer& t) {
                return (t.ring_.*counts)()[static_cast<std::size_t>(lane)];
            },
            "events", doc);
    };
    count("events.vcpu", TraceLane::Vcpu, &TraceRing::taken, "Traced, of processors");
    count("events.device", TraceLane::Device, &TraceRing::taken, "Traced, of devices");
    count("events.io", TraceLane::Io, &TraceRing::taken, "Traced, of disk images");
    count("events.jit", TraceLane::Jit, &TraceRing::taken, "Traced, of compilers");
    count("dropped.vcpu", TraceLane::Vcpu, &TraceRing::dropped, "Not traced, of processors");
    count("dropped.device", TraceLane::Device, &TraceRing::dropped, "Not traced, of devices");
    count("dropped.io", TraceLane::Io, &TraceRing::dropped, "Not traced, of disk images");
    count("dropped.jit", TraceLane::Jit, &TraceRing::dropped, "Not traced, of compilers");
    d.counter(
        "recorded", [](Tracer& t) { return t.writer_.bytes(); }, "bytes", "In the trace's file");
}

Outcome Tracer::start() {
    ring_.set_capacity(events_);
    const auto report = [this](const std::string& text) { log(LogLevel::Error, text); };
    const auto opened = writer_.start(file_, event_host_time(), limit_.value, report);
    if (!opened) return std::unexpected{"file: " + opened.error()};
    collector_.start(host(), {vcpu_, device_, io_, jit_});
    return {};
}

void Tracer::stop() {
    collector_.stop(event_host_time());
    writer_.stop();
}

}  // namespace backplane::profiler
