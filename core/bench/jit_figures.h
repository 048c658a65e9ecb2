// What compiling was like during a run of a benchmark: the figures that every report has, and those
// that only make sense where the work is known.
#pragma once

#include "measure/jit_metrics.h"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace backplane::bench {

using measure::Statistics;

struct JitFigures {
    bool enabled = false;
    Statistics totals;    // at the end, of which only jit.* and those beside it are looked at
    Statistics measured;  // by how much they grew while it was measured
    std::chrono::duration<double> time{};  // which took so long
    std::uint64_t memory_accesses = 0;     // of the guest in that time

    // "JIT cache hit ...", and "tier 1: 3 blocks in 0.12 ms, ..." below it, to stand beside a
    // speed.
    [[nodiscard]] std::string lines() const;
    // {enabled, totals: {tier1, tier2, cache, deopt}, rolling} and accesses of the guest.
    [[nodiscard]] nlohmann::ordered_json json() const;

private:
    [[nodiscard]] measure::JitMetrics metrics() const;
};

// later - earlier, name by name.
[[nodiscard]] Statistics difference(const Statistics& later, const Statistics& earlier);

// Whether anything was compiled, measured or dropped between the two.
[[nodiscard]] bool is_settled(const Statistics& later, const Statistics& earlier);

}  // namespace backplane::bench
