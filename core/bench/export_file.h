// The file that benchmarks leave for scripts: when, where and with what build they ran, and their
// results. bench/schema/bench-output.schema.json describes it.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <expected>
#include <filesystem>
#include <string>

namespace backplane::bench {

struct BuildFacts {
    std::string version, git_sha, mode, compiler;
};

class ExportFile {
public:
    // The benchmarks begin now.
    explicit ExportFile(BuildFacts build);

    // {kind, version, build, env, capture, benchmarks: {name: results}}.
    [[nodiscard]] nlohmann::ordered_json json(const std::string& name,
                                              const nlohmann::ordered_json& results) const;

private:
    BuildFacts build_;
    std::chrono::system_clock::time_point start_ = std::chrono::system_clock::now();
};

// As a whole or not at all: through a file beside it that takes its place.
[[nodiscard]] std::expected<void, std::string> write_json(const std::filesystem::path& path,
                                                          const nlohmann::ordered_json& json);

}  // namespace backplane::bench
