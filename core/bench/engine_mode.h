// The ways to execute a guest that the CPU benchmark compares.
#pragma once

#include <span>
#include <string_view>

namespace backplane::bench {

struct EngineMode {
    std::string_view name;    // "jit_baseline"
    std::string_view plugin;  // that offers the engine
    bool compiles = false;
    std::string_view settings;  // properties of cpu0, in YAML's flow style
    // A statistic that grows once the mode is what it is called; "" where it is from the start.
    std::string_view awaited{};
};

// interpreter, jit_baseline, jit_opt.
[[nodiscard]] std::span<const EngineMode> engine_modes();

}  // namespace backplane::bench
