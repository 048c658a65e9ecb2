// What publishing an event costs whoever publishes, as plugins do it: through the SDK.
#include "runtime/event_hub.h"

#include <backplane/events.h>

#include <benchmark/benchmark.h>

#include <cstdint>

namespace backplane {
namespace {

struct Retired {
    static constexpr const char* topic = "bench.retired/1";
    static constexpr const char* doc = "Something that happens often";
    std::uint64_t address, instructions;
};

using runtime::EventHub;

backplane_host host_of(EventHub& hub) {
    backplane_host host{};
    host.struct_size = sizeof host;
    host.context = &hub;
    host.topic = [](void* context, const char* id, std::uint32_t size, const char* doc) {
        return static_cast<EventHub*>(context)->topic(id, size, doc);
    };
    host.publish = [](void*, backplane_topic topic, const void* payload) {
        EventHub::publish(topic, payload);
    };
    host.subscribe = [](void* context, const char* id, std::uint32_t size,
                        void (*receive)(void*, const void*), void* user) {
        return static_cast<EventHub*>(context)->subscribe(id, size, receive, user);
    };
    host.subscribe_queued = [](void* context, const char* id, std::uint32_t size,
                               std::uint32_t capacity) {
        return static_cast<EventHub*>(context)->subscribe_queued(id, size, capacity);
    };
    host.receive_queued = [](backplane_subscription* subscription, void* payload) -> std::int32_t {
        return EventHub::receive_queued(subscription, payload) ? 1 : 0;
    };
    host.lost = [](backplane_subscription* subscription) { return EventHub::lost(subscription); };
    host.unsubscribe = [](backplane_subscription* subscription) {
        EventHub::unsubscribe(subscription);
    };
    return host;
}

// The loop itself: what the next one costs more than this is the publishing.
void event_hub_loop_alone(benchmark::State& state) {
    Retired payload{1, 0};
    for (auto _ : state) {
        ++payload.instructions;
        benchmark::DoNotOptimize(payload);
    }
}
BENCHMARK(event_hub_loop_alone);

void event_hub_publish_without_subscriber(benchmark::State& state) {
    EventHub hub;
    const backplane_host host = host_of(hub);
    const Topic<Retired> topic{host};
    Retired payload{1, 0};
    for (auto _ : state) {
        ++payload.instructions;
        benchmark::DoNotOptimize(payload);
        topic.publish(payload);
        // Else the compiler looks once for all rounds whether there is a subscriber.
        benchmark::ClobberMemory();
    }
}
BENCHMARK(event_hub_publish_without_subscriber);

void event_hub_publish_to_one_function(benchmark::State& state) {
    EventHub hub;
    const backplane_host host = host_of(hub);
    const Topic<Retired> topic{host};
    std::uint64_t sum = 0;
    const Subscription<Retired> subscription{
        host, [&](const Retired& event) { sum += event.instructions; }};
    for (auto _ : state)
        topic.publish({1, 2});
    if (sum != 2 * static_cast<std::uint64_t>(state.iterations()))
        state.SkipWithError("events were lost");
}
BENCHMARK(event_hub_publish_to_one_function);

void event_hub_publish_to_one_queue(benchmark::State& state) {
    EventHub hub;
    const backplane_host host = host_of(hub);
    const Topic<Retired> topic{host};
    QueuedSubscription<Retired> subscription{host, 64};
    std::uint64_t sum = 0;
    for (auto _ : state) {
        topic.publish({1, 2});
        if (const auto event = subscription.receive()) sum += event->instructions;
    }
    if (sum != 2 * static_cast<std::uint64_t>(state.iterations()))
        state.SkipWithError("events were lost");
}
BENCHMARK(event_hub_publish_to_one_queue);

}  // namespace
}  // namespace backplane
