#include "runtime/run_control.h"

#include "runtime/exit_codes.h"

#include <algorithm>
#include <utility>

namespace backplane::runtime {

namespace {

constexpr std::chrono::hours practically_forever{24 * 365};

}  // namespace

// ---- Requests ----

void RunControl::ask(Guard guard) {
    parking_ = true;
    guard.unlock();
    hooks_.wake_cpus();
    changed_.notify_all();
}

void RunControl::request_reset(std::string why) {
    Guard guard{mutex_};
    if (!reset_) reset_ = std::move(why);
    ask(std::move(guard));
}

void RunControl::request_power_off(Ending ending) {
    Guard guard{mutex_};
    if (!ending_) ending_ = std::move(ending);
    ask(std::move(guard));
}

void RunControl::pause(std::string why) {
    Guard guard{mutex_};
    if (!stop_) stop_ = StateEvent{.change = StateChange::Paused, .why = std::move(why)};
    ask(std::move(guard));
}

bool RunControl::stop(StateEvent event) {
    Guard guard{mutex_};
    if (stop_ || paused_) return false;
    stop_ = std::move(event);
    ask(std::move(guard));
    return true;
}

void RunControl::resume() {
    Guard guard{mutex_};
    resume_ = true;
    ask(std::move(guard));
}

void RunControl::post(std::function<void()> run) {
    Guard guard{mutex_};
    if (finished_) return;
    calls_.push_back({.run = std::move(run)});
    ask(std::move(guard));
}

bool RunControl::call(const std::function<void()>& run) {
    if (is_on_controller()) {
        run();
        return true;
    }
    std::optional<bool> outcome;
    {
        Guard guard{mutex_};
        if (!running_) return false;
        calls_.push_back({.run = run, .outcome = &outcome});
        ask(std::move(guard));
    }
    Guard guard{mutex_};
    changed_.wait(guard, [&] { return outcome.has_value(); });
    return *outcome;
}

// ---- Listeners ----

RunControl::ListenerId RunControl::listen(Listener listener) {
    const std::scoped_lock guard{listeners_mutex_};
    return &listeners_.emplace_back(std::move(listener));
}

void RunControl::unlisten(ListenerId listener) {
    const std::scoped_lock guard{listeners_mutex_};
    listeners_.remove_if([&](const Listener& each) { return &each == listener; });
}

void RunControl::tell(Guard& guard, const StateEvent& event) {
    guard.unlock();
    {
        const std::scoped_lock listeners{listeners_mutex_};
        for (auto each = listeners_.begin(); each != listeners_.end();)
            (*each++)(event);
    }
    guard.lock();
}

// ---- CPU threads ----

bool RunControl::park(const std::function<bool()>& may_go) {
    Guard guard{mutex_};
    ++parked_;
    changed_.notify_all();
    changed_.wait(guard, [&] { return finished_ || (!parking_ && may_go()); });
    --parked_;
    return !finished_;
}

// ---- The controller ----

bool RunControl::has_requests() const {
    return reset_ || ending_ || stop_ || resume_ || !calls_.empty();
}

void RunControl::carry_out_calls(Guard& guard) {
    while (!calls_.empty() && !ending_) {
        const Call call = std::move(calls_.front());
        calls_.pop_front();
        guard.unlock();
        call.run();
        guard.lock();
        if (call.outcome != nullptr) *call.outcome = true;
        changed_.notify_all();
    }
}

// A machine that runs first pauses and then resumes, when both are asked for; one that is paused
// the other way round.
void RunControl::carry_out(Guard& guard) {
    if (!ending_ && reset_ && end_on_reset_)
        ending_ = Ending{static_cast<int>(ExitCode::Ok), *reset_ + " (--no-reboot)"};
    if (ending_) return;
    if (reset_) {
        const StateEvent event{.change = StateChange::Reset,
                               .why = *std::exchange(reset_, std::nullopt)};
        guard.unlock();
        hooks_.reset();
        guard.lock();
        tell(guard, event);
    }
    carry_out_calls(guard);
    if (paused_ && std::exchange(resume_, false)) {
        paused_ = false;
        tell(guard, {.change = StateChange::Resumed, .why = {}});
        if (!stop_) stop_ = hooks_.take_untold();
    }
    if (auto event = std::exchange(stop_, std::nullopt); event && !paused_) {
        paused_ = true;
        hooks_.forget_modes();
        tell(guard, *event);
    }
    if (!paused_) resume_ = false;
}

Ending RunControl::run(const RunOptions& options, std::vector<std::function<void()>> cpu_threads) {
    const auto limit = std::chrono::steady_clock::now() +
                       options.time_limit.value_or(practically_forever);
    controller_ = std::this_thread::get_id();
    if (options.paused) pause("paused before the first instruction");
    std::vector<std::thread> threads;
    for (auto& run : cpu_threads)
        threads.emplace_back(std::move(run));

    Guard guard{mutex_};
    running_ = true;
    end_on_reset_ = options.end_on_reset;
    while (!ending_) {
        if (!changed_.wait_until(guard, limit, [this] { return has_requests(); })) {
            ending_ = Ending{static_cast<int>(ExitCode::Timeout), "the time limit passed"};
            parking_ = true;
            guard.unlock();
            hooks_.wake_cpus();
            guard.lock();
        }
        changed_.wait(guard, [&] { return parked_ == threads.size(); });
        guard.unlock();
        hooks_.stop_time();
        guard.lock();
        while (has_requests() && !ending_)
            carry_out(guard);
        if (paused_ || ending_) continue;
        guard.unlock();
        hooks_.start_time();
        guard.lock();
        parking_ = has_requests();
        changed_.notify_all();
    }
    finish(guard);
    guard.unlock();
    for (auto& thread : threads)
        thread.join();
    controller_ = std::thread::id{};
    return *ending_;
}

void RunControl::finish(Guard& guard) {
    tell(guard,
         {.change = StateChange::PoweredOff, .exit_code = ending_->exit_code, .why = ending_->why});
    running_ = false;
    finished_ = true;
    for (const Call& call : std::exchange(calls_, {}))
        if (call.outcome != nullptr) *call.outcome = false;
    changed_.notify_all();
}

std::optional<Ending> RunControl::carry_out() {
    Guard guard{mutex_};
    while (has_requests() && !ending_)
        carry_out(guard);
    parking_ = ending_.has_value();
    return ending_;
}

}  // namespace backplane::runtime
