// Machines of arbitrary bytes end in the same state interpreted and compiled.
// BACKPLANE_FUZZ_SECONDS makes a long run of it, BACKPLANE_FUZZ_SEED starts elsewhere.
#include "random_machine.h"
#include "random_machine_difference.h"
#include "support/sanitizers.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace backplane::jit::testing {
namespace {

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 0) : otherwise;
}

TEST(RandomMachineDifference, DoesNotExist) {
    using Clock = std::chrono::steady_clock;
    const std::chrono::seconds duration{setting("BACKPLANE_FUZZ_SECONDS", 0)};
    const std::uint64_t first = setting("BACKPLANE_FUZZ_SEED", 1),
                        machines = test::is_sanitized ? 60 : 400;
    const auto start = Clock::now();
    std::uint64_t seed = first;
    for (; duration.count() ? Clock::now() - start < duration : seed < first + machines; ++seed) {
        const auto input = interp::testing::random_machine_input(seed);
        EXPECT_EQ(random_machine_difference(input, 1), "") << "seed " << seed;
        if (seed % 4 == 0) EXPECT_EQ(random_machine_difference(input, 3), "") << "seed " << seed;
    }
    std::printf("%lu machines\n", seed - first);
}

}  // namespace
}  // namespace backplane::jit::testing
