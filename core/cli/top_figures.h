// What `backplane top` shows, from what a machine told about itself again and again.
#pragma once

#include "cli/top_hot_blocks.h"
#include "measure/jit_metrics.h"
#include "measure/rolling_rate.h"
#include "measure/rolling_window.h"

#include <nlohmann/json.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace backplane::cli {

// One refresh. What is not known is nothing.
struct TopFrame {
    struct Device {
        std::string window, space;
        double reads_per_s = 0, writes_per_s = 0;
    };

    std::string machine, state;
    std::uint64_t cpus = 0;
    double elapsed_ms = 0;  // since the first refresh
    std::uint64_t instructions_executed = 0, rep_iterations = 0;
    double mips_window_ms = 0;
    std::optional<double> mips_avg, mips_p95;
    std::string why_no_samples;
    double sample_window_ms = 0;
    std::uint64_t samples = 0, idle = 0, lost = 0;     // idle ones are not among samples
    std::map<std::string, std::uint64_t> by_activity;  // all activities
    std::map<std::uint64_t, std::uint64_t> by_tier;    // of those that executed
    std::vector<HotBlock> hot_blocks;                  // the hottest first
    std::vector<Device> devices;                       // the busiest first
    std::optional<measure::JitMetrics> jit;
};

class TopFigures {
public:
    TopFigures(std::string machine, std::size_t hot_blocks)
        : machine_{std::move(machine)}, most_hot_blocks_{hot_blocks} {}

    // MIPS and accesses are of the last second, samples of this time, which tells more of them.
    static constexpr std::chrono::seconds sample_window{5};
    // MIPS of so many refreshes make the percentile.
    static constexpr std::size_t percentile_refreshes = 100;

    // The next reply to the command `activity` becomes a frame. Throws nlohmann::json::exception
    // where it is none.
    TopFrame add(const nlohmann::ordered_json& reply);
    // What to ask for with the next command.
    [[nodiscard]] std::uint64_t since() const { return since_; }

private:
    using Clock = std::chrono::steady_clock;
    struct Window {
        std::string name, space;
        measure::RollingRate reads, writes;
        Clock::time_point told;
    };
    struct Samples {
        Clock::time_point when;
        std::uint64_t idle = 0, lost = 0;
        std::map<std::string, std::uint64_t> by_activity;
        std::map<std::uint64_t, std::uint64_t> by_tier;
        HotBlocks blocks;
    };

    void add_speed(const measure::Statistics& statistics, Clock::time_point now, TopFrame& frame);
    void add_devices(const nlohmann::ordered_json& windows, Clock::time_point now, TopFrame& frame);
    void add_samples(const nlohmann::ordered_json& samples, Clock::time_point now, TopFrame& frame);
    void sum_samples(TopFrame& frame);

    std::string machine_;
    std::size_t most_hot_blocks_;
    std::optional<Clock::time_point> start_;
    measure::RollingRate instructions_;
    std::optional<std::pair<Clock::time_point, std::uint64_t>> last_instructions_;
    measure::RollingWindow speeds_{percentile_refreshes};
    measure::JitMetricsWindow jit_;
    std::map<std::pair<std::string, std::string>, Window> windows_;
    std::deque<Samples> samples_;
    BlockEnds ends_;
    std::uint64_t since_ = 0;
    std::optional<std::uint64_t> idle_;
};

// What a program's or a thread's time may go to, in the order in which people should read it.
inline constexpr std::array<std::string_view, 6> activities{"compiled_code", "memory",   "device",
                                                            "interpreter",   "compiler", "waiting"};

// docs/top.schema.json.
[[nodiscard]] nlohmann::ordered_json to_json(const TopFrame& frame);
// For a terminal, a line each, as many as there is something to say.
[[nodiscard]] std::vector<std::string> screen_lines(const TopFrame& frame);
// Where there is no terminal: all in one line.
[[nodiscard]] std::string plain_line(const TopFrame& frame);

}  // namespace backplane::cli
