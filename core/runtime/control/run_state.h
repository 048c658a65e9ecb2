// Follows a machine's run: whether it stands still and why, for replies and events.
#pragma once

#include "runtime/control/answer.h"
#include "runtime/control/result_field.h"
#include "runtime/run_control.h"

#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <string>

namespace backplane::runtime::control {

class RunState {
public:
    // `changed` is called on the machine's controller and must not wait for anybody.
    RunState(RunControl& control, std::function<void(const ordered_json& event)> changed);
    RunState(const RunState&) = delete;
    RunState& operator=(const RunState&) = delete;
    ~RunState() { control_.unlisten(listener_); }

    // [any] "running", "paused", "ended".
    [[nodiscard]] const char* name() const;
    // [any] Why it is paused or has ended; "" while it runs.
    [[nodiscard]] std::string why() const;
    // [any] How often it was stopped, resumed or reset, so that who asked for it sees it done, even
    // if somebody else has undone it since.
    [[nodiscard]] std::uint64_t stopped() const;
    [[nodiscard]] std::uint64_t resumed() const;
    [[nodiscard]] std::uint64_t resets() const;
    [[nodiscard]] bool has_ended() const;

    static constexpr ResultField event_fields[] = {
        {"change", ResultKind::Text,
         "paused, breakpoint, watchpoint, stepped, shutdown, resumed, reset or powered-off"},
        {"state", ResultKind::Text, "what the machine is now: running, paused or ended"},
        {"why", ResultKind::Text, "for people"},
        {"cpu", ResultKind::Text, "which CPU was the cause, where it was one", Presence::Sometimes},
        {"address", ResultKind::Hex, "linear, of a breakpoint or watched bytes",
         Presence::Sometimes},
        {"exit_code", ResultKind::Any, "a whole number, of powered-off", Presence::Sometimes},
    };

private:
    void take(const StateEvent& event);

    RunControl& control_;
    std::function<void(const ordered_json& event)> changed_;
    mutable std::mutex mutex_;
    StateChange last_ = StateChange::Resumed;  // by mutex_, as the rest
    std::string why_;
    std::uint64_t stopped_ = 0, resumed_ = 0, resets_ = 0;
    RunControl::ListenerId listener_;
};

}  // namespace backplane::runtime::control
