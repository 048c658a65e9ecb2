// Starts and stops the CPUs of a running machine, and says who may touch it meanwhile.
//
// The controller is the thread in `run`. Whoever wants something of the whole machine (a reset, its
// end, a pause, a look at its registers) leaves a request; the CPU threads park at their next
// instruction boundary, guest time stands still, and the controller carries out what was asked.
// When nothing is left to do, and the machine is not paused, everybody goes on.
#pragma once

#include "runtime/state_event.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace backplane::runtime {

// How a run ended, for the last line and the exit code.
struct Ending {
    int exit_code = 0;
    std::string why;
};

struct RunOptions {
    bool end_on_reset = false;                         // --no-reboot
    bool paused = false;                               // -S: stands still before its first step
    std::optional<std::chrono::seconds> time_limit{};  // --timeout
};

class RunControl {
public:
    // What the machine does for its controller.
    struct Hooks {
        std::function<void()> wake_cpus;  // [any] they look for requests soon
        std::function<void()> stop_time, start_time;
        std::function<void()> reset;
        // After a pause: every CPU runs, unless told otherwise before `resume`.
        std::function<void()> forget_modes;
        // A hit that was not told yet because another came first, if it still counts.
        std::function<std::optional<StateEvent>()> take_untold;
    };
    explicit RunControl(Hooks hooks) : hooks_{std::move(hooks)} {}

    // ---- [any] Requests: carried out soon after the call returns. The first of a kind counts.
    // ----
    void request_reset(std::string why);
    void request_power_off(Ending ending);
    // The machine stands still until `resume`. No timer expires and guest time does not pass.
    void pause(std::string why);
    void resume();
    // Runs on the controller, or not at all when the run ends first.
    void post(std::function<void()> run);
    // [any, but no CPU's thread, and without the machine lock] The same, and waits for it. Gives
    // whether it was carried out. On the controller itself it runs at once.
    bool call(const std::function<void()>& run);

    [[nodiscard]] bool is_paused() const { return paused_; }
    [[nodiscard]] bool is_on_controller() const {
        return controller_ == std::this_thread::get_id();
    }
    // Whether a triple fault pauses the machine instead of ending the run.
    void pause_on_shutdown(bool value) { pauses_on_shutdown_ = value; }
    [[nodiscard]] bool pauses_on_shutdown() const { return pauses_on_shutdown_; }

    // Told of every change, on the controller with all CPUs parked; the listener must not wait for
    // anybody. After unlisten returned it is not called any more.
    using Listener = std::function<void(const StateEvent&)>;
    using ListenerId = const Listener*;
    ListenerId listen(Listener listener);
    void unlisten(ListenerId listener);

    // ---- [cpu thread] ----
    // Whether to park at this boundary.
    [[nodiscard]] bool wants_cpus() const { return parking_; }
    // Until `may_go` and nobody wants the CPUs any more; false when the thread has to end.
    bool park(const std::function<bool()>& may_go = [] { return true; });
    // The machine is to pause because of this CPU. False: something else pauses it already, and
    // this is not going to be told.
    bool stop(StateEvent event);

    // ---- The controller ----
    // Starts the CPU threads, and controls them until the run is over.
    Ending run(const RunOptions& options, std::vector<std::function<void()>> cpu_threads);
    // Instead, for whoever drives the CPUs on its own thread: carries out what was asked.
    std::optional<Ending> carry_out();

private:
    using Guard = std::unique_lock<std::mutex>;

    struct Call {
        std::function<void()> run;
        std::optional<bool>* outcome = nullptr;  // by mutex_: whether it was carried out
    };

    void ask(Guard guard);
    [[nodiscard]] bool has_requests() const;
    void carry_out(Guard& guard);
    void carry_out_calls(Guard& guard);
    void tell(Guard& guard, const StateEvent& event);
    void finish(Guard& guard);

    Hooks hooks_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::atomic<bool> parking_ = false, paused_ = false, pauses_on_shutdown_ = false;
    std::atomic<std::thread::id> controller_{};
    // By mutex_.
    bool running_ = false, finished_ = false, end_on_reset_ = false, resume_ = false;
    std::size_t parked_ = 0;
    std::optional<std::string> reset_;
    std::optional<Ending> ending_;
    std::optional<StateEvent> stop_;
    std::deque<Call> calls_;

    std::recursive_mutex listeners_mutex_;
    std::list<Listener> listeners_;
};

}  // namespace backplane::runtime
