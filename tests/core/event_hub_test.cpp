#include "runtime/event_hub.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace backplane::runtime {
namespace {

struct Tick {
    std::uint32_t number;
    std::uint32_t thread;
};

TEST(EventHub, CallsEverySubscriber) {
    EventHub hub;
    const auto topic = hub.topic("test.tick/1", sizeof(Tick), "A tick");
    EXPECT_EQ(*topic.subscribers, 0u);
    std::vector<std::uint32_t> heard;
    const auto receive = [](void* user, const void* payload) {
        static_cast<std::vector<std::uint32_t>*>(user)->push_back(
            static_cast<const Tick*>(payload)->number);
    };
    auto* first = hub.subscribe("test.tick/1", sizeof(Tick), receive, &heard);
    hub.subscribe("test.tick/1", sizeof(Tick), receive, &heard);
    EXPECT_EQ(*topic.subscribers, 2u);
    const Tick tick{7, 0};
    EventHub::publish(topic, &tick);
    EXPECT_EQ(heard, (std::vector<std::uint32_t>{7, 7}));
    EventHub::unsubscribe(first);
    EXPECT_EQ(*topic.subscribers, 1u);
    EventHub::publish(topic, &tick);
    EXPECT_EQ(heard.size(), 3u);
}

TEST(EventHub, RefusesATopicWithAnotherPayloadSize) {
    EventHub hub;
    hub.topic("test.tick/1", 8, "A tick");
    EXPECT_EQ(hub.topic("test.tick/1", 16, "").handle, nullptr);
    EXPECT_EQ(hub.subscribe_queued("test.tick/1", 16, 4), nullptr);
}

TEST(EventHub, LetsASubscriberComeBeforeThePublisher) {
    EventHub hub;
    auto* queue = hub.subscribe_queued("test.tick/1", sizeof(Tick), 4);
    const auto topic = hub.topic("test.tick/1", sizeof(Tick), "A tick");
    const Tick tick{3, 0};
    EventHub::publish(topic, &tick);
    Tick received{};
    EXPECT_TRUE(EventHub::receive_queued(queue, &received));
    EXPECT_EQ(received.number, 3u);
    EXPECT_FALSE(EventHub::receive_queued(queue, &received));
    EXPECT_EQ(hub.topics().at(0).doc, "A tick");
}

TEST(EventHub, CountsWhatAFullQueueLoses) {
    EventHub hub;
    const auto topic = hub.topic("test.tick/1", sizeof(Tick), "A tick");
    auto* queue = hub.subscribe_queued("test.tick/1", sizeof(Tick), 2);
    for (std::uint32_t number = 0; number < 5; ++number) {
        const Tick tick{number, 0};
        EventHub::publish(topic, &tick);
    }
    EXPECT_EQ(EventHub::lost(queue), 3u);
    Tick received{};
    EXPECT_TRUE(EventHub::receive_queued(queue, &received));
    EXPECT_EQ(received.number, 0u);
}

TEST(EventHub, LosesNothingUncountedBetweenThreads) {
    EventHub hub;
    const auto topic = hub.topic("test.tick/1", sizeof(Tick), "A tick");
    auto* queue = hub.subscribe_queued("test.tick/1", sizeof(Tick), 64);
    constexpr std::uint32_t each = 20'000;
    std::vector<std::thread> publishers;
    for (std::uint32_t thread = 0; thread < 2; ++thread)
        publishers.emplace_back([&, thread] {
            for (std::uint32_t number = 0; number < each; ++number) {
                const Tick tick{number, thread};
                EventHub::publish(topic, &tick);
            }
        });
    std::uint64_t received = 0;
    std::vector<std::int64_t> last(2, -1);
    bool ordered = true;
    std::jthread consumer{[&](const std::stop_token& stop) {
        Tick tick{};
        for (;;) {
            const bool ending = stop.stop_requested();
            while (EventHub::receive_queued(queue, &tick)) {
                ordered = ordered && tick.number > last[tick.thread];
                last[tick.thread] = tick.number;
                ++received;
            }
            if (ending) return;
        }
    }};
    for (auto& publisher : publishers)
        publisher.join();
    consumer.request_stop();
    consumer.join();
    EXPECT_TRUE(ordered);
    EXPECT_EQ(received + EventHub::lost(queue), 2u * each);
}

}  // namespace
}  // namespace backplane::runtime
