// What `run` samples of a machine while it runs: its speed, what compiling is like, and the
// processors' statistics for a recording.
#pragma once

#include "measure/jit_metrics.h"
#include "profile/recording.h"
#include "runtime/machine.h"
#include "runtime/speed_meter.h"

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

namespace backplane::cli {

class RunFigures {
public:
    // With memory: what the host keeps for the guest is looked at once a second, which takes a
    // while where there is much of it.
    enum class History : std::uint8_t { Drop, Keep, KeepWithMemory };
    // `machine` outlives it.
    RunFigures(runtime::Machine& machine, History history);

    static constexpr std::chrono::milliseconds period{100};
    // [any]
    void sample();

    // After the run.
    [[nodiscard]] const runtime::SpeedMeter& speed() const { return speed_; }
    [[nodiscard]] std::optional<measure::JitMetrics> jit() const { return jit_.metrics(); }
    [[nodiscard]] const profile::StatisticsHistory& history() const { return kept_; }

private:
    using Clock = std::chrono::steady_clock;
    void keep(const measure::Statistics& statistics, Clock::time_point now);
    std::uint64_t committed_memory(Clock::time_point now);

    runtime::Machine& machine_;
    History history_;
    std::mutex mutex_;
    runtime::SpeedMeter speed_;
    measure::JitMetricsWindow jit_;
    profile::StatisticsHistory kept_;
    std::optional<Clock::time_point> memory_looked_at_;
    std::uint64_t memory_ = 0;
};

}  // namespace backplane::cli
