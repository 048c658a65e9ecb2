#include "runtime/control/subscriptions.h"

#include "runtime/control/hex.h"
#include "runtime/nearest_name.h"
#include "runtime/printable_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace backplane::runtime::control {

namespace {

// Payloads of one topic that may wait for the client.
constexpr std::uint32_t queue_capacity = 1024;

}  // namespace

Subscriptions::~Subscriptions() {
    for (const auto& [topic, queue] : queues_)
        EventHub::unsubscribe(queue.subscription);
}

std::expected<void, Error> Subscriptions::add(const std::string& topic) {
    if (topic == run_state_topic) {
        run_state_ = true;
        return {};
    }
    if (queues_.contains(topic)) return {};
    const auto topics = hub_.topics();
    const auto found = std::ranges::find(topics, topic, &EventHub::TopicInfo::id);
    if (found == topics.end()) {
        std::vector<std::string> names{run_state_topic};
        for (const auto& info : topics)
            names.push_back(info.id);
        const std::string hint = did_you_mean(topic, names);
        return refuse(
            ErrorKind::BadArgument,
            fmt::format("there is no topic {}; {}", in_quotes(topic),
                        hint.empty() ? fmt::format("there are {}", fmt::join(names, ", ")) : hint));
    }
    auto* subscription = hub_.subscribe_queued(topic, found->payload_size, queue_capacity);
    if (subscription == nullptr)
        return refuse(ErrorKind::Failed,
                      fmt::format("the topic {} could not be subscribed", in_quotes(topic)));
    queues_.emplace(topic, Queue{subscription, found->payload_size});
    return {};
}

bool Subscriptions::remove(const std::string& topic) {
    if (topic == run_state_topic) return std::exchange(run_state_, false);
    const auto found = queues_.find(topic);
    if (found == queues_.end()) return false;
    EventHub::unsubscribe(found->second.subscription);
    queues_.erase(found);
    return true;
}

bool Subscriptions::has(const std::string& topic) const {
    return topic == run_state_topic ? run_state_ : queues_.contains(topic);
}

void Subscriptions::take(
    std::size_t limit,
    const std::function<void(const std::string& topic, ordered_json data)>& give) {
    for (auto& [topic, queue] : queues_) {
        std::vector<std::byte> payload(queue.payload_size);
        for (; limit > 0 && EventHub::receive_queued(queue.subscription, payload.data()); --limit) {
            ordered_json data{{"payload", hex_text(payload)}};
            const std::uint64_t lost = EventHub::lost(queue.subscription);
            if (const auto more = lost - std::exchange(queue.told_lost, lost); more != 0)
                data["lost"] = more;
            give(topic, std::move(data));
        }
    }
}

}  // namespace backplane::runtime::control
