#include "bench/export.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/utsname.h>

#include <cstdlib>
#include <fstream>
#include <thread>
#include <utility>

namespace backplane::bench {

namespace {

std::string processor_name() {
    std::ifstream file{"/proc/cpuinfo"};
    for (std::string line; std::getline(file, line);)
        if (line.starts_with("model name"))
            if (const auto colon = line.find(": "); colon != std::string::npos)
                return line.substr(colon + 2);
    return "unknown";
}

nlohmann::ordered_json environment() {
    utsname host{};
    uname(&host);
    double load = 0;
    const bool has_load = getloadavg(&load, 1) == 1;
    return {{"os", fmt::format("{} {}", host.sysname, host.release)},
            {"arch", host.machine},
            {"cpu", processor_name()},
            {"processors", std::thread::hardware_concurrency()},
            {"load_average", has_load ? nlohmann::ordered_json(load) : nullptr}};
}

std::int64_t milliseconds(std::chrono::system_clock::time_point time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

}  // namespace

Export::Export(BuildFacts build) : build_{std::move(build)} {}

nlohmann::ordered_json Export::json(const std::string& name,
                                    const nlohmann::ordered_json& results) const {
    const auto start = milliseconds(start_), end = milliseconds(std::chrono::system_clock::now());
    return {{"kind", "backplane-bench"},
            {"version", 1},
            {"build",
             {{"version", build_.version},
              {"git_sha", build_.git_sha},
              {"mode", build_.mode},
              {"compiler", build_.compiler}}},
            {"env", environment()},
            {"capture", {{"startUnixMs", start}, {"endUnixMs", end}, {"durationMs", end - start}}},
            {"benchmarks", {{name, results}}}};
}

}  // namespace backplane::bench
