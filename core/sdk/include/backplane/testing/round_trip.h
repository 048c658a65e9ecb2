// The test every device owes: saved and restored into a second instance, it goes on exactly as the
// first does.
#pragma once

#include <backplane/testing/device_bench.h>

#include <chrono>
#include <sstream>
#include <string>

namespace backplane::testing {

inline std::string state_difference(const DeviceBench::SavedState& first,
                                    const DeviceBench::SavedState& second) {
    for (const auto& [name, bytes] : first) {
        const auto found = second.find(name);
        if (found == second.end()) return name + " is missing";
        if (bytes == found->second) continue;
        if (bytes == found->second) continue;
        for (std::size_t index = 0; index < bytes.size(); ++index) {
            if (bytes[index] == found->second[index]) continue;
            std::ostringstream text;
            text << name << " differs at byte " << index << ": " << int{bytes[index]} << " and "
                 << int{found->second[index]};
            return text.str();
        }
    }
    return {};
}

// Restores the state of `first` into `second`, an instance of the same type just powered on, and
// lets both run on for `future`. The first difference in state or lines as text; empty when there
// is none.
inline std::string round_trip(DeviceBench& first, DeviceBench& second,
                              Duration future = std::chrono::milliseconds{50}) {
    const auto saved = first.save();
    second.clock().set(first.now());
    for (auto& [where, line] : second.outputs()) {
        // The host saves the levels of lines itself, so restoring makes no edges.
        line.level = first.outputs().at(where).level;
        line.edges.clear();
    }
    second.input_levels() = first.input_levels();
    second.restore(saved);
    for (const auto& [where, line] : second.outputs())
        if (!line.edges.empty())
            return std::string{"restoring moved line "} + first.type().ports[where.first].name;
    if (auto difference = state_difference(saved, second.save()); !difference.empty())
        return "restored: " + difference;

    std::map<DeviceBench::PortElement, std::size_t> edges_before;
    for (const auto& [where, line] : first.outputs())
        edges_before[where] = line.edges.size();
    for (int step = 0; step < 10; ++step) {
        first.advance(future / 10);
        second.advance(future / 10);
        if (auto difference = state_difference(first.save(), second.save()); !difference.empty())
            return "later: " + difference;
    }
    for (const auto& [where, line] : first.outputs()) {
        const std::vector<DeviceBench::Edge> expected(
            line.edges.begin() + static_cast<std::ptrdiff_t>(edges_before[where]),
            line.edges.end());
        if (expected != second.outputs().at(where).edges)
            return std::string{"later: edges of line "} + first.type().ports[where.first].name +
                   " differ";
    }
    return {};
}

// The same, for a device that needs no connections but lines.
inline std::string round_trip(DeviceBench& first, Duration future = std::chrono::milliseconds{50}) {
    DeviceBench second{&first.type(), first.settings()};
    if (!second.power_on()) return "a second instance refused to start: " + second.failure();
    return round_trip(first, second, future);
}

}  // namespace backplane::testing
