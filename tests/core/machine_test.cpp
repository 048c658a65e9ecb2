#include "core/scripted_machine.h"
#include "runtime/exit_codes.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <utility>

namespace backplane::runtime {
namespace {

constexpr std::chrono::seconds patience{120};  // with a busy host

Ending run(ClockMode clock, std::function<backplane_cpu_exit(ScriptedCpu&, std::int64_t)> program,
           const RunOptions& options = {}) {
    ScriptedCpu::program = std::move(program);
    Diagnostics diagnostics;
    const MachineDescription description = describe(clock);
    const auto machine = Machine::build(description, diagnostics);
    EXPECT_TRUE(machine) << diagnostics.text();
    if (!machine) return {};
    RunOptions limited = options;
    if (!limited.time_limit) limited.time_limit = patience;
    return machine->run(limited);
}

constexpr auto both = {ClockMode::Realtime, ClockMode::Deterministic};

TEST(Machine, EndsWithTheCodeADeviceAsksFor) {
    for (const auto clock : both) {
        const Ending ending = run(clock, [](ScriptedCpu& cpu, std::int64_t budget) {
            out(cpu, 1, 77);
            return cpu.spend(budget);
        });
        EXPECT_EQ(ending.exit_code, 77);
        EXPECT_EQ(ending.why, "alarm0: asked to");
    }
}

TEST(Machine, ResetsEveryComponentAndGoesOn) {
    for (const auto clock : both) {
        const Ending ending = run(clock, [](ScriptedCpu& cpu, std::int64_t budget) {
            if (cpu.resets == 3)
                out(cpu, 1, 5);
            else
                out(cpu, 2, 0);
            return cpu.spend(budget);
        });
        EXPECT_EQ(ending.exit_code, 5);
    }
}

TEST(Machine, EndsInsteadOfResettingWhenToldSo) {
    const Ending ending = run(ClockMode::Realtime,
                              [](ScriptedCpu& cpu, std::int64_t budget) {
                                  out(cpu, 2, 0);
                                  return cpu.spend(budget);
                              },
                              {.end_on_reset = true});
    EXPECT_EQ(ending.exit_code, 0);
    EXPECT_EQ(ending.why, "alarm0: asked to (--no-reboot)");
}

TEST(Machine, WakesAHaltedCpuByAnInterrupt) {
    for (const auto clock : both) {
        int halts = 0;
        const Ending ending = run(clock, [&](ScriptedCpu& cpu, std::int64_t) {
            ++cpu.instructions_;
            if (cpu.interrupt)
                out(cpu, 1, 9);
            else if (halts++ == 0)
                out(cpu, 0, 200);
            return BACKPLANE_CPU_HALTED;
        });
        EXPECT_EQ(ending.exit_code, 9);
        EXPECT_GE(halts, 1);
        EXPECT_LT(halts, 50) << "it sleeps instead of spinning";
    }
}

TEST(Machine, EndsWellWhenHaltedWithInterruptsOff) {
    for (const auto clock : both) {
        const Ending ending = run(
            clock, [](ScriptedCpu&, std::int64_t) { return BACKPLANE_CPU_HALTED_FOR_GOOD; });
        EXPECT_EQ(ending.exit_code, 0);
        EXPECT_EQ(ending.why, "cpu0: halted with interrupts off");
    }
}

// Each CPU halts for good, the last one asks for a reset first; then each runs on for a slice and
// halts again.
TEST(Machine, EndsAfterAResetOnlyWhenEveryCpuHasHaltedForGoodAgain) {
    for (const auto clock : both) {
        MachineDescription description = describe(clock);
        add_cpu(description, "cpu1");
        std::atomic<int> after_reset = 0;
        ScriptedCpu::program = [&](ScriptedCpu& cpu, std::int64_t budget) {
            if (cpu.resets == 1) {
                if (cpu.name() == "cpu1" && cpu.instructions_ > 1000)
                    out(cpu, 2, 0);
                else if (cpu.name() == "cpu1")
                    return cpu.spend(budget);
                return BACKPLANE_CPU_HALTED_FOR_GOOD;
            }
            if (cpu.instructions_ < 500'000) return cpu.spend(budget);
            ++after_reset;
            return BACKPLANE_CPU_HALTED_FOR_GOOD;
        };
        Diagnostics diagnostics;
        const auto machine = Machine::build(description, diagnostics);
        ASSERT_TRUE(machine) << diagnostics.text();
        const Ending ending = machine->run({.time_limit = patience});
        EXPECT_EQ(ending.exit_code, 0) << ending.why;
        EXPECT_GE(after_reset, 2) << "both halted after the reset";
        EXPECT_NE(ending.why.find("halted with interrupts off"), std::string::npos) << ending.why;
    }
}

TEST(Machine, EndsWithACodeOfItsOwnAfterATripleFault) {
    const Ending ending = run(ClockMode::Realtime,
                              [](ScriptedCpu&, std::int64_t) { return BACKPLANE_CPU_SHUTDOWN; });
    EXPECT_EQ(ending.exit_code, static_cast<int>(ExitCode::GuestFailure));
    EXPECT_EQ(ending.why.substr(0, 30), "cpu0: shutdown (triple fault)\n");
}

TEST(Machine, EndsWhenATimeLimitPasses) {
    const Ending ending = run(
        ClockMode::Realtime,
        [](ScriptedCpu& cpu, std::int64_t budget) { return cpu.spend(budget); },
        {.time_limit = std::chrono::seconds{1}});
    EXPECT_EQ(ending.exit_code, static_cast<int>(ExitCode::Timeout));
}

TEST(Machine, ExpiresTimersAtExactlyTheirInstructionWhenDeterministic) {
    for (int repeat = 0; repeat < 3; ++repeat) {
        std::uint64_t seen_at = 0;
        const Ending ending = run(
            ClockMode::Deterministic, [&](ScriptedCpu& cpu, std::int64_t budget) {
                for (; budget > 0; --budget) {
                    ++cpu.instructions_;
                    if (cpu.instructions_ == 1000) {
                        out(cpu, 0, 50);  // 50 us from instruction 1000, at 1 GHz
                        return BACKPLANE_CPU_ATTENTION;
                    }
                    if (cpu.interrupt) {
                        seen_at = cpu.instructions_;
                        out(cpu, 1, 1);
                        return BACKPLANE_CPU_ATTENTION;
                    }
                }
                return BACKPLANE_CPU_BUDGET;
            });
        EXPECT_EQ(ending.exit_code, 1);
        EXPECT_EQ(seen_at, 51'001u);
    }
}

TEST(Machine, NamesTheComponentThatCannotStart) {
    class Unable : public Device {
    public:
        static void declare(Declaration<Unable>& d) { d.type("test.unable", "Never starts"); }
        Outcome start() { return std::unexpected("the cable is cut"); }
    };
    MachineDescription description = describe(ClockMode::Realtime);
    auto& broken = description.components.emplace_back();
    broken.name = "broken0";
    broken.type = Declaration<Unable>::device_type();
    Diagnostics diagnostics;
    EXPECT_FALSE(Machine::build(description, diagnostics));
    EXPECT_NE(diagnostics.text().find("broken0 (test.unable) could not start: the cable is cut"),
              std::string::npos)
        << diagnostics.text();
}

TEST(Machine, RefusesWindowsThatOverlap) {
    MachineDescription description = describe(ClockMode::Realtime);
    auto& second = description.components.emplace_back();
    second.name = "alarm1";
    second.type = Declaration<Alarm>::device_type();
    second.windows.push_back({.port = 0,
                              .space = io_space,
                              .base = 0x42,
                              .priority = 0,
                              .offset = 0,
                              .size = 0,
                              .place = {}});
    Diagnostics diagnostics;
    EXPECT_FALSE(Machine::build(description, diagnostics));
    EXPECT_NE(diagnostics.text().find("alarm1.ports"), std::string::npos) << diagnostics.text();
    EXPECT_NE(diagnostics.text().find("alarm0.ports"), std::string::npos) << diagnostics.text();
}

}  // namespace
}  // namespace backplane::runtime
