// What a processor counts while it executes: plain numbers, copied to shared totals at the end of a
// slice.
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
    // Of compiled code (compiler.h). How control comes to it, and to blocks that are not compiled
    // yet:
    CompiledEntries,    // into a block's code, from outside of any
    CountedExecutions,  // of blocks that have none, but would be given it
    RefusedBlocks,      // that are executed often, but are not compiled
    CompiledResumes,    // back into it, behind what the interpreter has executed for it
    // Why it leaves to the interpreter:
    LeftUntranslated,  // the next instruction was not translated
    LeftAccess,        // an access is no hit in the first-level TLB, or not within one page
    LeftTarget,        // the target of an indirect branch is not in the jump cache
    LeftValue,         // an operand has a value that the code is not made for
    LeftEdge,          // a direct branch, or the end of the block, is not linked
    LeftUncompiled,    // the target of an indirect branch is not compiled
    LeftRegisters,     // the vector or x87 registers may not be used as they are
    LeftBudget,        // the budget is spent, or attention is wanted
    VectorLoads,       // times that the vector registers went to the host's
    X87Loads,          // and the x87 unit; counted when it comes back
    // What the interpreter does for blocks that are compiled:
    CompiledTranslations,    // accesses whose page was looked up behind the first-level TLB
    CompiledDeviceAccesses,  // memory accesses that left the processor
    FirstVector,             // exceptions by vector, 32 of them
    Count = FirstVector + 32,
};

constexpr Counter exception_counter(unsigned vector) {
    return static_cast<Counter>(static_cast<unsigned>(Counter::FirstVector) + vector % 32);
}

constexpr std::size_t counter_count = static_cast<std::size_t>(Counter::Count);

using Counters = std::array<std::uint64_t, counter_count>;

// [any] Counters that can be read while their owner goes on counting. `Name` is an enumeration that
// ends with Count.
template <class Name>
class PublishedCounters {
public:
    static constexpr std::size_t size = static_cast<std::size_t>(Name::Count);

    void publish(const std::array<std::uint64_t, size>& counters) {
        for (std::size_t i = 0; i < size; ++i)
            totals_[i].store(counters[i], std::memory_order_relaxed);
    }

    std::uint64_t operator[](Name counter) const {
        return totals_[static_cast<std::size_t>(counter)].load(std::memory_order_relaxed);
    }

private:
    std::array<std::atomic<std::uint64_t>, size> totals_{};
};

using SharedCounters = PublishedCounters<Counter>;

}  // namespace backplane::interp
