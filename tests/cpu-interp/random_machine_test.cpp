// Machines of arbitrary bytes. BACKPLANE_FUZZ_SECONDS makes a long run of it, BACKPLANE_FUZZ_SEED
// starts elsewhere; a machine that ends the program is named by its seed first.
#include "random_machine.h"
#include "support/sanitizers.h"
#include "test_engine.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace backplane::interp::testing {
namespace {

constexpr unsigned patience_seconds = 120;  // of one machine, on a busy host

volatile std::uint64_t current_seed;

void say_seed(int number) {
    char text[64];
    const int length = std::snprintf(text, sizeof text, "random machine: seed %lu\n",
                                     static_cast<unsigned long>(current_seed));
    (void)!write(2, text, static_cast<std::size_t>(length));
    std::signal(number, SIG_DFL);
    std::raise(number);
}

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 0) : otherwise;
}

TEST(RandomMachines, NeverEndTheProgram) {
    using Clock = std::chrono::steady_clock;
    for (const int number : {SIGSEGV, SIGABRT, SIGFPE, SIGILL, SIGBUS, SIGALRM})
        std::signal(number, say_seed);
    const std::chrono::seconds duration{setting("BACKPLANE_FUZZ_SECONDS", 0)};
    const std::uint64_t first = setting("BACKPLANE_FUZZ_SEED", 1);
    std::uint64_t machines = test::is_sanitized ? 250 : 1500;
    if (is_engine_slow()) machines = 60;
    const auto start = Clock::now();
    RandomMachineReport total;
    std::uint64_t seed = first, shut_down = 0;
    for (; duration.count() ? Clock::now() - start < duration : seed < first + machines; ++seed) {
        current_seed = seed;
        alarm(patience_seconds);
        const RandomMachineReport report = run_random_machine(random_machine_input(seed));
        total.instructions += report.instructions;
        total.exceptions += report.exceptions;
        shut_down += report.shut_down;
    }
    alarm(0);
    for (const int number : {SIGSEGV, SIGABRT, SIGFPE, SIGILL, SIGBUS, SIGALRM})
        std::signal(number, SIG_DFL);
    std::printf("%lu machines, %lu instructions, %lu exceptions, %lu shut down\n", seed - first,
                total.instructions, total.exceptions, shut_down);
    EXPECT_GT(total.instructions, (seed - first) * 5) << "most machines get somewhere";
    EXPECT_GT(total.exceptions, seed - first);
}

TEST(RandomMachines, EndWhereverTheirInputDoes) {
    const std::vector<std::uint8_t> input = random_machine_input(1);
    const std::size_t step = is_engine_slow() ? 7 : 1;
    for (std::size_t length = 0; length < 200; length += step) {
        alarm(patience_seconds);
        run_random_machine(std::span{input}.first(length));
    }
    alarm(0);
}

}  // namespace
}  // namespace backplane::interp::testing
