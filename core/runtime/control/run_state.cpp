#include "runtime/control/run_state.h"

#include "runtime/component.h"
#include "runtime/virtual_cpu.h"

#include <fmt/format.h>

namespace backplane::runtime::control {

namespace {

const char* name_of(StateChange change) {
    switch (change) {
    case StateChange::Paused: return "paused";
    case StateChange::Breakpoint: return "breakpoint";
    case StateChange::Watchpoint: return "watchpoint";
    case StateChange::Stepped: return "stepped";
    case StateChange::Shutdown: return "shutdown";
    case StateChange::Resumed: return "resumed";
    case StateChange::Reset: return "reset";
    case StateChange::PoweredOff: return "powered-off";
    }
    return "";
}

}  // namespace

RunState::RunState(RunControl& control, std::function<void(const ordered_json& event)> changed)
    : control_{control}, changed_{std::move(changed)},
      listener_{control.listen([this](const StateEvent& event) { take(event); })} {}

void RunState::take(const StateEvent& event) {
    const bool has_ended = event.change == StateChange::PoweredOff;
    {
        const std::scoped_lock guard{mutex_};
        if (event.change == StateChange::Reset)
            ++resets_;
        else if (event.change == StateChange::Resumed)
            ++resumed_;
        else
            ++stopped_;
        if (event.change != StateChange::Reset) {
            last_ = event.change;
            why_ = event.why;
        }
    }
    ordered_json data{{"change", name_of(event.change)},
                      {"state", has_ended              ? "ended"
                                : control_.is_paused() ? "paused"
                                                       : "running"},
                      {"why", event.why}};
    if (event.cpu != nullptr) data["cpu"] = event.cpu->component().name();
    if (event.change == StateChange::Breakpoint || event.change == StateChange::Watchpoint)
        data["address"] = fmt::format("{:#x}", event.address);
    if (has_ended) data["exit_code"] = event.exit_code;
    changed_(data);
}

const char* RunState::name() const {
    if (has_ended()) return "ended";
    return control_.is_paused() ? "paused" : "running";
}

std::string RunState::why() const {
    const std::scoped_lock guard{mutex_};
    return why_;
}

std::uint64_t RunState::stopped() const {
    const std::scoped_lock guard{mutex_};
    return stopped_;
}

std::uint64_t RunState::resumed() const {
    const std::scoped_lock guard{mutex_};
    return resumed_;
}

std::uint64_t RunState::resets() const {
    const std::scoped_lock guard{mutex_};
    return resets_;
}

bool RunState::has_ended() const {
    const std::scoped_lock guard{mutex_};
    return last_ == StateChange::PoweredOff;
}

}  // namespace backplane::runtime::control
