#include "runtime/event_hub.h"

#include <algorithm>
#include <cstring>
#include <utility>

using backplane::runtime::EventHub;

// Either a function to call, or a queue: payloads lie in slots, whose numbers travel through two
// lock-free queues.
struct backplane_subscription {
    EventHub::Topic* topic = nullptr;
    void (*receive)(void*, const void*) = nullptr;
    void* user = nullptr;

    struct Queue {
        explicit Queue(std::uint32_t capacity, std::uint32_t payload_size)
            : free{capacity}, filled{capacity}, slots(std::size_t{capacity} * payload_size) {
            for (std::uint32_t slot = 0; slot < capacity; ++slot)
                free.bounded_push(slot);
        }
        boost::lockfree::queue<std::uint32_t> free, filled;
        std::vector<std::byte> slots;
        std::atomic<std::uint64_t> lost{0};
    };
    std::unique_ptr<Queue> queue;
    bool active = true;

    void deliver(const void* payload) {
        if (!queue) return receive(user, payload);
        std::uint32_t slot = 0;
        if (!queue->free.pop(slot)) {
            queue->lost.fetch_add(1, std::memory_order_relaxed);
            return;
        }
        std::memcpy(queue->slots.data() + std::size_t{slot} * topic->info.payload_size, payload,
                    topic->info.payload_size);
        queue->filled.bounded_push(slot);
    }
};

namespace backplane::runtime {

EventHub::EventHub() = default;
EventHub::~EventHub() = default;

EventHub::Topic* EventHub::find_or_declare(const std::string& id, std::uint32_t payload_size,
                                           const std::string& doc) {
    auto& topic = topics_[id];
    if (!topic) {
        topic = std::make_unique<Topic>();
        topic->hub = this;
        topic->info = {id, doc, payload_size};
        topic->receivers = std::make_shared<const Receivers>();
    }
    if (topic->info.doc.empty()) topic->info.doc = doc;
    return topic->info.payload_size == payload_size ? topic.get() : nullptr;
}

backplane_topic EventHub::topic(const std::string& id, std::uint32_t payload_size,
                                const std::string& doc) {
    const std::lock_guard guard{mutex_};
    Topic* topic = find_or_declare(id, payload_size, doc);
    if (topic == nullptr) return {nullptr, nullptr};
    return {&topic->subscribers, topic};
}

void EventHub::publish(backplane_topic topic, const void* payload) {
    if (topic.handle == nullptr) return;
    const auto receivers = static_cast<Topic*>(topic.handle)->receivers.load();
    for (backplane_subscription* receiver : *receivers)
        receiver->deliver(payload);
}

backplane_subscription* EventHub::add(std::unique_ptr<backplane_subscription> subscription) {
    Topic& topic = *subscription->topic;
    auto receivers = std::make_shared<Receivers>(*topic.receivers.load());
    receivers->push_back(subscription.get());
    topic.receivers = std::move(receivers);
    std::atomic_ref{topic.subscribers}.fetch_add(1, std::memory_order_relaxed);
    return subscriptions_.emplace_back(std::move(subscription)).get();
}

backplane_subscription* EventHub::subscribe(const std::string& id, std::uint32_t payload_size,
                                            void (*receive)(void*, const void*), void* user) {
    const std::lock_guard guard{mutex_};
    Topic* topic = find_or_declare(id, payload_size, "");
    if (topic == nullptr) return nullptr;
    auto subscription = std::make_unique<backplane_subscription>();
    subscription->topic = topic;
    subscription->receive = receive;
    subscription->user = user;
    return add(std::move(subscription));
}

backplane_subscription* EventHub::subscribe_queued(const std::string& id,
                                                   std::uint32_t payload_size,
                                                   std::uint32_t capacity) {
    const std::lock_guard guard{mutex_};
    Topic* topic = find_or_declare(id, payload_size, "");
    if (topic == nullptr || capacity == 0) return nullptr;
    auto subscription = std::make_unique<backplane_subscription>();
    subscription->topic = topic;
    subscription->queue = std::make_unique<backplane_subscription::Queue>(capacity, payload_size);
    return add(std::move(subscription));
}

bool EventHub::receive_queued(backplane_subscription* subscription, void* payload) {
    auto& queue = *subscription->queue;
    std::uint32_t slot = 0;
    if (!queue.filled.pop(slot)) return false;
    const std::uint32_t size = subscription->topic->info.payload_size;
    std::memcpy(payload, queue.slots.data() + std::size_t{slot} * size, size);
    queue.free.bounded_push(slot);
    return true;
}

std::uint64_t EventHub::lost(const backplane_subscription* subscription) {
    return subscription->queue ? subscription->queue->lost.load(std::memory_order_relaxed) : 0;
}

void EventHub::unsubscribe(backplane_subscription* subscription) {
    Topic& topic = *subscription->topic;
    const std::lock_guard guard{topic.hub->mutex_};
    if (!std::exchange(subscription->active, false)) return;
    auto receivers = std::make_shared<Receivers>(*topic.receivers.load());
    std::erase(*receivers, subscription);
    topic.receivers = std::move(receivers);
    std::atomic_ref{topic.subscribers}.fetch_sub(1, std::memory_order_relaxed);
    // The object stays until the hub goes: a publisher on another thread may still hold the old
    // list.
}

std::vector<EventHub::TopicInfo> EventHub::topics() const {
    const std::lock_guard guard{mutex_};
    std::vector<TopicInfo> all;
    for (const auto& [id, topic] : topics_)
        all.push_back(topic->info);
    std::ranges::sort(all, {}, &TopicInfo::id);
    return all;
}

}  // namespace backplane::runtime
