// What benchmarks leave for scripts: when, where and with what build they ran, and their results.
// bench/schema/bench-output.schema.json describes it.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <string>

namespace backplane::bench {

struct BuildFacts {
    std::string version, git_sha, mode, compiler;
};

class Export {
public:
    // The benchmarks begin now.
    explicit Export(BuildFacts build);

    // {kind, version, build, env, capture, benchmarks: {name: results}}.
    [[nodiscard]] nlohmann::ordered_json json(const std::string& name,
                                              const nlohmann::ordered_json& results) const;

private:
    BuildFacts build_;
    std::chrono::system_clock::time_point start_ = std::chrono::system_clock::now();
};

}  // namespace backplane::bench
