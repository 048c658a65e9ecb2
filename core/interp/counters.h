// What the interpreter counts: plain numbers while it runs, copied to shared totals at the end of
// each slice.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace backplane::interp {

enum class Counter : std::uint8_t {
    Instructions,  // retired; a REP instruction is one
    RepIterations,
    BlocksDecoded,
    BlocksInvalidated,
    BlockLookups,  // entries that neither a link nor the jump cache served
    TlbMisses,     // first level
    PageWalks,     // second level missed too
    CodeWrites,    // stores into pages with code
    DeviceReads,
    DeviceWrites,
    PortReads,
    PortWrites,
    Interrupts,
    Exceptions,
    ExitsBudget,  // returns to the run loop, by reason
    ExitsLeave,
    ExitsAgain,
    ExitsFault,
    SingleSteps,
    Slices,
    FirstVector,  // exceptions by vector, 32 of them
    Count = FirstVector + 32,
};

constexpr Counter exception_counter(unsigned vector) {
    return static_cast<Counter>(static_cast<unsigned>(Counter::FirstVector) + vector % 32);
}

constexpr std::size_t counter_count = static_cast<std::size_t>(Counter::Count);

using Counters = std::array<std::uint64_t, counter_count>;

// [any] Readable while the interpreter runs.
class SharedCounters {
public:
    void publish(const Counters& counters) {
        for (std::size_t i = 0; i < counter_count; ++i)
            totals_[i].store(counters[i], std::memory_order_relaxed);
    }

    std::uint64_t operator[](Counter counter) const {
        return totals_[static_cast<std::size_t>(counter)].load(std::memory_order_relaxed);
    }

private:
    std::array<std::atomic<std::uint64_t>, counter_count> totals_{};
};

}  // namespace backplane::interp
