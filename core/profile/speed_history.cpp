#include "profile/speed_history.h"

#include "measure/nearest_rank.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

namespace backplane::profile {

// Between two samples of a processor its instructions are spread evenly.
SpeedHistory::SpeedHistory(const Recording& recording) {
    std::vector<double> instructions;
    std::uint64_t start = 0, end = 0;
    for (const Sample& sample : recording.samples) {
        if (start == 0 || sample.host_time < start) start = sample.host_time;
        end = std::max(end, sample.host_time);
    }
    const std::uint64_t count = (end - start) / step;
    instructions.resize(count);
    std::map<unsigned, std::pair<std::uint64_t, std::uint64_t>> last;  // time, instructions
    for (const Sample& sample : recording.samples) {
        if (sample.is_idle()) continue;
        auto [known, is_new] = last.try_emplace(sample.cpu, sample.host_time, sample.instructions);
        auto& [time, retired] = known->second;
        if (is_new || sample.host_time <= time) continue;
        const double rate = static_cast<double>(sample.instructions - retired) /
                            static_cast<double>(sample.host_time - time);
        for (std::uint64_t at = time; at < sample.host_time;) {
            const std::uint64_t index = (at - start) / step;
            const std::uint64_t until = std::min(sample.host_time, start + (index + 1) * step);
            if (index < count) instructions[index] += rate * static_cast<double>(until - at);
            at = until;
        }
        time = sample.host_time;
        retired = sample.instructions;
    }
    constexpr double seconds = static_cast<double>(step) / 1e9;
    for (const double each : instructions)
        steps_.push_back(each / seconds / 1e6);
}

std::optional<double> SpeedHistory::average_of_last(std::size_t count) const {
    count = std::min(count, steps_.size());
    if (count == 0) return std::nullopt;
    return std::accumulate(steps_.end() - static_cast<std::ptrdiff_t>(count), steps_.end(), 0.0) /
           static_cast<double>(count);
}

std::optional<double> SpeedHistory::p95() const {
    if (steps_.empty()) return std::nullopt;
    return measure::percentile(steps_, 95);
}

}  // namespace backplane::profile
