// What a machine counted, as JSON: instructions, speed, every component's statistics and every
// device's accesses.
#pragma once

#include "runtime/machine.h"
#include "runtime/speed_meter.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>

namespace backplane::runtime {

// [any] The sum of a statistic of this name over all CPUs; 0 where none declares it.
[[nodiscard]] std::uint64_t cpu_statistic(const Machine& machine, const char* name);

// While the machine does not run, or all CPUs are parked.
[[nodiscard]] nlohmann::ordered_json machine_statistics(Machine& machine);
// Of a run that is over: with how it ended, and how fast it was.
[[nodiscard]] nlohmann::ordered_json statistics_report(Machine& machine, const SpeedMeter& speed,
                                                       const Ending& ending);

}  // namespace backplane::runtime
