#include "runtime/exclusive_section.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

namespace backplane::runtime {
namespace {

constexpr unsigned cpus = 4;

// CPUs that "execute" until they are asked to come out, and now and then want to be alone.
struct Cpus {
    MachineLock lock;
    std::array<std::atomic<bool>, cpus> attention{};
    ExclusiveSection section{lock, [this] {
                                 for (auto& each : attention)
                                     each = true;
                             }};
    std::atomic<unsigned> executing = 0;

    void run(unsigned cpu, auto instruction) {
        for (int slice = 0; slice < 200; ++slice) {
            section.enter();
            ++executing;
            attention[cpu] = false;
            for (int count = 0; count < 100 && !attention[cpu]; ++count)
                instruction(slice, count);
            --executing;
            section.leave();
        }
    }

    void run_all(auto instruction) {
        std::vector<std::thread> threads;
        for (unsigned cpu = 0; cpu < cpus; ++cpu)
            threads.emplace_back([&, cpu] {
                run(cpu, [&](int slice, int count) { instruction(cpu, slice, count); });
            });
        for (auto& thread : threads)
            thread.join();
    }
};

TEST(ExclusiveSection, LetsNobodyElseExecute) {
    Cpus machine;
    std::atomic<std::uint64_t> inside = 0;
    std::uint64_t entered = 0, total = 0;  // not atomic on purpose
    std::atomic<std::uint64_t> wanted = 0;
    machine.run_all([&](unsigned cpu, int slice, int count) {
        if (count != static_cast<int>(cpu) || slice % 5 != 0) return;
        ++wanted;
        --machine.executing;  // who waits here is at a safe point
        machine.section.begin();
        EXPECT_EQ(machine.executing, 0u);
        EXPECT_EQ(++inside, 1u);
        ++entered;
        total += cpu;
        --inside;
        machine.section.end();
        ++machine.executing;
    });
    EXPECT_EQ(entered, wanted);
    EXPECT_GT(entered, 10u);
}

TEST(ExclusiveSection, MayBeNested) {
    Cpus machine;
    std::uint64_t total = 0;
    std::atomic<std::uint64_t> wanted =
        0;  // a slice that is asked to end at once has no first instruction
    machine.run_all([&](unsigned, int slice, int count) {
        if (count != 0 || slice % 10 != 0) return;
        ++wanted;
        machine.section.begin();
        machine.section.begin();
        ++total;
        machine.section.end();
        ++total;
        machine.section.end();
    });
    EXPECT_EQ(total, 2 * wanted);
    EXPECT_GT(wanted, 10u);
}

TEST(ExclusiveSection, HoldsTheMachineLock) {
    Cpus machine;
    machine.section.enter();
    machine.section.begin();
    std::thread device{[&] { EXPECT_FALSE(machine.lock.try_lock()); }};
    device.join();
    machine.section.end();
    std::thread later{[&] {
        EXPECT_TRUE(machine.lock.try_lock());
        machine.lock.unlock();
    }};
    later.join();
    machine.section.leave();
}

// As an engine does whose unlocked counting overwrote the request.
TEST(ExclusiveSection, AsksAgainWhenARequestIsLost) {
    MachineLock lock;
    std::atomic<int> asked = 0;
    ExclusiveSection section{lock, [&] { ++asked; }};
    std::atomic<bool> is_inside = false;
    std::thread deaf{[&] {
        section.enter();
        is_inside = true;
        while (asked < 3)
            std::this_thread::yield();
        section.leave();
    }};
    while (!is_inside)
        std::this_thread::yield();
    section.enter();
    section.begin();
    EXPECT_GE(asked, 3);
    section.end();
    section.leave();
    deaf.join();
}

}  // namespace
}  // namespace backplane::runtime
