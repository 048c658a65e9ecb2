// What a program that shows traces finds in one.
#pragma once

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace backplane::profiler::testing {

// Also of a compressed file, as far as it goes.
inline std::string read_text(const std::filesystem::path& path) {
    std::string text;
    const gzFile file = gzopen(path.c_str(), "rb");
    if (file == nullptr) return text;
    std::vector<char> buffer(1 << 20);
    for (;;) {
        const int count = gzread(file, buffer.data(), static_cast<unsigned>(buffer.size()));
        if (count <= 0) break;
        text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    gzclose(file);
    return text;
}

inline nlohmann::json read_trace(const std::filesystem::path& path) {
    auto trace = nlohmann::json::parse(read_text(path), nullptr, false);
    EXPECT_TRUE(trace.is_array());
    return trace;
}

inline std::vector<nlohmann::json> of_phase(const nlohmann::json& trace, std::string_view phase) {
    std::vector<nlohmann::json> found;
    std::ranges::copy_if(trace, std::back_inserter(found),
                         [&](const nlohmann::json& event) { return event["ph"] == phase; });
    return found;
}

inline std::string name_of(const nlohmann::json& trace, const nlohmann::json& event,
                           std::string_view kind) {
    for (const auto& each : trace)
        if (each["ph"] == "M" && each["name"] == kind && each["pid"] == event["pid"] &&
            (kind == "process_name" || each["tid"] == event["tid"]))
            return each["args"]["name"];
    return "";
}
inline std::string thread_name(const nlohmann::json& trace, const nlohmann::json& event) {
    return name_of(trace, event, "thread_name");
}
inline std::string process_name(const nlohmann::json& trace, const nlohmann::json& event) {
    return name_of(trace, event, "process_name");
}

// The last element: what was recorded and dropped.
inline const nlohmann::json& summary_of(const nlohmann::json& trace) {
    EXPECT_EQ(trace.back()["name"], "backplane_trace");
    return trace.back()["args"];
}

// In nanoseconds, as they are written with three decimals.
inline long long nanoseconds(const nlohmann::json& microseconds) {
    return std::llround(microseconds.get<double>() * 1000);
}

// The innermost slice around an event.
inline nlohmann::json slice_at(const nlohmann::json& trace, const nlohmann::json& event) {
    nlohmann::json found;
    for (const auto& each : trace) {
        if (each["ph"] != "X" || each["pid"] != event["pid"] || each["tid"] != event["tid"])
            continue;
        const long long at = nanoseconds(event["ts"]), start = nanoseconds(each["ts"]);
        if (at < start || at > start + nanoseconds(each["dur"])) continue;
        if (found.is_null() || start >= nanoseconds(found["ts"])) found = each;
    }
    return found;
}

// Two slices of one thread that overlap, neither within the other; empty if there are none.
inline std::string not_nested(const nlohmann::json& trace) {
    struct Slice {
        long long start, end;
        const nlohmann::json* event;
    };
    std::map<std::pair<int, int>, std::vector<Slice>> threads;
    for (const auto& each : trace)
        if (each["ph"] == "X") {
            const long long start = nanoseconds(each["ts"]);
            threads[{each["pid"], each["tid"]}].push_back(
                {start, start + nanoseconds(each["dur"]), &each});
        }
    for (auto& [thread, slices] : threads) {
        std::ranges::sort(slices, [](const Slice& a, const Slice& b) {
            return std::pair{a.start, b.end} < std::pair{b.start, a.end};
        });
        std::vector<Slice> open;
        for (const Slice& slice : slices) {
            while (!open.empty() && open.back().end <= slice.start)
                open.pop_back();
            if (!open.empty() && slice.end > open.back().end)
                return open.back().event->dump() + " and " + slice.event->dump();
            open.push_back(slice);
        }
    }
    return "";
}

}  // namespace backplane::profiler::testing
