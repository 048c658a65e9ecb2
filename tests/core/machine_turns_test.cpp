// Several processors of a deterministic machine.
#include "core/scripted_machine.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace backplane::runtime {
namespace {

Ending run(unsigned cpus, std::function<backplane_cpu_exit(ScriptedCpu&, std::int64_t)> program) {
    ScriptedCpu::program = std::move(program);
    MachineDescription description = describe(ClockMode::Deterministic);
    for (unsigned cpu = 1; cpu < cpus; ++cpu)
        add_cpu(description, "cpu" + std::to_string(cpu));
    Diagnostics diagnostics;
    const auto machine = Machine::build(description, diagnostics);
    EXPECT_TRUE(machine) << diagnostics.text();
    if (!machine) return {};
    constexpr std::chrono::seconds patience{120};  // with a busy host
    return machine->run({.time_limit = patience});
}

// A millisecond is a million instructions of each, however many there are.
TEST(Turns, GiveEveryProcessorTheSameTime) {
    for (const unsigned cpus : {1u, 2u, 4u}) {
        std::map<std::string, std::uint64_t> retired;
        std::int64_t time = 0;
        const Ending ending = run(cpus, [&](ScriptedCpu& cpu, std::int64_t budget) {
            const auto exit = cpu.spend(budget);
            retired[std::string{cpu.name()}] = cpu.instructions_;
            if (cpu.name() == "cpu0" && cpu.instructions_ >= 1'000'000) {
                time = cpu.now().count();
                out(cpu, 1, 3);
            }
            return exit;
        });
        EXPECT_EQ(ending.exit_code, 3);
        EXPECT_EQ(time, 1'000'000) << cpus;
        ASSERT_EQ(retired.size(), cpus);
        for (const auto& [name, count] : retired)
            EXPECT_NEAR(static_cast<double>(count), 1e6, 10'000) << name << " of " << cpus;
    }
}

TEST(Turns, NeverLetTimeGoBack) {
    std::int64_t last = 0;
    std::uint64_t looks = 0;
    const Ending ending = run(3, [&](ScriptedCpu& cpu, std::int64_t budget) {
        for (; budget > 0; --budget) {
            ++cpu.instructions_;
            if (cpu.instructions_ % 777 != 0) continue;
            ++looks;
            EXPECT_GE(cpu.now().count(), last);
            last = cpu.now().count();
        }
        if (cpu.instructions_ > 300'000) out(cpu, 1, 3);
        return BACKPLANE_CPU_BUDGET;
    });
    EXPECT_EQ(ending.exit_code, 3);
    EXPECT_GT(looks, 1000u);
}

// Two sleep, one of them until the alarm; the third decides how far time goes.
TEST(Turns, LetSleepersKeepUp) {
    std::uint64_t woken_at = 0;
    const Ending ending = run(3, [&](ScriptedCpu& cpu, std::int64_t budget) {
        if (cpu.name() == "cpu2") return cpu.spend(budget);
        if (cpu.name() == "cpu1") return BACKPLANE_CPU_HALTED;
        if (cpu.interrupt) {
            woken_at = static_cast<std::uint64_t>(cpu.now().count());
            out(cpu, 1, 3);
            return BACKPLANE_CPU_BUDGET;
        }
        if (cpu.instructions_++ == 0) out(cpu, 0, 123);
        return BACKPLANE_CPU_HALTED;
    });
    EXPECT_EQ(ending.exit_code, 3);
    EXPECT_NEAR(static_cast<double>(woken_at), 123'000, 2);
}

// Everybody sleeps: time jumps to the alarm.
TEST(Turns, JumpToTheNextTimerWhenAllSleep) {
    int runs = 0;
    std::int64_t woken_at = 0;
    const Ending ending = run(4, [&](ScriptedCpu& cpu, std::int64_t) {
        ++runs;
        if (cpu.name() != "cpu0") return BACKPLANE_CPU_HALTED;
        if (cpu.interrupt) {
            woken_at = cpu.now().count();
            out(cpu, 1, 3);
        } else if (cpu.instructions_ == 0) {
            ++cpu.instructions_;
            out(cpu, 0, 200);
        }
        return BACKPLANE_CPU_HALTED;
    });
    EXPECT_EQ(ending.exit_code, 3);
    EXPECT_NEAR(static_cast<double>(woken_at), 200'000, 2);
    EXPECT_LT(runs, 40);
}

TEST(Turns, AreTakenInTheSameOrderAgain) {
    std::vector<std::string> first;
    for (int repeat = 0; repeat < 3; ++repeat) {
        std::vector<std::string> order;
        bool is_alarm_set = false;
        run(3, [&](ScriptedCpu& cpu, std::int64_t budget) {
            order.push_back(std::string{cpu.name()} + " " + std::to_string(budget));
            if (cpu.instructions_ > 50'000 && cpu.name() == "cpu1") out(cpu, 1, 3);
            if (cpu.name() == "cpu2" && !std::exchange(is_alarm_set, true)) out(cpu, 0, 33);
            return cpu.spend(cpu.name() == "cpu0" ? budget : budget / 2 + 1);
        });
        if (repeat == 0) first = order;
        EXPECT_EQ(order, first);
        EXPECT_GT(order.size(), 15u);
    }
}

}  // namespace
}  // namespace backplane::runtime
