// The counters that `backplane run --stats` writes, as tests compare them between two runs.
#pragma once

#include <nlohmann/json.hpp>

#include <iterator>

namespace backplane::test {

// How fast the host was: no part of what a deterministic machine does.
inline void erase_what_the_host_decides(nlohmann::json& counters) {
    counters.erase("host");
    counters.erase("mips");
    for (auto& component : counters["components"]) {
        if (!component.contains("statistics")) continue;
        auto& statistics = component["statistics"];
        for (auto each = statistics.begin(); each != statistics.end();)
            each = each.key().ends_with("time_total") ? statistics.erase(each) : std::next(each);
    }
}

}  // namespace backplane::test
