// Delivers typed events from whoever publishes to whoever subscribed; free when nobody listens.
#pragma once

#include <backplane/abi/host.h>

#include <boost/lockfree/queue.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace backplane::runtime {

class EventHub {
public:
    EventHub();
    EventHub(const EventHub&) = delete;
    EventHub& operator=(const EventHub&) = delete;
    ~EventHub();

    struct TopicInfo {
        std::string id, doc;
        std::uint32_t payload_size;
    };

    // As backplane_host says. A topic declared before with another payload size gives {nullptr,
    // nullptr} or null.
    backplane_topic topic(const std::string& id, std::uint32_t payload_size,
                          const std::string& doc);
    static void publish(backplane_topic topic, const void* payload);
    backplane_subscription* subscribe(const std::string& id, std::uint32_t payload_size,
                                      void (*receive)(void*, const void*), void* user);
    backplane_subscription* subscribe_queued(const std::string& id, std::uint32_t payload_size,
                                             std::uint32_t capacity);
    static bool receive_queued(backplane_subscription* subscription, void* payload);
    static std::uint64_t lost(const backplane_subscription* subscription);
    // After it returns the receiver is not called any more, except by a publish that is already
    // under way.
    static void unsubscribe(backplane_subscription* subscription);

    [[nodiscard]] std::vector<TopicInfo> topics() const;

private:
    using Receivers = std::vector<backplane_subscription*>;

    struct Topic {
        EventHub* hub;
        TopicInfo info;
        std::uint32_t subscribers = 0;  // read relaxed by publishers in other libraries
        // Replaced as a whole, so that a publisher works on a list nobody changes.
        std::atomic<std::shared_ptr<const Receivers>> receivers;
    };

    Topic* find_or_declare(const std::string& id, std::uint32_t payload_size,
                           const std::string& doc);
    backplane_subscription* add(std::unique_ptr<backplane_subscription> subscription);

    mutable std::mutex mutex_;
    std::unordered_map<std::string, std::unique_ptr<Topic>> topics_;
    std::vector<std::unique_ptr<backplane_subscription>> subscriptions_;

    friend struct ::backplane_subscription;
};

}  // namespace backplane::runtime
