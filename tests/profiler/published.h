// Events as a machine would publish them.
#pragma once

#include <backplane/machine_events.h>

#include <cstdint>
#include <string_view>

namespace backplane::profiler::testing {

inline backplane_event_origin origin_at(std::uint64_t time, std::string_view source) {
    backplane_event_origin origin{.guest_time = time / 2, .host_time = time, .source = {}};
    put_event_name(origin.source, source);
    return origin;
}

inline CpuInterrupt interrupt_at(std::uint64_t time, std::uint8_t vector,
                                 std::uint64_t stack_pointer, std::uint8_t privilege = 0,
                                 std::string_view cpu = "cpu0") {
    CpuInterrupt event{};
    event.origin = origin_at(time, cpu);
    event.pc = 0xffff'ffff'8100'0000;
    event.stack_pointer = stack_pointer;
    event.vector = vector;
    event.privilege = privilege;
    return event;
}

inline CpuInterruptReturn return_at(std::uint64_t time, std::uint64_t stack_pointer,
                                    std::uint8_t privilege = 0, std::string_view cpu = "cpu0") {
    CpuInterruptReturn event{};
    event.origin = origin_at(time, cpu);
    event.stack_pointer = stack_pointer;
    event.privilege = privilege;
    return event;
}

inline CpuHalt halt_at(std::uint64_t time, bool is_halted, std::string_view cpu = "cpu0") {
    CpuHalt event{};
    event.origin = origin_at(time, cpu);
    event.is_halted = is_halted ? 1 : 0;
    return event;
}

inline CpuException exception_at(std::uint64_t time, std::uint8_t vector, std::uint64_t address,
                                 std::uint32_t error_code) {
    CpuException event{};
    event.origin = origin_at(time, "cpu0");
    event.pc = 0x401000;
    event.address = address;
    event.vector = vector;
    event.error_code = error_code;
    event.privilege = 3;
    return event;
}

inline BlockStarted request_at(std::uint64_t time, std::uint64_t id, std::uint32_t operation) {
    BlockStarted event{};
    event.origin = origin_at(time, "nvme0");
    put_event_name(event.backend, "disk0-image");
    event.id = id;
    event.offset = 4096;
    event.length = 512;
    event.operation = operation;
    return event;
}

inline BlockCompleted end_of(const BlockStarted& start, std::uint64_t time,
                             std::uint32_t result = 0) {
    BlockCompleted event{};
    event.origin = origin_at(time, event_name(start.origin.source));
    put_event_name(event.backend, event_name(start.backend));
    event.id = start.id;
    event.offset = start.offset;
    event.length = start.length;
    event.started_guest_time = start.origin.guest_time;
    event.started_host_time = start.origin.host_time;
    event.operation = start.operation;
    event.result = result;
    return event;
}

}  // namespace backplane::profiler::testing
