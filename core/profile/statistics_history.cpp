#include "profile/statistics_history.h"

#include "profile/recording_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>

namespace backplane::profile {

std::expected<void, std::string> append_statistics(const std::filesystem::path& recording,
                                                   const StatisticsHistory& statistics) {
    constexpr std::size_t samples_in_a_record = 4096;
    RecordingWriter writer;
    StatisticsHistory part{.names = statistics.names, .samples = {}};
    for (const StatisticsHistory::Sample& sample : statistics.samples) {
        part.samples.push_back(sample);
        if (part.samples.size() < samples_in_a_record) continue;
        writer.add(part);
        part.samples.clear();
    }
    writer.add(part);
    errno = 0;
    // Not created where there is none.
    std::ofstream file{recording, std::ios::binary | std::ios::in | std::ios::ate};
    const std::string bytes = writer.take();
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    file.close();
    if (!file)
        return std::unexpected{fmt::format("cannot add statistics to {}: {}", recording.string(),
                                           std::strerror(errno == 0 ? EIO : errno))};
    return {};
}

std::optional<measure::JitMetrics> jit_metrics(const StatisticsHistory& statistics) {
    using Clock = measure::JitMetricsWindow::Clock;
    measure::JitMetricsWindow window;
    for (const StatisticsHistory::Sample& sample : statistics.samples) {
        // Only the end matters.
        if (statistics.samples.back().host_time - sample.host_time > 5'000'000'000) continue;
        measure::Statistics values;
        for (std::size_t i = 0; i < statistics.names.size(); ++i)
            values[statistics.names[i]] = sample.values[i];
        window.add(values, Clock::time_point{std::chrono::nanoseconds{sample.host_time}});
    }
    return window.metrics();
}

std::optional<std::uint64_t> growth(const StatisticsHistory& statistics, const std::string& name) {
    const auto found = std::ranges::find(statistics.names, name);
    if (found == statistics.names.end() || statistics.samples.empty()) return std::nullopt;
    const auto index = static_cast<std::size_t>(found - statistics.names.begin());
    const std::uint64_t first = statistics.samples.front().values[index],
                        last = statistics.samples.back().values[index];
    return last > first ? last - first : 0;
}

}  // namespace backplane::profile
