// A deterministic run is the same whether clients look at it or not.
#include "control/reply_check.h"
#include "core/scripted_machine.h"
#include "runtime/control/session.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <string>
#include <vector>

namespace backplane::runtime::control {
namespace {

constexpr std::uint64_t length = 2'000'000;

struct History {
    std::vector<std::string> order;
    std::size_t replies = 0;  // to clients that looked
};

// Three CPUs in turn, that ask for the time and set timers: what each saw, in order.
History history(const std::vector<const char*>& looks) {
    History found;
    std::vector<std::string>& order = found.order;
    std::atomic<bool> done = false;
    ScriptedCpu::program = [&](ScriptedCpu& cpu, std::int64_t budget) {
        for (; budget > 0; --budget) {
            if (cpu.spend(1) == BACKPLANE_CPU_ATTENTION) return BACKPLANE_CPU_ATTENTION;
            const std::uint64_t count = cpu.instructions_;
            if (count % 3'000 == 0)
                order.push_back(std::string{cpu.name()} + " " + std::to_string(count) + " " +
                                std::to_string(cpu.now().count()));
            if (count % 77'777 == 0) out(cpu, 0, 33);
            if (cpu.name() == "cpu1" && count == length) {
                done = true;
                out(cpu, 1, 3);
            }
        }
        return BACKPLANE_CPU_BUDGET;
    };
    MachineDescription description = describe(ClockMode::Deterministic);
    add_cpu(description, "cpu1");
    add_cpu(description, "cpu2");
    Diagnostics diagnostics;
    const auto machine = Machine::build(description, diagnostics);
    EXPECT_TRUE(machine) << diagnostics.text();
    Context context{*machine, description, [](const ordered_json&) {}};
    Session session{context,
                    [&](const std::string& line) { found.replies += line.contains("return"); }};
    auto ending = std::async(std::launch::async, [&] { return machine->run({}); });
    while (!looks.empty() && !done)
        for (const char* look : looks) {
            session.receive(std::string{"{\"execute\":"} + look + "}\n");
            while (session.step() != Session::Step::Idle)
                continue;
        }
    EXPECT_EQ(ending.get().exit_code, 3);
    EXPECT_FALSE(context.first_change());
    return found;
}

TEST(DeterministicMachine, DoesNotNoticeThatClientsLook) {
    const auto undisturbed = history({}).order;
    EXPECT_GT(undisturbed.size(), 1'000u);
    // The host may keep clients waiting until the run is over: then they come once more.
    History watched;
    for (int attempt = 0; attempt < 100 && watched.replies <= 20; ++attempt) {
        watched = history({"\"status\"", "\"list-windows\"", "\"statistics\"",
                           "\"inspect-device\",\"arguments\":{\"device\":\"alarm0\"}",
                           "\"read-registers\",\"arguments\":{\"cpu\":\"cpu2\"}", "\"stop\"",
                           "\"cont\""});
        ASSERT_EQ(watched.order, undisturbed);
    }
    EXPECT_GT(watched.replies, 20u);
}

}  // namespace
}  // namespace backplane::runtime::control
