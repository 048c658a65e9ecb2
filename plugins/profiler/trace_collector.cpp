#include "trace_collector.h"

#include <optional>
#include <string_view>

namespace backplane::profiler {

namespace {

bool has(const TraceLanes& lanes, TraceLane lane) { return lanes[static_cast<std::size_t>(lane)]; }

// SDM 3A 11.11.2: the vector of a message, if it is one for INTR: fixed or lowest priority.
std::optional<std::uint32_t> vector_of(const InterruptMessage& message) {
    constexpr std::uint32_t vector_bits = 0xff, highest_with_vector = 1;
    if ((message.data >> 8 & 7) > highest_with_vector) return std::nullopt;
    return message.data & vector_bits;
}

}  // namespace

auto TraceCollector::handlers_end_at(Cpu& cpu, std::uint64_t host_time) {
    return [this, &cpu, host_time](const CpuInterrupt& event) {
        const std::uint64_t start = event.origin.host_time;
        const auto flow = cpu.flows.extract(start);
        ring_.add({.start = start,
                   .duration = host_time - start,
                   .subject = InterruptHandler{event, flow ? flow.mapped() : 0}});
    };
}

void TraceCollector::start(const backplane_host& host, const TraceLanes& lanes) {
    traces_devices_ = has(lanes, TraceLane::Device);
    if (has(lanes, TraceLane::Vcpu)) subscribe_vcpu(host);
    if (traces_devices_) {
        subscribe_causes(host);
        accesses_.emplace(host, [this](const DeviceAccess& event) {
            ring_.add(
                {.start = event.origin.host_time, .duration = event.duration, .subject = event});
        });
    }
    if (has(lanes, TraceLane::Io)) {
        starts_.emplace(host, [this](const BlockStarted& event) {
            const std::lock_guard lock{mutex_};
            requests_.emplace(event.id, event);
        });
        ends_.emplace(host, [this](const BlockCompleted& event) { completed(event); });
    }
    if (has(lanes, TraceLane::Jit))
        compiles_.emplace(host, [this](const BlockCompiled& event) { compiled(event); });
}

void TraceCollector::subscribe_vcpu(const backplane_host& host) {
    interrupts_.emplace(host, [this](const CpuInterrupt& event) { interrupted(event); });
    returns_.emplace(host, [this](const CpuInterruptReturn& event) { returned(event); });
    halts_.emplace(host, [this](const CpuHalt& event) { halted(event); });
    exceptions_.emplace(host, [this](const CpuException& event) {
        {
            const std::lock_guard lock{mutex_};
            cpu_of(event.origin);
        }
        ring_.add({.start = event.origin.host_time, .duration = 0, .subject = event});
    });
}

void TraceCollector::subscribe_causes(const backplane_host& host) {
    lines_.emplace(host, [this](const InterruptLine& event) { raised(event); });
    messages_.emplace(host, [this](const InterruptMessage& event) { sent(event); });
    taken_.emplace(host, [this](const InterruptTaken& event) { taken(event); });
}

void TraceCollector::stop(std::uint64_t host_time) {
    interrupts_.reset();
    returns_.reset();
    halts_.reset();
    exceptions_.reset();
    lines_.reset();
    messages_.reset();
    taken_.reset();
    accesses_.reset();
    starts_.reset();
    ends_.reset();
    compiles_.reset();
    const std::lock_guard lock{mutex_};
    for (auto& [name, cpu] : cpus_) {
        cpu.interrupts.end_all(handlers_end_at(cpu, host_time));
        end_execution(cpu, host_time);
    }
    for (const auto& [id, request] : requests_)
        ring_.add({.start = request.origin.host_time,
                   .duration = host_time - request.origin.host_time,
                   .subject = request});
    requests_.clear();
}

// ---- Processors ----

// Nothing is known of one before its first event.
TraceCollector::Cpu& TraceCollector::cpu_of(const backplane_event_origin& origin) {
    const std::string_view name = event_name(origin.source);
    const auto found = cpus_.find(name);
    if (found != cpus_.end()) return found->second;
    Cpu& cpu = cpus_[std::string{name}];
    put_event_name(cpu.execution.source, name);
    cpu.since = origin.host_time;
    return cpu;
}

void TraceCollector::end_execution(Cpu& cpu, std::uint64_t host_time) {
    if (host_time > cpu.since)
        ring_.add(
            {.start = cpu.since, .duration = host_time - cpu.since, .subject = cpu.execution});
    cpu.since = host_time;
}

void TraceCollector::interrupted(const CpuInterrupt& event) {
    const std::lock_guard lock{mutex_};
    Cpu& cpu = cpu_of(event.origin);
    cpu.interrupts.began(event, handlers_end_at(cpu, event.origin.host_time));
    if (cpu.next_flow != 0 && event.is_nmi == 0)
        cpu.flows[event.origin.host_time] = std::exchange(cpu.next_flow, 0);
}

void TraceCollector::returned(const CpuInterruptReturn& event) {
    const std::lock_guard lock{mutex_};
    Cpu& cpu = cpu_of(event.origin);
    cpu.interrupts.returned(event, handlers_end_at(cpu, event.origin.host_time));
}

void TraceCollector::halted(const CpuHalt& event) {
    const std::lock_guard lock{mutex_};
    const bool is_first = !cpus_.contains(event_name(event.origin.source));
    Cpu& cpu = cpu_of(event.origin);
    // What it did before the first event is known of this one.
    if (is_first) cpu.execution.is_halted = event.is_halted == 0;
    const bool is_halted = event.is_halted != 0;
    cpu.interrupts.end_all(handlers_end_at(cpu, event.origin.host_time));
    if (cpu.execution.is_halted == is_halted) return;
    end_execution(cpu, event.origin.host_time);
    cpu.execution.is_halted = is_halted;
}

// ---- Where interrupts come from ----

// Lines of an interrupt controller to a processor are no cause, and end nowhere here.
void TraceCollector::raised(const InterruptLine& event) {
    if (event.level == 0) return;
    const std::lock_guard lock{mutex_};
    const std::string_view target = event_name(event.target);
    if (cpus_.contains(target)) return;
    const std::uint64_t flow = ++last_flow_;
    raised_[std::string{target}] = flow;
    ring_.add({.start = event.origin.host_time, .duration = 1, .subject = LineRaised{event, flow}});
}

// An I/O APIC sends one because of the line that was raised last.
void TraceCollector::sent(const InterruptMessage& event) {
    const auto vector = vector_of(event);
    if (!vector) return;
    const std::lock_guard lock{mutex_};
    const auto line = raised_.find(event_name(event.origin.source));
    const bool is_first = line == raised_.end();
    const std::uint64_t flow = is_first ? ++last_flow_ : line->second;
    if (!is_first) raised_.erase(line);
    sent_[{std::string{event_name(event.target)}, *vector}] = flow;
    ring_.add({.start = event.origin.host_time,
               .duration = 1,
               .subject = MessageSent{event, flow, is_first}});
}

// A local APIC gives what a message brought, if one did; an 8259 what a line did.
void TraceCollector::taken(const InterruptTaken& event) {
    const std::lock_guard lock{mutex_};
    const std::string controller{event_name(event.origin.source)};
    const auto cpu = cpus_.find(event_name(event.target));
    std::uint64_t flow = 0;
    if (const auto message = sent_.extract({controller, event.vector}))
        flow = message.mapped();
    else if (const auto line = raised_.extract(controller))
        flow = line.mapped();
    if (cpu != cpus_.end()) cpu->second.next_flow = flow;
}

// ---- Disks and compilers ----

void TraceCollector::completed(const BlockCompleted& event) {
    {
        const std::lock_guard lock{mutex_};
        requests_.erase(event.id);
    }
    ring_.add({.start = event.started_host_time,
               .duration = event.origin.host_time - event.started_host_time,
               .subject = event});
}

void TraceCollector::compiled(const BlockCompiled& event) {
    ring_.add({.start = event_host_time() - event.nanoseconds,
               .duration = event.nanoseconds,
               .subject = event});
}

}  // namespace backplane::profiler
