// Pausing a machine: who stops, whether time does, and who is told.
#include "core/scripted_machine.h"
#include "runtime/exit_codes.h"
#include "runtime/linear_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace backplane::runtime {
namespace {

using namespace std::chrono_literals;

constexpr auto both = {ClockMode::Realtime, ClockMode::Deterministic};
constexpr auto patience = 120s;  // with a busy host

// A machine of scripted processors that runs on a thread of its own.
class RunningMachine {
public:
    using Program = std::function<backplane_cpu_exit(ScriptedCpu&, std::int64_t)>;

    RunningMachine(ClockMode clock, unsigned cpus, Program program, RunOptions options = {}) {
        ScriptedCpu::program = std::move(program);
        MachineDescription description = describe(clock);
        for (unsigned cpu = 1; cpu < cpus; ++cpu)
            add_cpu(description, "cpu" + std::to_string(cpu));
        Diagnostics diagnostics;
        machine = Machine::build(description, diagnostics);
        EXPECT_TRUE(machine) << diagnostics.text();
        machine->control().listen([this](const StateEvent& event) {
            const std::scoped_lock guard{mutex_};
            events_.push_back(event);
        });
        if (!options.time_limit) options.time_limit = patience;
        ending_ = std::async(std::launch::async, [this, options] { return machine->run(options); });
        wait_until([this] { return has_ended() || control().call([] {}); });
    }
    ~RunningMachine() { end(); }

    bool has_ended() { return ending_.wait_for(0s) == std::future_status::ready; }
    Ending end() {
        machine->request_power_off(99, "the test is over");
        return wait_for_end();
    }
    Ending wait_for_end() {
        if (ending_.valid()) result_ = ending_.get();
        return result_;
    }

    RunControl& control() { return machine->control(); }

    void pause() {
        control().pause("the test");
        wait_until([this] { return control().is_paused(); });
        control().call([] {});  // comes behind those who are told
    }

    static void wait_until(const std::function<bool()>& condition) {
        const auto limit = std::chrono::steady_clock::now() + patience;
        while (!condition()) {
            ASSERT_LT(std::chrono::steady_clock::now(), limit) << "waited in vain";
            std::this_thread::sleep_for(100us);
        }
    }

    std::vector<StateChange> changes() {
        const std::scoped_lock guard{mutex_};
        std::vector<StateChange> list;
        for (const auto& event : events_)
            list.push_back(event.change);
        return list;
    }
    void wait_for(StateChange change) {
        wait_until([&] { return std::ranges::count(changes(), change) != 0; });
    }
    StateEvent last_event() {
        const std::scoped_lock guard{mutex_};
        return events_.back();
    }

    std::unique_ptr<Machine> machine;

private:
    std::mutex mutex_;
    std::vector<StateEvent> events_;
    std::future<Ending> ending_;
    Ending result_;
};

std::uint64_t nanoseconds_since(std::chrono::steady_clock::time_point then) {
    const std::chrono::nanoseconds passed = std::chrono::steady_clock::now() - then;
    return static_cast<std::uint64_t>(passed.count());
}

TEST(MachinePause, StopsEveryCpuAndItsTimeUntilItGoesOn) {
    for (const auto clock : both) {
        std::atomic<std::uint64_t> slices = 0;
        RunningMachine running{clock, 3, [&](ScriptedCpu& cpu, std::int64_t budget) {
                                   ++slices;
                                   return cpu.spend(budget);
                               }};
        RunningMachine::wait_until([&] { return slices > 30; });
        running.pause();
        const std::uint64_t before = slices;
        const std::uint64_t time = running.machine->clock().now();
        std::this_thread::sleep_for(50ms);
        EXPECT_EQ(slices, before);
        EXPECT_EQ(running.machine->clock().now(), time);

        const auto resumed = std::chrono::steady_clock::now();
        running.control().resume();
        RunningMachine::wait_until([&] { return slices > before + 30; });
        const std::uint64_t later = running.machine->clock().now();
        EXPECT_GT(later, time);
        if (clock == ClockMode::Realtime) EXPECT_LE(later - time, nanoseconds_since(resumed));
        EXPECT_EQ(running.changes(), (std::vector{StateChange::Paused, StateChange::Resumed}));
    }
}

TEST(MachinePause, DoesNotCountAsTime) {
    RunningMachine running{ClockMode::Realtime, 1,
                           [](ScriptedCpu& cpu, std::int64_t budget) { return cpu.spend(budget); }};
    const auto start = std::chrono::steady_clock::now();
    const std::uint64_t before = running.machine->clock().now();
    std::uint64_t stood = 0;
    for (int i = 0; i < 5; ++i) {
        running.pause();
        const auto from = std::chrono::steady_clock::now();
        std::this_thread::sleep_for(30ms);
        stood += nanoseconds_since(from);
        running.control().resume();
        RunningMachine::wait_until([&] { return !running.control().is_paused(); });
    }
    const std::uint64_t guest = running.machine->clock().now() - before;
    EXPECT_LE(guest, nanoseconds_since(start) - stood);
}

TEST(MachinePause, KeepsTimersFromExpiring) {
    std::atomic<bool> started = false, seen = false;
    RunningMachine running{ClockMode::Realtime, 1, [&](ScriptedCpu& cpu, std::int64_t) {
                               if (!started.exchange(true)) out(cpu, 0, 255);
                               if (cpu.interrupt) seen = true;
                               return BACKPLANE_CPU_HALTED;
                           }};
    running.pause();
    const bool before = seen;
    std::this_thread::sleep_for(30ms);
    EXPECT_EQ(seen, before);
    running.control().resume();
    RunningMachine::wait_until([&] { return seen.load(); });
}

// What a deterministic machine does is the same whether and however often it was paused.
TEST(MachinePause, ChangesNothingOfADeterministicRun) {
    const auto history = [](bool pauses) {
        std::vector<std::string> order;
        std::atomic<bool> done = false;
        RunningMachine running{
            ClockMode::Deterministic, 3, [&](ScriptedCpu& cpu, std::int64_t budget) {
                for (; budget > 0; --budget) {
                    if (cpu.spend(1) == BACKPLANE_CPU_ATTENTION) return BACKPLANE_CPU_ATTENTION;
                    const std::uint64_t count = cpu.instructions_;
                    if (count % 5'000 == 0)
                        order.push_back(std::string{cpu.name()} + " " + std::to_string(count) +
                                        " " + std::to_string(cpu.now().count()));
                    if (count % 77'777 == 0) out(cpu, 0, 33);
                    if (cpu.name() == "cpu1" && count == 3'000'000) {
                        done = true;
                        out(cpu, 1, 3);
                    }
                }
                return BACKPLANE_CPU_BUDGET;
            }};
        while (pauses && !done && !running.has_ended()) {
            running.control().pause("again");
            std::this_thread::sleep_for(100us);
            running.control().resume();
            std::this_thread::sleep_for(50us);
        }
        EXPECT_EQ(running.wait_for_end().exit_code, 3);
        return order;
    };
    const auto undisturbed = history(false);
    EXPECT_GT(undisturbed.size(), 1'000u);
    EXPECT_EQ(history(true), undisturbed);
}

TEST(MachinePause, MayComeBeforeTheFirstInstruction) {
    for (const auto clock : both) {
        std::atomic<std::uint64_t> slices = 0;
        RunningMachine running{clock,
                               2,
                               [&](ScriptedCpu& cpu, std::int64_t budget) {
                                   ++slices;
                                   return cpu.spend(budget);
                               },
                               {.paused = true}};
        running.wait_for(StateChange::Paused);
        const std::uint64_t time = running.machine->clock().now();
        std::this_thread::sleep_for(20ms);
        EXPECT_EQ(slices, 0u);
        EXPECT_EQ(running.machine->clock().now(), time);
        running.control().resume();
        RunningMachine::wait_until([&] { return slices > 3; });
    }
}

TEST(MachinePause, LetsTheUserEndOrResetTheMachineMeanwhile) {
    for (const auto clock : both) {
        RunningMachine running{
            clock, 2, [](ScriptedCpu& cpu, std::int64_t budget) { return cpu.spend(budget); }};
        running.pause();
        running.machine->request_reset("the button");
        running.wait_for(StateChange::Reset);
        EXPECT_TRUE(running.control().is_paused());
        running.machine->request_power_off(7, "enough");
        EXPECT_EQ(running.wait_for_end().exit_code, 7);
        EXPECT_EQ(running.changes(),
                  (std::vector{StateChange::Paused, StateChange::Reset, StateChange::PoweredOff}));
        EXPECT_EQ(running.last_event().exit_code, 7);
    }
}

TEST(MachinePause, EndsBySignal) {
    RunningMachine running{ClockMode::Realtime, 1,
                           [](ScriptedCpu& cpu, std::int64_t budget) { return cpu.spend(budget); }};
    running.pause();
    std::raise(SIGTERM);
    EXPECT_EQ(running.wait_for_end().exit_code, 128 + SIGTERM);
}

TEST(MachinePause, EndsAtTheTimeLimit) {
    RunningMachine running{ClockMode::Realtime,
                           1,
                           [](ScriptedCpu& cpu, std::int64_t budget) { return cpu.spend(budget); },
                           {.paused = true, .time_limit = 1s}};
    EXPECT_EQ(running.wait_for_end().exit_code, static_cast<int>(ExitCode::Timeout));
}

TEST(MachinePause, CallsWithEveryCpuParkedAndLeavesTheMachineAsItWas) {
    for (const auto clock : both) {
        std::atomic<int> inside = 0;
        RunningMachine running{clock, 3, [&](ScriptedCpu& cpu, std::int64_t budget) {
                                   ++inside;
                                   const auto exit = cpu.spend(budget);
                                   --inside;
                                   return exit;
                               }};
        for (int i = 0; i < 200; ++i) {
            int seen = -1;
            EXPECT_TRUE(running.control().call([&] {
                seen = inside;
                EXPECT_TRUE(running.control().is_on_controller());
                EXPECT_TRUE(running.control().call([&] { ++seen; })) << "within another";
            }));
            EXPECT_EQ(seen, 1);
            EXPECT_FALSE(running.control().is_paused());
        }
        running.pause();
        EXPECT_TRUE(running.control().call([] {}));
        EXPECT_TRUE(running.control().is_paused());
        running.end();
        EXPECT_FALSE(running.control().call([] { FAIL() << "the run is over"; }));
    }
}

TEST(MachinePause, RefusesCallsThatTheEndOvertook) {
    RunningMachine running{ClockMode::Realtime, 1,
                           [](ScriptedCpu& cpu, std::int64_t budget) { return cpu.spend(budget); }};
    std::atomic<bool> stop = false;
    std::thread caller{[&] {
        while (running.control().call([] {}))
            std::this_thread::yield();
        stop = true;
    }};
    running.end();
    caller.join();
    EXPECT_TRUE(stop);
}

TEST(MachinePause, HoldsSomeCpusWhileAnotherSteps) {
    for (const auto clock : both) {
        std::array<std::atomic<std::uint64_t>, 3> retired{};
        RunningMachine running{
            clock, 3, [&](ScriptedCpu& cpu, std::int64_t budget) {
                const auto exit = cpu.spend(budget);
                retired[static_cast<std::size_t>(cpu.name()[3] - '0')] = cpu.instructions_;
                return exit;
            }};
        RunningMachine::wait_until([&] {
            return std::ranges::all_of(retired, [](const auto& each) { return each > 1'000; });
        });
        for (std::size_t stepping = 0; stepping < 3; ++stepping) {
            running.pause();
            const std::array<std::uint64_t, 3> before{retired[0], retired[1], retired[2]};
            running.control().call([&] {
                for (std::size_t cpu = 0; cpu < 3; ++cpu)
                    running.machine->cpus()[cpu]->set_mode(
                        cpu == stepping ? VirtualCpu::Mode::Step : VirtualCpu::Mode::Hold);
            });
            running.control().resume();
            running.wait_until([&] { return running.last_event().change == StateChange::Stepped; });
            EXPECT_EQ(running.last_event().cpu, running.machine->cpus()[stepping].get());
            for (std::size_t cpu = 0; cpu < 3; ++cpu)
                EXPECT_EQ(retired[cpu], before[cpu] + (cpu == stepping ? 1 : 0));
            running.control().resume();
            RunningMachine::wait_until([&] {
                return retired[0] > before[0] + 1 && retired[1] > before[1] + 1 &&
                       retired[2] > before[2] + 1;
            });
        }
    }
}

TEST(MachinePause, ShowsATripleFaultToADebugger) {
    for (const auto clock : both) {
        std::atomic<bool> fails = true;
        RunningMachine running{clock,
                               2,
                               [&](ScriptedCpu& cpu, std::int64_t budget) {
                                   if (cpu.name() == "cpu1" && fails) return BACKPLANE_CPU_SHUTDOWN;
                                   return cpu.spend(budget);
                               },
                               {.paused = true}};
        running.control().pause_on_shutdown(true);
        running.control().resume();
        running.wait_for(StateChange::Shutdown);
        EXPECT_TRUE(running.control().is_paused());
        EXPECT_EQ(running.last_event().cpu, running.machine->cpus()[1].get());
        running.control().pause_on_shutdown(false);
        running.control().resume();
        EXPECT_EQ(running.wait_for_end().exit_code, static_cast<int>(ExitCode::GuestFailure));
    }
}

TEST(MachinePause, TellsNobodyWhoListensNoMore) {
    RunningMachine running{ClockMode::Realtime, 1,
                           [](ScriptedCpu& cpu, std::int64_t budget) { return cpu.spend(budget); }};
    std::atomic<int> told = 0;
    const auto listener = running.control().listen([&](const StateEvent&) { ++told; });
    running.pause();
    running.control().unlisten(listener);
    const int before = told;
    EXPECT_EQ(before, 1);
    running.control().resume();
    running.wait_for(StateChange::Resumed);
    EXPECT_EQ(told, before);
}

}  // namespace
}  // namespace backplane::runtime
