// Guests that change page tables, address spaces and code under their own feet, on one processor
// and on two, in lockstep: the interpreter, and compiled code from the first, second and tenth
// execution on. BACKPLANE_STRESS_SECONDS makes a long run of it, BACKPLANE_STRESS_SEED starts
// elsewhere.
#include "changing_guest.h"
#include "compiled_code.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace backplane::jit::testing {
namespace {

using interp::RunResult, interp::testing::TestEngine, interp::testing::TestInterpreter;

struct SecondProcessor final : TestInterpreter {
    using TestInterpreter::TestInterpreter;
};

// One or two processors of one engine, with a memory of their own.
class StressedMachine {
public:
    StressedMachine(const ChangingGuest& guest, std::uint32_t threshold, std::size_t cache)
        : first{arena, engine(threshold, cache)} {
        guest.place(first);
        processors.push_back(&first.cpu);
        if (guest.processors() == 2) {
            second.emplace(first.bus, arena, interp::testing::test_model(),
                           interp::block_max_instructions, engine(threshold, cache));
            second->state = first.cpu.state;
            processors.push_back(&*second);
            first.bus.on_watch = [this](std::uint64_t page, bool watch) {
                for (TestInterpreter* cpu : processors)
                    cpu->post_code_watched(page, watch);
            };
            first.bus.on_claim = [this](std::uint64_t page) {
                for (TestInterpreter* cpu : processors)
                    cpu->post_code_written(page, 0x1000);
            };
        }
        for (unsigned i = 0; i < guest.processors(); ++i)
            guest.start(*processors[i], i);
    }

    TestProcessor first;
    std::optional<SecondProcessor> second;
    std::vector<TestInterpreter*> processors;

private:
    static constexpr std::size_t arena = std::size_t{16} << 20;

    static TestEngine engine(std::uint32_t threshold, std::size_t cache) {
        if (threshold == 0) return {};
        auto memory = CodeArena::make(cache);
        return {std::make_unique<Tier1Compiler>(interp::testing::test_model(), std::move(*memory)),
                threshold};
    }
};

class Lockstep {
public:
    Lockstep(std::uint64_t seed, unsigned processors)
        : random_{seed}, guest_{random_(), processors} {
        const std::size_t cache = random_() % 4 == 0 ? std::size_t{64} << 10 : std::size_t{4} << 20;
        for (const std::uint32_t threshold : thresholds)
            machines_.push_back(std::make_unique<StressedMachine>(guest_, threshold, cache));
    }

    // Empty: none.
    std::string difference() {
        std::vector<bool> ended(guest_.processors());
        for (std::uint64_t i = 0; instructions_ < limit; ++i) {
            const std::size_t number = i % guest_.processors();
            if (std::ranges::find(ended, false) == ended.end()) {
                completed_ = true;
                break;
            }
            if (ended[number]) continue;
            const auto budget = static_cast<std::int64_t>(1 + random_() %
                                                                  (random_() % 3 == 0 ? 20 : 4000));
            std::array<RunResult, std::size(thresholds)> results{};
            const std::uint64_t before = machines_[0]->processors[number]->instructions();
            for (std::size_t m = 0; m < machines_.size(); ++m)
                results[m] = machines_[m]->processors[number]->run(budget);
            for (std::size_t m = 1; m < machines_.size(); ++m) {
                std::string found = compare(m, number);
                if (results[m] != results[0]) found += " result";
                if (!found.empty())
                    return "processor " + std::to_string(number) + ", threshold " +
                           std::to_string(thresholds[m]) + ", from instruction " +
                           std::to_string(before) + " on, so many: " + std::to_string(budget) +
                           ", differ in:" + found;
            }
            ended[number] = results[0] != RunResult::Budget;
            instructions_ += machines_[0]->processors[number]->instructions() - before;
        }
        for (std::size_t m = 1; m < machines_.size(); ++m)
            if (const auto place = memory_difference(m))
                return "threshold " + std::to_string(thresholds[m]) + ", memory at " +
                       std::to_string(*place);
        return {};
    }

    std::uint64_t instructions() const { return instructions_; }
    bool completed() const { return completed_; }
    std::uint64_t count(interp::Counter which) {
        std::uint64_t sum = 0;
        for (const TestInterpreter* cpu : machines_[1]->processors)
            sum += cpu->counters()[which];
        return sum;
    }

private:
    // The interpreter is the first one.
    static constexpr std::uint32_t thresholds[]{0, 1, 2, 10};
    static constexpr std::uint64_t limit = 1'000'000;

    std::string compare(std::size_t m, std::size_t number) const {
        const TestInterpreter& expected = *machines_[0]->processors[number];
        const TestInterpreter& found = *machines_[m]->processors[number];
        std::string text;
        const auto note = [&](const std::string& what, std::uint64_t a, std::uint64_t b) {
            if (a == b) return;
            std::array<char, 80> numbers;
            std::snprintf(numbers.data(), numbers.size(), " %s (%lx, not %lx)", what.c_str(), b, a);
            text += numbers.data();
        };
        for (unsigned i = 0; i < 16; ++i)
            note("register " + std::to_string(i), expected.state.gpr[i], found.state.gpr[i]);
        note("rip", expected.state.rip, found.state.rip);
        note("rflags", expected.state.full_rflags(), found.state.full_rflags());
        note("cr2", expected.state.cr2, found.state.cr2);
        note("cr3", expected.state.cr3, found.state.cr3);
        note("instructions", expected.instructions(), found.instructions());
        if (std::memcmp(&expected.state.vectors, &found.state.vectors,
                        sizeof expected.state.vectors) != 0)
            text += " vectors";
        return text;
    }

    std::optional<std::uint64_t> memory_difference(std::size_t m) const {
        const auto& expected = machines_[0]->first.bus.ram;
        const auto& found = machines_[m]->first.bus.ram;
        const auto [place, _] = std::ranges::mismatch(found, expected);
        if (place == found.end()) return std::nullopt;
        return static_cast<std::uint64_t>(place - found.begin());
    }

    std::mt19937_64 random_;
    ChangingGuest guest_;
    std::vector<std::unique_ptr<StressedMachine>> machines_;
    std::uint64_t instructions_ = 0;
    bool completed_ = false;
};

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 0) : otherwise;
}

class ChangingGuests : public ::testing::TestWithParam<unsigned> {};

TEST_P(ChangingGuests, AreTheSameInterpretedAndCompiled) {
    using Clock = std::chrono::steady_clock;
    const std::chrono::seconds duration{setting("BACKPLANE_STRESS_SECONDS", 0)};
    const std::uint64_t first = setting("BACKPLANE_STRESS_SEED", 1), guests = 40;
    const auto start = Clock::now();
    std::uint64_t instructions = 0, exceptions = 0, invalidated = 0, complete = 0, seed = first;
    for (; duration.count() ? Clock::now() - start < duration : seed < first + guests; ++seed) {
        Lockstep lockstep{seed, GetParam()};
        const std::string difference = lockstep.difference();
        ASSERT_EQ(difference, "") << "seed " << seed;
        instructions += lockstep.instructions();
        complete += lockstep.completed();
        exceptions += lockstep.count(Counter::Exceptions);
        invalidated += lockstep.count(Counter::BlocksInvalidated);
    }
    std::printf("seeds %lu to %lu: %lu instructions, %lu exceptions, %lu blocks invalidated, "
                "%lu guests complete\n",
                first, seed - 1, instructions, exceptions, invalidated, complete);
    EXPECT_GT(instructions, (seed - first) * 10'000);
    EXPECT_GT(exceptions, (seed - first) * 10);
    EXPECT_GT(invalidated, (seed - first) * 10);
}

INSTANTIATE_TEST_SUITE_P(Processors, ChangingGuests, ::testing::Values(1u, 2u),
                         [](const auto& info) { return std::to_string(info.param); });

}  // namespace
}  // namespace backplane::jit::testing
