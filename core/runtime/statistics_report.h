// What a machine counted, as JSON: instructions, speed, every component's statistics and every
// device's accesses.
#pragma once

#include "measure/jit_metrics.h"
#include "runtime/machine.h"
#include "runtime/speed_meter.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>

namespace backplane::runtime {

// [any] The sum of a statistic of this name over all CPUs; 0 where none declares it.
[[nodiscard]] std::uint64_t cpu_statistic(const Machine& machine, const char* name);
// [any] The same for all that any CPU declares.
[[nodiscard]] measure::Statistics cpu_statistics(const Machine& machine);

// While the machine does not run, or all CPUs are parked.
[[nodiscard]] nlohmann::ordered_json machine_statistics(Machine& machine);
// Of a run that is over: with how it ended, how fast it was, and what compiling was like.
[[nodiscard]] nlohmann::ordered_json
statistics_report(Machine& machine, const SpeedMeter& speed,
                  const std::optional<measure::JitMetrics>& jit, const Ending& ending);

}  // namespace backplane::runtime
