// One client's conversation, without its socket: what it sends comes in as bytes, what it is told
// goes out as lines.
#pragma once

#include "runtime/control/answer.h"
#include "runtime/control/command.h"
#include "runtime/control/context.h"
#include "runtime/control/line_reader.h"
#include "runtime/control/request.h"
#include "runtime/control/subscriptions.h"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace backplane::runtime::control {

class Session {
public:
    using Send = std::function<void(std::string line)>;
    Session(Context& context, Send send);

    void greet();
    void receive(std::string_view bytes) { reader_.feed(bytes); }
    // The client sends no more; what is left of a line counts as one.
    void end_of_input();
    [[nodiscard]] std::size_t held() const { return reader_.held(); }

    enum class Step : std::uint8_t {
        Idle,  // until more is received
        Done,  // a line was dealt with, there may be more
        Wait,  // call again after `pause`: a command is under way
    };
    Step step();
    [[nodiscard]] std::chrono::milliseconds pause() const { return pause_; }
    [[nodiscard]] bool is_busy() const { return under_way_.has_value(); }

    // Whether anything that the client has sent was a request.
    [[nodiscard]] bool understood() const { return understood_; }

    void run_state_changed(const ordered_json& event);
    // Sends at most `limit` events that have arrived meanwhile.
    void send_events(std::size_t limit);
    [[nodiscard]] bool wants_events() const { return subscriptions_.wants_hub(); }

private:
    Answer execute(const Request& request);
    Step reply(const ordered_json& id, Answer answer);
    void send_event(const std::string& topic, ordered_json data);

    Context& context_;
    Send send_;
    LineReader reader_;
    Subscriptions subscriptions_;
    std::optional<Answer::Later> under_way_;
    const Command* command_ = nullptr;  // of the request under way
    ordered_json id_, changed_at_;      // likewise
    std::chrono::milliseconds pause_{};
    bool understood_ = false;
};

}  // namespace backplane::runtime::control
