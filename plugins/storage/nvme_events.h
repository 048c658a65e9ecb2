// Asynchronous events: what the controller has to tell, and the requests by which the host wants to
// hear it. (NVM Express 1.4, 5.2)
#pragma once

#include "nvme_identify.h"

#include <backplane/declaration.h>

#include <array>
#include <cstdint>
#include <optional>

namespace backplane::storage::nvme {

enum class EventType : std::uint8_t { Error = 0, Health = 1, Notice = 2 };

struct Event {
    EventType type;
    std::uint8_t information;
    std::uint8_t log_page;
};

inline constexpr Event invalid_doorbell_register{EventType::Error, 0, 1};
inline constexpr Event invalid_doorbell_value{EventType::Error, 1, 1};
inline constexpr Event temperature_threshold{EventType::Health, 1, 2};
inline constexpr Event namespace_attribute_changed{EventType::Notice, 0, 4};

class Events {
public:
    void reset() { *this = {}; }

    // An Asynchronous Event Request. False: there are too many already.
    bool add_request(std::uint16_t command_id);
    // True: it was outstanding, and no longer is.
    bool abort(std::uint16_t command_id);

    // Nothing when the host has not read the log page of an earlier one of the type.
    void add(const Event& event);
    // The host has read what a log page says, and did not ask for the event to be retained.
    void log_page_was_read(std::uint8_t log_page);

    struct Answer {
        std::uint16_t command_id;
        std::uint32_t result;
    };
    bool has_answer() const { return requests_ != 0 && pending_ != 0; }
    // The next event, to be sent to the oldest request; only while there is one.
    Answer take_answer();

    template <class T, class Accessor>
    static void declare_saved(Declaration<T>& d, Accessor events);

private:
    static constexpr std::size_t most_requests = event_request_limit + 1, types = 3;

    std::array<std::uint16_t, most_requests> command_ids_{};
    std::uint32_t requests_ = 0;
    // One event of each type waits at most: the later ones find it masked.
    std::array<std::uint32_t, types> waiting_{};
    std::uint8_t pending_ = 0, masked_ = 0;  // a bit for each type
};

template <class T, class Accessor>
void Events::declare_saved(Declaration<T>& d, Accessor events) {
    d.saved("event-requests", [events](T& t) -> auto& { return events(t).requests_; });
    d.saved("event-requests.commands", [events](T& t) -> auto& { return events(t).command_ids_; });
    d.saved("events", [events](T& t) -> auto& { return events(t).waiting_; });
    d.saved("events.pending", [events](T& t) -> auto& { return events(t).pending_; });
    d.saved("events.masked", [events](T& t) -> auto& { return events(t).masked_; });
}

}  // namespace backplane::storage::nvme
