// The events that one client wants: changes of the run's state, and topics of the event hub.
#pragma once

#include "runtime/control/answer.h"
#include "runtime/event_hub.h"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace backplane::runtime::control {

// Not a topic of the hub: what RunState tells.
inline constexpr const char* run_state_topic = "run-state";

class Subscriptions {
public:
    explicit Subscriptions(EventHub& hub) : hub_{hub} {}
    Subscriptions(const Subscriptions&) = delete;
    Subscriptions& operator=(const Subscriptions&) = delete;
    ~Subscriptions();

    // The error names the topics there are. What is subscribed already stays so.
    [[nodiscard]] std::expected<void, Error> add(const std::string& topic);
    // False: it was not subscribed.
    bool remove(const std::string& topic);
    [[nodiscard]] bool has(const std::string& topic) const;

    [[nodiscard]] bool wants_run_state() const { return run_state_; }
    // Whether there is anything to take.
    [[nodiscard]] bool wants_hub() const { return !queues_.empty(); }
    // Gives at most `limit` payloads that have arrived since, each as the event's data.
    void take(std::size_t limit,
              const std::function<void(const std::string& topic, ordered_json data)>& give);

private:
    struct Queue {
        backplane_subscription* subscription;
        std::uint32_t payload_size;
        std::uint64_t told_lost = 0;
    };

    EventHub& hub_;
    bool run_state_ = false;
    std::map<std::string, Queue> queues_;
};

}  // namespace backplane::runtime::control
