#include "bench/export_file.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <system_error>
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

ExportFile::ExportFile(BuildFacts build) : build_{std::move(build)} {}

nlohmann::ordered_json ExportFile::json(const std::string& name,
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

std::expected<void, std::string> write_json(const std::filesystem::path& path,
                                            const nlohmann::ordered_json& json) {
    const auto refuse = [&](const char* why) {
        return std::unexpected{fmt::format("{}: {}", path.string(), why)};
    };
    std::filesystem::path temporary = path;
    temporary += fmt::format(".{}.tmp", getpid());
    errno = 0;
    std::ofstream file{temporary};
    if (!file) return refuse(std::strerror(errno != 0 ? errno : EIO));
    file << json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
    file.close();
    std::error_code failure;
    if (!file) {
        const int why = errno != 0 ? errno : EIO;
        std::filesystem::remove(temporary, failure);
        return refuse(std::strerror(why));
    }
    std::filesystem::rename(temporary, path, failure);
    if (!failure) return {};
    const std::string why = failure.message();
    std::filesystem::remove(temporary, failure);
    return refuse(why.c_str());
}

}  // namespace backplane::bench
