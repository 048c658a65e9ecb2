// Where accesses of compiled code go, as far as that decides how they are compiled: an access that
// is mostly in the page where the one before was looks there first (x86::RecentPages), and one that
// is not only loses time by that.
//
// Those to the stack are taken to be of the first kind. Of the others it is found out where it
// matters: the block is compiled again when it has been met often while executing, with all
// accesses of the first kind and counting its executions; and then again without those that miss
// often. When it has been met as often once more it is compiled without the counter.
#pragma once

#include "interp/core.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace backplane::jit {

class Locality {
public:
    struct Known {
        bool is_hot = false;
        bool is_counted = false;       // for the time being, if it is hot
        std::uint16_t counter = 0;     // in Core::hot_executions, if it is counted
        std::uint64_t scattered = 0;   // instructions with accesses of the second kind, a bit each
        bool has_split_stack = false;  // what it has of the stack is often in two pages
    };

    Known of(const interp::Block& block) const {
        const auto found = known_.find(block.physical);
        return found != known_.end() ? found->second : Known{};
    }

    // The block was met when the budget ended. True twice: when it has become hot, and when it has
    // been that for long enough.
    bool met(const interp::Block& block) {
        Sample& sample = samples_[block.physical * 0x9e37'79b9'7f4a'7c15 >> 54];
        if (sample.physical != block.physical) sample = {block.physical, 0};
        if (++sample.times != hot) return false;
        sample.times = 0;
        Known& known = note(block);
        if (known.is_hot) return std::exchange(known.is_counted, false);
        known.is_hot = known.is_counted = true;
        known.counter = next_counter_++ % counters;
        return true;
    }

    // Where misses of an access are counted, by the code that misses (Core::recalls).
    static constexpr std::size_t indices = 4096;
    static constexpr unsigned index_shift = 3;
    static constexpr std::size_t index_of(const void* code) {
        return reinterpret_cast<std::uintptr_t>(code) >> index_shift & (indices - 1);
    }
    static constexpr std::uint8_t looks_every = 64;

    // The access has missed so many times since the last look. True: it is one of the second kind.
    // Of a block that is counted its executions so far are known, else instructions.
    bool is_scattered_by_executions(const void* code, std::uint32_t executions) {
        return since_last_look(code, executions) < looks_every * often;
    }
    bool is_scattered_by_instructions(const void* code, std::uint64_t instructions) {
        return since_last_look(code, static_cast<std::uint32_t>(instructions)) <
               looks_every * often * few_instructions;
    }
    void note_scattered(const interp::Block& block, unsigned instruction) {
        note(block).scattered |= std::uint64_t{1} << instruction;
    }

    void note_split_stack(const interp::Block& block) { note(block).has_split_stack = true; }

    static constexpr std::size_t counters =
        sizeof(interp::Core::hot_executions) / sizeof(interp::Core::Executions) *
        std::tuple_size_v<decltype(interp::Core::Executions::counters)>;

private:
    // A miss takes about as long as so many hits save.
    static constexpr std::uint32_t often = 12, few_instructions = 8;
    static constexpr std::uint32_t hot = 48;  // samples
    static constexpr std::size_t most = 100'000;

    static_assert(interp::block_max_instructions <= 64);

    struct Sample {
        std::uint64_t physical = 0;
        std::uint32_t times = 0;
    };
    struct Look {
        const void* code = nullptr;
        std::uint32_t time = 0;
    };

    // Very long, if there was none.
    std::uint32_t since_last_look(const void* code, std::uint32_t time) {
        Look& last = looks_[index_of(code)];
        const std::uint32_t since = last.code == code ? time - last.time : ~std::uint32_t{0};
        last = {code, time};
        return since;
    }

    Known& note(const interp::Block& block) {
        if (known_.size() >= most) known_.clear();
        return known_[block.physical];
    }

    std::unordered_map<std::uint64_t, Known> known_;  // by physical address
    std::array<Sample, 1024> samples_{};
    std::array<Look, indices> looks_{};
    std::size_t next_counter_ = 0;
};

}  // namespace backplane::jit
