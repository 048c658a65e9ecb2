#include "event_markers.h"

#include "event_texts.h"

#include <backplane/abi/block.h>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace backplane::profiler {

using profile::Marker;

auto EventMarkers::ends_at(const Cpu& cpu, std::uint64_t host_time) {
    return [this, number = number_of(cpu), host_time](const CpuInterrupt& event) {
        keep({.host_time = event.origin.host_time,
              .duration = std::max<std::uint64_t>(host_time - event.origin.host_time, 1),
              .cpu = number,
              .name = event.is_nmi != 0 ? "NMI" : "Interrupt",
              .text = fmt::format("vector {:#x}, at {:#x}", event.vector, event.pc)});
    };
}

void EventMarkers::start(const backplane_host& host, std::vector<std::string> cpus,
                         const EventMarkerOptions& options) {
    most_ = options.most;
    for (std::string& name : cpus)
        cpus_.push_back({.name = std::move(name), .interrupts = {}});
    if (options.interrupts) {
        interrupts_.emplace(host, [this](const CpuInterrupt& event) { interrupted(event); });
        returns_.emplace(host, [this](const CpuInterruptReturn& event) { returned(event); });
        halts_.emplace(host, [this](const CpuHalt& event) { halted(event); });
    }
    if (options.page_faults)
        exceptions_.emplace(host, [this](const CpuException& event) { faulted(event); });
    if (options.disks)
        requests_.emplace(host, [this](const BlockCompleted& event) { completed(event); });
}

void EventMarkers::stop(std::uint64_t host_time) {
    interrupts_.reset();
    returns_.reset();
    halts_.reset();
    exceptions_.reset();
    requests_.reset();
    const std::lock_guard lock{mutex_};
    for (Cpu& cpu : cpus_)
        cpu.interrupts.end_all(ends_at(cpu, host_time));
}

std::vector<Marker> EventMarkers::take() {
    const std::lock_guard lock{mutex_};
    return std::exchange(markers_, {});
}

std::uint64_t EventMarkers::lost() const {
    const std::lock_guard lock{mutex_};
    return lost_;
}

void EventMarkers::add(Marker marker) {
    const std::lock_guard lock{mutex_};
    keep(std::move(marker));
}

void EventMarkers::keep(Marker marker) {
    if (added_ == most_) {
        ++lost_;
        return;
    }
    ++added_;
    markers_.push_back(std::move(marker));
}

// Names are as long as events have room for.
EventMarkers::Cpu* EventMarkers::cpu_of(const backplane_event_origin& origin) {
    const std::string_view name = event_name(origin.source);
    const auto found = std::ranges::find_if(cpus_, [&](const Cpu& cpu) {
        return std::string_view{cpu.name}.substr(0, sizeof origin.source - 1) == name;
    });
    return found == cpus_.end() ? nullptr : &*found;
}

void EventMarkers::interrupted(const CpuInterrupt& event) {
    const std::lock_guard lock{mutex_};
    if (Cpu* cpu = cpu_of(event.origin))
        cpu->interrupts.began(event, ends_at(*cpu, event.origin.host_time));
}

void EventMarkers::returned(const CpuInterruptReturn& event) {
    const std::lock_guard lock{mutex_};
    if (Cpu* cpu = cpu_of(event.origin))
        cpu->interrupts.returned(event, ends_at(*cpu, event.origin.host_time));
}

void EventMarkers::halted(const CpuHalt& event) {
    const std::lock_guard lock{mutex_};
    if (Cpu* cpu = cpu_of(event.origin))
        cpu->interrupts.end_all(ends_at(*cpu, event.origin.host_time));
}

void EventMarkers::faulted(const CpuException& event) {
    constexpr unsigned page_fault = 14;
    if (event.vector != page_fault) return;
    const std::lock_guard lock{mutex_};
    if (const Cpu* cpu = cpu_of(event.origin))
        keep({.host_time = event.origin.host_time,
              .duration = 0,
              .cpu = number_of(*cpu),
              .name = "Page fault",
              .text = fmt::format("{:#x}: {}, at {:#x}", event.address,
                                  page_fault_text(event.error_code), event.pc)});
}

void EventMarkers::completed(const BlockCompleted& event) {
    const std::lock_guard lock{mutex_};
    std::string text = fmt::format("{}: {}", event_name(event.backend),
                                   block_operation_text(event.operation));
    if (event.operation != BACKPLANE_BLOCK_FLUSH)
        text += fmt::format(" of {} bytes at {:#x}", event.length, event.offset);
    if (event.result != BACKPLANE_BLOCK_OK)
        text += fmt::format(": {}", block_result_text(event.result));
    const std::uint64_t took = event.origin.host_time - event.started_host_time;
    keep({.host_time = event.started_host_time,
          .duration = std::max<std::uint64_t>(took, 1),
          .cpu = Marker::of_no_cpu,
          .name = "Disk",
          .text = std::move(text)});
}

}  // namespace backplane::profiler
