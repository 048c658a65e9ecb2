// What compiling was like during a run: the key jit.* statistics of the processor, in the shapes of
// reports. Engines that do not compile have zeros.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

namespace backplane::bench {

using Statistics = std::map<std::string, std::uint64_t>;

struct JitFigures {
    bool enabled = false;
    Statistics totals;    // at the end, of which only jit.* and those beside it are looked at
    Statistics measured;  // by how much they grew while it was measured
    std::chrono::duration<double> time{};  // which took so long
    std::uint64_t memory_accesses = 0;     // of the guest in that time

    // "tier 1: 3 blocks in 0.12 ms, ...", to stand beside a speed.
    [[nodiscard]] std::string line() const;
    // {enabled, totals: {tier1, tier2, cache, deopt}, rolling}.
    [[nodiscard]] nlohmann::ordered_json json() const;
};

// later - earlier, name by name.
[[nodiscard]] Statistics difference(const Statistics& later, const Statistics& earlier);

// Whether anything was compiled, measured or dropped between the two.
[[nodiscard]] bool is_settled(const Statistics& later, const Statistics& earlier);

}  // namespace backplane::bench
