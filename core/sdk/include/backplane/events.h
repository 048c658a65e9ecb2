// Typed events: a payload struct names its topic, any plugin may publish or subscribe.
#pragma once

#include <backplane/abi/host.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace backplane {

// Plain data with `static constexpr const char* topic` ("family.event/1") and `static constexpr
// const char* doc`.
template <class Payload>
concept EventPayload = std::is_trivially_copyable_v<Payload> && requires {
    { Payload::topic } -> std::convertible_to<const char*>;
    { Payload::doc } -> std::convertible_to<const char*>;
};

template <EventPayload Payload>
class Topic {
public:
    Topic() = default;
    explicit Topic(const backplane_host& host)
        : host_{&host},
          topic_{host.topic(host.context, Payload::topic, sizeof(Payload), Payload::doc)} {}

    // Whether anybody listens: one relaxed load. Ask before computing a payload.
    bool wanted() const {
        return topic_.subscribers != nullptr &&
               __atomic_load_n(topic_.subscribers, __ATOMIC_RELAXED) != 0;
    }

    // [any] Never blocks.
    void publish(const Payload& payload) const {
        if (wanted()) host_->publish(host_->context, topic_, &payload);
    }

private:
    const backplane_host* host_ = nullptr;
    backplane_topic topic_{};
};

// Calls `receive` on the publisher's thread until destroyed.
template <EventPayload Payload>
class Subscription {
public:
    Subscription(const backplane_host& host, std::function<void(const Payload&)> receive)
        : host_{&host}, receive_{std::move(receive)} {
        subscription_ = host.subscribe(
            host.context, Payload::topic, sizeof(Payload),
            [](void* self, const void* payload) {
                static_cast<Subscription*>(self)->receive_(*static_cast<const Payload*>(payload));
            },
            this);
    }
    ~Subscription() {
        if (subscription_ != nullptr) host_->unsubscribe(subscription_);
    }
    Subscription(const Subscription&) = delete;
    Subscription& operator=(const Subscription&) = delete;

    // False when another plugin declared the topic with a payload of another size.
    bool is_active() const { return subscription_ != nullptr; }

private:
    const backplane_host* host_;
    std::function<void(const Payload&)> receive_;
    backplane_subscription* subscription_ = nullptr;
};

// A bounded lock-free queue of events for a consumer on a thread of its own.
template <EventPayload Payload>
class QueuedSubscription {
public:
    QueuedSubscription(const backplane_host& host, std::uint32_t capacity)
        : host_{&host}, subscription_{host.subscribe_queued(host.context, Payload::topic,
                                                            sizeof(Payload), capacity)} {}
    ~QueuedSubscription() {
        if (subscription_ != nullptr) host_->unsubscribe(subscription_);
    }
    QueuedSubscription(const QueuedSubscription&) = delete;
    QueuedSubscription& operator=(const QueuedSubscription&) = delete;

    bool is_active() const { return subscription_ != nullptr; }

    std::optional<Payload> receive() {
        Payload payload;
        if (host_->receive_queued(subscription_, &payload) == 0) return std::nullopt;
        return payload;
    }

    std::uint64_t lost() const { return host_->lost(subscription_); }

private:
    const backplane_host* host_;
    backplane_subscription* subscription_;
};

}  // namespace backplane
