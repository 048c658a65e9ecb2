// The events that a machine publishes of itself (abi/machine_events.h), for Topic and Subscription.
#pragma once

#include <backplane/abi/host.h>
#include <backplane/abi/machine_events.h>
#include <backplane/events.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <string_view>

namespace backplane {

struct CpuInterrupt : backplane_cpu_interrupt {
    static constexpr const char* topic = BACKPLANE_TOPIC_CPU_INTERRUPT;
    static constexpr const char* doc = "A processor goes to the handler of an interrupt";
};

struct CpuInterruptReturn : backplane_cpu_interrupt_return {
    static constexpr const char* topic = BACKPLANE_TOPIC_CPU_INTERRUPT_RETURN;
    static constexpr const char* doc = "A processor executed IRET";
};

struct CpuException : backplane_cpu_exception {
    static constexpr const char* topic = BACKPLANE_TOPIC_CPU_EXCEPTION;
    static constexpr const char* doc = "A processor goes to the handler of a fault or trap";
};

struct CpuHalt : backplane_cpu_halt {
    static constexpr const char* topic = BACKPLANE_TOPIC_CPU_HALT;
    static constexpr const char* doc = "A processor halts, or no longer does";
};

struct BlockStarted : backplane_block_started {
    static constexpr const char* topic = BACKPLANE_TOPIC_BLOCK_STARTED;
    static constexpr const char* doc = "A request to a disk image begins";
};

struct BlockCompleted : backplane_block_completed {
    static constexpr const char* topic = BACKPLANE_TOPIC_BLOCK_COMPLETED;
    static constexpr const char* doc = "A request to a disk image is complete";
};

struct DeviceAccess : backplane_device_access {
    static constexpr const char* topic = BACKPLANE_TOPIC_DEVICE_ACCESS;
    static constexpr const char* doc = "A device was accessed, in memory or at a port";
};

struct InterruptLine : backplane_interrupt_line {
    static constexpr const char* topic = BACKPLANE_TOPIC_INTERRUPT_LINE;
    static constexpr const char* doc = "An output line changed";
};

struct InterruptMessage : backplane_interrupt_message {
    static constexpr const char* topic = BACKPLANE_TOPIC_INTERRUPT_MESSAGE;
    static constexpr const char* doc = "A message interrupt was taken by a local APIC";
};

struct InterruptTaken : backplane_interrupt_taken {
    static constexpr const char* topic = BACKPLANE_TOPIC_INTERRUPT_TAKEN;
    static constexpr const char* doc = "A processor took an interrupt from its controller";
};

// Cut off where it is too long.
template <std::size_t size>
void put_event_name(char (&place)[size], std::string_view name) {
    const std::size_t length = name.copy(place, size - 1);
    std::memset(place + length, 0, size - length);
}

// Also of a payload that another program sent, which need not end.
template <std::size_t size>
std::string_view event_name(const char (&place)[size]) {
    return {place, strnlen(place, size)};
}

// The clock of backplane_event_origin::host_time.
inline std::uint64_t event_host_time() {
    constexpr std::uint64_t nanoseconds_per_second = 1'000'000'000;
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * nanoseconds_per_second +
           static_cast<std::uint64_t>(time.tv_nsec);
}

// Now, by a component that publishes events of its own. Guest time is 0 with a host before ABI 1.4.
// [vcpu, inside run; or with no CPU inside run; in realtime machines any]
inline void put_event_origin(backplane_event_origin& origin, const backplane_host& host,
                             std::string_view source) {
    constexpr std::size_t needed = offsetof(backplane_host, peek_now) + sizeof(host.peek_now);
    origin.guest_time = host.struct_size >= needed ? host.peek_now(host.context) : 0;
    origin.host_time = event_host_time();
    put_event_name(origin.source, source);
}

}  // namespace backplane
