// Guest time: nanoseconds since power-on, and the timers that devices set on it.
//
// A realtime clock follows the host's steady clock. A deterministic clock is driven from retired
// instructions: its time moves only as far as the CPU has executed, or jumps to the next timer
// while every CPU is halted.
#pragma once

#include "runtime/machine_lock.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace backplane::runtime {

// Where guest time comes from.
class TimeSource {
public:
    virtual ~TimeSource() = default;
    [[nodiscard]] virtual std::uint64_t now() const = 0;
};

class HostTime final : public TimeSource {
public:
    // [any]
    [[nodiscard]] std::uint64_t now() const override;
    // While it goes on.
    [[nodiscard]] std::chrono::steady_clock::time_point host_instant(std::uint64_t guest) const;

    // With the machine lock held: stands still, then goes on from there.
    void stop();
    void start();
    [[nodiscard]] bool is_stopped() const { return stopped_at_ != goes_on; }

private:
    static constexpr std::uint64_t goes_on = ~std::uint64_t{0};

    [[nodiscard]] std::uint64_t since_power_on() const;

    std::chrono::steady_clock::time_point power_on_ = std::chrono::steady_clock::now();
    std::atomic<std::uint64_t> stopped_at_ = goes_on;
    std::atomic<std::uint64_t> stood_still_ = 0;  // for so long in all
};

class InstructionTime final : public TimeSource {
public:
    // `instructions` counts what the machine has retired so far.
    InstructionTime(std::uint64_t frequency, std::function<std::uint64_t()> instructions);

    [[nodiscard]] std::uint64_t now() const override;
    // The count of instructions with which that time is reached.
    [[nodiscard]] std::uint64_t instructions_at(std::uint64_t deadline) const;
    // Instructions still to retire until that time; at least 1.
    [[nodiscard]] std::uint64_t instructions_until(std::uint64_t deadline) const;
    // Nobody executes: time passes without instructions.
    void skip_to(std::uint64_t deadline);

private:
    std::uint64_t frequency_;
    std::function<std::uint64_t()> instructions_;
    std::uint64_t skipped_ = 0;
};

class VirtualClock {
public:
    struct Timer {
        std::string name;
        void (*expire)(void* user);
        void* user;
        std::uint64_t deadline = 0;
        // of starting; decides between equal deadlines, so that runs repeat
        std::uint64_t order = 0;
        bool running = false;
        VirtualClock* clock;
    };

    // `sooner` is told when the earliest deadline moved forward.
    VirtualClock(TimeSource& source, std::function<void()> sooner)
        : source_{source}, sooner_{std::move(sooner)} {}

    // [any]
    [[nodiscard]] std::uint64_t now() const { return source_.now(); }
    // Whether run_due has something to do.
    [[nodiscard]] bool is_due() const { return earliest_.load(std::memory_order_relaxed) <= now(); }

    // The rest with the machine lock held.
    Timer& create_timer(std::string name, void (*expire)(void*), void* user);
    void start(Timer& timer, std::uint64_t deadline);
    void stop(Timer& timer);
    [[nodiscard]] std::optional<std::uint64_t> next_deadline() const;
    // Runs what is due, in order of deadline, including what those start; some of it may be left
    // for the next call.
    void run_due();

private:
    struct Earlier {
        bool operator()(const Timer* a, const Timer* b) const {
            return std::pair{a->deadline, a->order} < std::pair{b->deadline, b->order};
        }
    };

    static constexpr std::uint64_t never = ~std::uint64_t{0};

    void note_earliest();

    TimeSource& source_;
    std::function<void()> sooner_;
    std::atomic<std::uint64_t> earliest_ = never;
    std::vector<std::unique_ptr<Timer>> timers_;
    std::set<Timer*, Earlier> queue_;
    std::uint64_t started_ = 0;
};

}  // namespace backplane::runtime
