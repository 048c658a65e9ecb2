// The counters that `backplane run --stats` writes, as tests compare them between two runs.
#pragma once

#include <nlohmann/json.hpp>

#include <iterator>
#include <string>

namespace backplane::test {

// Which code tier 2 makes depends on how fast what is there was, and on when its own is ready.
inline bool is_the_hosts(const std::string& statistic) {
    return statistic.ends_with("time_total") || statistic.starts_with("jit.");
}

// How fast the host was: no part of what a deterministic machine does.
inline void erase_what_the_host_decides(nlohmann::json& counters) {
    for (const char* section : {"host", "mips", "jit"})
        counters.erase(section);
    for (auto& component : counters["components"]) {
        if (!component.contains("statistics")) continue;
        auto& statistics = component["statistics"];
        for (auto each = statistics.begin(); each != statistics.end();)
            each = is_the_hosts(each.key()) ? statistics.erase(each) : std::next(each);
    }
}

}  // namespace backplane::test
