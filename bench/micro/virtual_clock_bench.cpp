// Timers of devices, among as many others as a machine has running.
#include "runtime/virtual_clock.h"

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>

namespace backplane::runtime {
namespace {

struct HandMovedTime final : TimeSource {
    std::uint64_t time = 0;
    [[nodiscard]] std::uint64_t now() const override { return time; }
};

class Timers {
public:
    explicit Timers(std::int64_t count) {
        for (std::int64_t i = 0; i < count; ++i) {
            auto& timer = clock.create_timer("timer" + std::to_string(i), [](void*) {}, nullptr);
            clock.start(timer, far_away + static_cast<std::uint64_t>(i));
        }
    }

    static constexpr std::uint64_t far_away = std::uint64_t{1} << 60;
    HandMovedTime time;
    VirtualClock clock{time, [] {}};
};

// A device that sets its alarm again and again before it rings.
void clock_start_timer(benchmark::State& state) {
    Timers timers{state.range(0)};
    auto& timer = timers.clock.create_timer("measured", [](void*) {}, nullptr);
    std::uint64_t deadline = 1;
    for (auto _ : state)
        timers.clock.start(timer, ++deadline);
}
BENCHMARK(clock_start_timer)->Arg(0)->Arg(10)->Arg(100);

void clock_start_and_stop_timer(benchmark::State& state) {
    Timers timers{state.range(0)};
    auto& timer = timers.clock.create_timer("measured", [](void*) {}, nullptr);
    for (auto _ : state) {
        timers.clock.start(timer, 1000);
        timers.clock.stop(timer);
    }
}
BENCHMARK(clock_start_and_stop_timer)->Arg(10);

// A periodic one: expires and is started again by its device.
void clock_expire_timer(benchmark::State& state) {
    Timers timers{state.range(0)};
    struct Device {
        Timers& timers;
        VirtualClock::Timer* timer = nullptr;
        std::uint64_t expired = 0;
    } device{timers};
    device.timer = &timers.clock.create_timer(
        "measured",
        [](void* user) {
            auto& mine = *static_cast<Device*>(user);
            ++mine.expired;
            mine.timers.clock.start(*mine.timer, mine.timers.time.time + 1);
        },
        &device);
    timers.clock.start(*device.timer, 1);
    for (auto _ : state) {
        ++timers.time.time;
        timers.clock.run_due();
    }
    if (device.expired != static_cast<std::uint64_t>(state.iterations()))
        state.SkipWithError("the timer did not expire each time");
}
BENCHMARK(clock_expire_timer)->Arg(0)->Arg(10)->Arg(100);

// What each slice of a processor asks.
void clock_is_due(benchmark::State& state) {
    const Timers timers{10};
    for (auto _ : state)
        benchmark::DoNotOptimize(timers.clock.is_due());
}
BENCHMARK(clock_is_due);

}  // namespace
}  // namespace backplane::runtime
