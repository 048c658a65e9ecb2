// Runs two deterministic machines side by side and finds the first instruction behind which they
// differ: an engine against another, or one engine against itself with other settings.
//
// The machines are compared every so many instructions: all registers of all CPUs, the saved state
// of every other device, and less often all memory. After a difference both are made anew, run to
// the last point where they were equal, and compared in smaller steps, down to one instruction.
#pragma once

#include "runtime/machine.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace backplane::runtime {

struct LockstepOptions {
    std::uint64_t interval = 1'000'000;           // instructions between comparisons
    std::uint64_t memory_interval = 250'000'000;  // between comparisons of memory
    std::uint64_t limit = ~std::uint64_t{0};      // instructions until it is enough
    // Told after every comparison how many instructions of machine time were equal so far.
    std::function<void(std::uint64_t)> progress{};
};

struct Difference {
    std::string what;    // "cpu0.rax", "pit0.counters[1]", "ram0+0x1f000", "the ending"
    std::string before;  // what it was in both when they were last equal; empty for memory
    std::string first, second;
};

struct LockstepResult {
    // In instructions of machine time: what one CPU retires, or is halted for.
    std::uint64_t equal_until = 0;     // the last comparison without a difference
    std::uint64_t compared_until = 0;  // the comparison that found one; or the end
    std::uint64_t comparisons = 0;
    std::vector<Difference> differences;
    // What each CPU was about to execute where they were last equal: "cpu0 at 0xfff0: jmp 0x5b".
    std::vector<std::string> next_instructions;
    std::optional<Ending> ending;  // how both ended, when they did

    [[nodiscard]] bool equal() const { return differences.empty(); }
    [[nodiscard]] std::string text() const;
    [[nodiscard]] nlohmann::ordered_json json() const;
};

class Lockstep {
public:
    using Make = std::function<std::unique_ptr<Machine>()>;

    // Both make the same deterministic machine each time, but for what is to be compared.
    Lockstep(Make first, Make second, LockstepOptions options);

    // The error says why the two cannot be compared: other devices, other registers.
    std::expected<LockstepResult, std::string> run();

private:
    struct Pair {
        std::unique_ptr<Machine> first, second;
        std::optional<Ending> first_ending, second_ending;
    };

    [[nodiscard]] Pair make() const;
    void advance(Pair& pair, std::uint64_t position) const;
    bool narrow(LockstepResult& result, std::uint64_t step);

    Make make_first_, make_second_;
    LockstepOptions options_;
};

}  // namespace backplane::runtime
