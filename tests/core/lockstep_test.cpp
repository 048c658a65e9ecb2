#include "runtime/lockstep.h"

#include <backplane/sdk.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <optional>

namespace backplane::runtime {
namespace {

using ::testing::HasSubstr;

// Each instruction stirs its one register and now and then stores it. `fault` plants a defect.
class StirringCpu : public Device {
public:
    struct Fault {
        std::uint64_t at;
        enum class Kind : std::uint8_t { Register, Memory, Shutdown } kind;
    };
    static inline std::optional<Fault> fault;  // of the CPUs made from now on
    static void declare(Declaration<StirringCpu>& d);

    Outcome start() {
        memory_ = static_cast<std::byte*>(host().allocate_memory(host().context, memory_size));
        return memory_ ? Outcome{} : std::unexpected{std::string{"no memory"}};
    }
    void reset(ResetKind) { value_ = 1; }

    std::uint32_t run(std::int64_t budget) {
        if (attention_.exchange(false)) return BACKPLANE_CPU_ATTENTION;
        for (; budget > 0; --budget) {
            if (mine_ && mine_->at == instructions_) {
                if (mine_->kind == Fault::Kind::Shutdown) return BACKPLANE_CPU_SHUTDOWN;
                if (mine_->kind == Fault::Kind::Register) ++value_;
                if (mine_->kind == Fault::Kind::Memory) memory_[0x9238] ^= std::byte{1};
            }
            value_ = value_ * 6364136223846793005u + 1442695040888963407u;
            if (instructions_ % 16 == 0)
                std::memcpy(&memory_[value_ >> 48 & 0x7ff8], &value_, sizeof value_);
            ++instructions_;
        }
        return BACKPLANE_CPU_BUDGET;
    }
    void request_attention() { attention_ = true; }
    std::uint64_t instructions() { return instructions_; }
    std::uint32_t register_count() { return 2; }
    const backplane_cpu_register* register_info(std::uint32_t index) {
        static constexpr std::array<backplane_cpu_register, 2> registers{
            {{"rax", 8, 0}, {"rip", 8, 0}}};
        return &registers[index];
    }
    void get_register(std::uint32_t index, void* value) {
        std::memcpy(value, index == 0 ? &value_ : &instructions_, 8);
    }
    std::int32_t set_register(std::uint32_t, const void*) { return 0; }
    std::int32_t translate(std::uint64_t, std::uint64_t*) { return 0; }
    std::uint32_t disassemble(std::uint64_t ip, char* text, std::uint32_t size) {
        std::snprintf(text, size, "stir %llu", static_cast<unsigned long long>(ip));
        return 1;
    }

private:
    static constexpr std::uint64_t memory_size = 64 << 10;

    std::byte* memory_ = nullptr;
    std::optional<Fault> mine_ = fault;
    std::uint64_t value_ = 1, instructions_ = 0;
    std::atomic<bool> attention_ = false;
};

constexpr backplane_cpu cpu_functions{sizeof(backplane_cpu),
                                      0,
                                      thunk<&StirringCpu::run>,
                                      thunk<&StirringCpu::request_attention>,
                                      thunk<&StirringCpu::instructions>,
                                      thunk<&StirringCpu::register_count>,
                                      thunk<&StirringCpu::register_info>,
                                      thunk<&StirringCpu::get_register>,
                                      thunk<&StirringCpu::set_register>,
                                      thunk<&StirringCpu::translate>,
                                      thunk<&StirringCpu::disassemble>,
                                      nullptr,
                                      nullptr,
                                      nullptr,
                                      nullptr};

void StirringCpu::declare(Declaration<StirringCpu>& d) {
    d.type("test.stirring-cpu", "Stirs a register and memory");
    d.provides("cpu", cpu_functions, "The processor");
}

// One register of state, which a planted defect spoils in the machine that has it.
class Odometer : public Device {
public:
    static void declare(Declaration<Odometer>& d) {
        d.type("test.odometer", "Has saved state");
        d.saved("distance", &Odometer::distance_);
    }

private:
    std::uint32_t distance_ = 7;
};

MachineDescription describe(ClockMode clock) {
    MachineDescription description;
    description.name = "test";
    description.clock = clock;
    auto& cpu = description.components.emplace_back();
    cpu.name = "cpu0";
    cpu.type = Declaration<StirringCpu>::device_type();
    auto& odometer = description.components.emplace_back();
    odometer.name = "odometer0";
    odometer.type = Declaration<Odometer>::device_type();
    return description;
}

Lockstep::Make machine(std::optional<StirringCpu::Fault> fault = {},
                       ClockMode clock = ClockMode::Deterministic) {
    return [=] {
        Diagnostics diagnostics;
        StirringCpu::fault = fault;
        auto made = Machine::build(describe(clock), diagnostics);
        EXPECT_TRUE(made) << diagnostics.text();
        return made;
    };
}

using Kind = StirringCpu::Fault::Kind;
const LockstepOptions brief{
    .interval = 100'000, .memory_interval = 1'000'000, .limit = 3'000'000, .progress = {}};

TEST(Lockstep, FindsNothingBetweenEqualMachines) {
    std::uint64_t told = 0;
    LockstepOptions options = brief;
    options.progress = [&](std::uint64_t equal) { told = equal; };
    const auto result = Lockstep{machine(), machine(), options}.run();
    ASSERT_TRUE(result) << result.error();
    EXPECT_TRUE(result->equal()) << result->text();
    EXPECT_EQ(result->equal_until, 3'000'000u);
    EXPECT_EQ(result->comparisons, 30u);
    EXPECT_EQ(told, 3'000'000u);
    EXPECT_THAT(result->text(), HasSubstr("no difference in 3000000 instructions"));
}

TEST(Lockstep, NamesTheInstructionAndTheRegister) {
    const auto result =
        Lockstep{machine(), machine(StirringCpu::Fault{1'234'567, Kind::Register}), brief}.run();
    ASSERT_TRUE(result) << result.error();
    EXPECT_EQ(result->equal_until, 1'234'567u);
    EXPECT_EQ(result->compared_until, 1'234'568u);
    ASSERT_FALSE(result->differences.empty());
    EXPECT_EQ(result->differences.front().what, "cpu0.rax");
    EXPECT_NE(result->differences.front().before, "");
    ASSERT_EQ(result->next_instructions.size(), 1u);
    EXPECT_EQ(result->next_instructions.front(), "cpu0 at 0x12d687: stir 1234567");
}

TEST(Lockstep, FindsWhereMemoryAloneWentWrong) {
    const auto result =
        Lockstep{machine(StirringCpu::Fault{1'100'002, Kind::Memory}), machine(), brief}.run();
    ASSERT_TRUE(result) << result.error();
    EXPECT_EQ(result->equal_until, 1'100'002u);
    EXPECT_EQ(result->compared_until, 1'100'003u);
    ASSERT_EQ(result->differences.size(), 1u);
    EXPECT_EQ(result->differences.front().what, "cpu0+0x9238");
}

TEST(Lockstep, TakesAnEndingOfOneMachineForADifference) {
    const auto result =
        Lockstep{machine(), machine(StirringCpu::Fault{250'000, Kind::Shutdown}), brief}.run();
    ASSERT_TRUE(result) << result.error();
    EXPECT_EQ(result->equal_until, 250'000u);
    EXPECT_EQ(result->differences.back().what, "the ending");
    EXPECT_EQ(result->differences.back().first, "still running");
    EXPECT_THAT(result->differences.back().second, HasSubstr("triple fault"));
}

TEST(Lockstep, StopsWhereBothEndAlike) {
    const StirringCpu::Fault end{250'000, Kind::Shutdown};
    const auto result = Lockstep{machine(end), machine(end), brief}.run();
    ASSERT_TRUE(result) << result.error();
    EXPECT_TRUE(result->equal()) << result->text();
    ASSERT_TRUE(result->ending);
    EXPECT_THAT(result->ending->why, HasSubstr("triple fault"));
}

TEST(Lockstep, RefusesMachinesThatFollowTheHostsClock) {
    const auto result = Lockstep{machine(), machine({}, ClockMode::Realtime), brief}.run();
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error(), HasSubstr("must be deterministic"));
}

}  // namespace
}  // namespace backplane::runtime
