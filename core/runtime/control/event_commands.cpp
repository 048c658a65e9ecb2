#include "runtime/control/event_commands.h"

#include "runtime/control/argument.h"
#include "runtime/control/argument_values.h"
#include "runtime/control/context.h"
#include "runtime/control/subscriptions.h"
#include "runtime/printable_text.h"

namespace backplane::runtime::control {

namespace {

constexpr ResultField topic_fields[] = {
    {"topic", ResultKind::Text, "what to subscribe"},
    {"doc", ResultKind::Text, "what it tells"},
    {"payload_size", ResultKind::Count, "bytes of each event's payload", Presence::Sometimes},
    {"subscribed", ResultKind::Boolean, "by this client"},
};

constexpr ResultField topics_fields[] = {
    {"topics", ResultKind::List, "", Presence::Always, topic_fields},
};

Answer list_topics(const Call& call) {
    auto list = ordered_json::array();
    list.push_back({{"topic", run_state_topic},
                    {"doc", "The machine stops, goes on, is reset or ends"},
                    {"subscribed", call.subscriptions.has(run_state_topic)}});
    for (const auto& topic : call.context.machine().events().topics())
        list.push_back({{"topic", printable(topic.id)},
                        {"doc", printable(topic.doc)},
                        {"payload_size", topic.payload_size},
                        {"subscribed", call.subscriptions.has(topic.id)}});
    return ordered_json{{"topics", std::move(list)}};
}

constexpr backplane_property topic_arguments[] = {
    text_argument("topic", "What to be told: see list-topics", run_state_topic),
};

Answer subscribe(const Call& call) {
    const auto added = call.subscriptions.add(call.arguments.text("topic"));
    if (!added) return std::unexpected{added.error()};
    return ordered_json::object();
}

constexpr ResultField unsubscribe_fields[] = {
    {"was_subscribed", ResultKind::Boolean, "whether it was"},
};

Answer unsubscribe(const Call& call) {
    return ordered_json{
        {"was_subscribed", call.subscriptions.remove(call.arguments.text("topic"))}};
}

}  // namespace

constinit const Command list_topics_command{
    .name = "list-topics",
    .summary = "what a client can be told",
    .details = "",
    .returns = topics_fields,
    .run = list_topics,
};

constinit const Command subscribe_command{
    .name = "subscribe",
    .summary = "be told of events from now on",
    .details = "Topics other than run-state are those of the event hub; their payloads are plain "
               "data of the plugin that publishes them. Events that a client does not read fast "
               "enough are dropped, and the next one says how many.",
    .arguments = topic_arguments,
    .run = subscribe,
};

constinit const Command unsubscribe_command{
    .name = "unsubscribe",
    .summary = "be told no more",
    .details = "",
    .arguments = topic_arguments,
    .returns = unsubscribe_fields,
    .run = unsubscribe,
};

}  // namespace backplane::runtime::control
