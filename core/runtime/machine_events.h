// What the machine itself publishes at its event hub (abi/machine_events.h), whatever plugins its
// devices are from: accesses to windows, block requests, lines, messages.
#pragma once

#include "runtime/event_hub.h"

#include <backplane/machine_events.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>

namespace backplane::runtime {

class MachineEvents {
public:
    template <EventPayload Payload>
    class Topic {
    public:
        explicit Topic(EventHub& hub)
            : topic_{hub.topic(Payload::topic, sizeof(Payload), Payload::doc)} {}

        [[nodiscard]] bool wanted() const {
            return topic_.subscribers != nullptr &&
                   __atomic_load_n(topic_.subscribers, __ATOMIC_RELAXED) != 0;
        }
        void publish(const Payload& payload) const { EventHub::publish(topic_, &payload); }

    private:
        backplane_topic topic_;
    };

    // `peek_time` gives guest time on any thread that publishes. The hub outlives this.
    MachineEvents(EventHub& hub, std::function<std::uint64_t()> peek_time)
        : accesses{hub}, block_starts{hub}, block_ends{hub}, lines{hub}, messages{hub}, taken{hub},
          peek_time_{std::move(peek_time)} {}

    [[nodiscard]] backplane_event_origin origin(std::string_view source) const {
        backplane_event_origin origin{
            .guest_time = peek_time_(), .host_time = event_host_time(), .source = {}};
        put_event_name(origin.source, source);
        return origin;
    }
    [[nodiscard]] std::uint64_t next_request() { return next_request_++; }

    Topic<DeviceAccess> accesses;
    Topic<BlockStarted> block_starts;
    Topic<BlockCompleted> block_ends;
    Topic<InterruptLine> lines;
    Topic<InterruptMessage> messages;
    Topic<InterruptTaken> taken;

private:
    std::function<std::uint64_t()> peek_time_;
    std::atomic<std::uint64_t> next_request_ = 1;
};

// Tells of one access to a device, from here to the end of the scope.
class ObservedAccess {
public:
    // Null: nobody is told.
    ObservedAccess(MachineEvents* events, std::string_view source, std::uint64_t address,
                   std::uint32_t size, std::uint32_t kind)
        : events_{events != nullptr && events->accesses.wanted() ? events : nullptr} {
        if (events_ == nullptr) [[likely]]
            return;
        access_ = {};
        access_.origin = events_->origin(source);
        access_.address = address;
        access_.size = size;
        access_.kind = kind;
        access_.count = 1;
    }
    ~ObservedAccess() {
        if (events_ == nullptr) [[likely]]
            return;
        access_.duration = event_host_time() - access_.origin.host_time;
        events_->accesses.publish(access_);
    }
    ObservedAccess(const ObservedAccess&) = delete;
    ObservedAccess& operator=(const ObservedAccess&) = delete;

    void note_value(std::uint64_t value) { access_.value = value; }
    void note_count(std::uint32_t count) { access_.count = count; }
    // There was none after all.
    void forget() { events_ = nullptr; }

private:
    MachineEvents* events_;
    DeviceAccess access_;  // only of an access that is told
};

}  // namespace backplane::runtime
