// Samples and block counts are of what was executed, in every tier.
#include "interp/profile_probe.h"
#include "test_engine.h"
#include "test_processor.h"

#include <backplane/testing/fake_host.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <thread>
#include <vector>

namespace backplane::interp::testing {
namespace {

using x86::RAX, x86::RBP, x86::RBX, x86::RCX, x86::RSI;
constexpr std::uint64_t code = TestProcessor::code, data = TestProcessor::data;

// again: imul rbx, rbx;  inc rbx;  dec rcx;  jnz again;  hlt
constexpr std::uint64_t loop_instructions[]{code, code + 4, code + 7, code + 10}, halt = code + 12;
void place_loop(TestProcessor& processor, std::uint64_t times) {
    processor.place(code,
                    {0x48, 0x0f, 0xaf, 0xdb, 0x48, 0xff, 0xc3, 0x48, 0xff, 0xc9, 0x75, 0xf4, 0xf4});
    processor[RCX] = times;
    processor[RBP] = data;
}

class ProfileProbeTest : public ::testing::Test {
protected:
    void attach() {
        probe.emplace(processor.cpu, *host.functions(),
                      backplane_cpu_profiler{.struct_size = sizeof(backplane_cpu_profiler),
                                             .reserved = 0,
                                             .user = this,
                                             .sample = [](void* user, const auto* sample) {
                                                 static_cast<ProfileProbeTest*>(user)->took(
                                                     *sample);
                                             }});
    }
    void took(const backplane_cpu_sample& sample) {
        samples.push_back(sample);
        if (on_sample) on_sample();
    }

    struct Count {
        std::uint64_t hits = 0, instructions = 0;
        bool operator==(const Count&) const = default;
    };
    std::map<std::uint64_t, Count> take_counts() {
        std::map<std::uint64_t, Count> counts;
        probe->counts().take([&](const BlockCount& count) {
            counts[count.linear].hits += count.hits;
            counts[count.linear].instructions += count.instructions();
        });
        return counts;
    }
    static std::uint64_t total(const std::map<std::uint64_t, Count>& counts) {
        std::uint64_t sum = 0;
        for (const auto& [linear, count] : counts)
            sum += count.instructions;
        return sum;
    }

    // Asks for samples from another thread while the loop runs.
    void run_while_asking(std::uint64_t times) {
        place_loop(processor, times);
        std::atomic<bool> done{false};
        std::jthread asking{[&] {
            while (!done) {
                asked += probe->request();
                std::this_thread::sleep_for(std::chrono::microseconds{500});
            }
        }};
        const bool halted = processor.run_to_halt(code, INT64_MAX / 4);
        done = true;
        ASSERT_TRUE(halted);
    }

    TestProcessor processor;
    backplane::testing::FakeClock clock;
    backplane::testing::FakeHost host{clock};
    std::optional<ProfileProbe> probe;
    std::vector<backplane_cpu_sample> samples;
    std::function<void()> on_sample;
    std::uint64_t asked = 0;
};

TEST_F(ProfileProbeTest, CountedSamplesAreWhereSlicesOfThatLengthEnd) {
    attach();
    place_loop(processor, 5000);
    probe->sample_every(777, 0);
    ASSERT_TRUE(processor.run_to_halt());
    TestProcessor plain;
    place_loop(plain, 5000);
    plain.cpu.state.rip = code;
    std::vector<std::uint64_t> expected, found;
    while (plain.cpu.run(777) == RunResult::Budget)
        expected.push_back(plain.cpu.state.rip);
    for (const backplane_cpu_sample& sample : samples) {
        found.push_back(sample.pc);
        EXPECT_EQ(sample.instructions, 777 * found.size());
        EXPECT_EQ(sample.flags, BACKPLANE_SAMPLE_EXACT | BACKPLANE_SAMPLE_COUNTED);
        EXPECT_EQ(sample.frame_pointer, data);
        EXPECT_EQ(sample.stack_pointer, TestProcessor::stack);
        EXPECT_EQ(sample.code_size, 64);
    }
    EXPECT_EQ(found, expected);
    EXPECT_EQ(found.size(), 20001u / 777);
    EXPECT_EQ(processor.cpu.instructions(), plain.cpu.instructions());
}

TEST_F(ProfileProbeTest, CountingStopsAndBeginsAnewAtAMultiple) {
    attach();
    place_loop(processor, 10);
    probe->sample_every(16, 0);
    on_sample = [&] {
        if (samples.size() == 1) probe->sample_every(10, 16);
        if (samples.size() == 2) probe->sample_every(0, 20);
    };
    ASSERT_TRUE(processor.run_to_halt());
    ASSERT_EQ(samples.size(), 2u);
    EXPECT_EQ(samples[0].instructions, 16u);
    EXPECT_EQ(samples[1].instructions, 20u);
}

TEST_F(ProfileProbeTest, RequestedSamplesNameTheInstructionThatWasBeingExecuted) {
    attach();
    // How many a run has is up to the host, which may have other things to do.
    std::size_t runs = 0, at_halt = 0;
    for (; runs < 200 && samples.size() < 50; ++runs) {
        ASSERT_NO_FATAL_FAILURE(run_while_asking(30'000'000));
        // The last one may have been asked for at the loop's end.
        at_halt += !samples.empty() && samples.back().pc == halt;
    }
    ASSERT_GE(samples.size(), 50u);
    std::set<std::uint64_t> met;
    std::size_t exact = 0;
    std::uint64_t answered = 0;
    for (const backplane_cpu_sample& sample : samples) {
        answered += sample.requests;
        if (sample.pc != halt || at_halt-- == 0) {
            EXPECT_THAT(loop_instructions, ::testing::Contains(sample.pc)) << std::hex << sample.pc;
        }
        EXPECT_EQ(sample.frame_pointer, data);
        EXPECT_EQ(sample.stack_pointer, TestProcessor::stack);
        if (!(sample.flags & BACKPLANE_SAMPLE_EXACT)) continue;
        ++exact;
        met.insert(sample.pc);
    }
    if (names_engine_instructions()) {
        EXPECT_GT(exact, samples.size() * 3 / 4) << "of " << samples.size();
        EXPECT_GE(met.size(), 2u) << "not only where blocks begin";
    }
    EXPECT_LE(answered, asked);
    EXPECT_GE(answered + 2 * runs, asked);
}

TEST_F(ProfileProbeTest, WhatIsExecutedIsTheSameWithSamples) {
    attach();
    run_while_asking(3'000'000);
    TestProcessor plain;
    place_loop(plain, 3'000'000);
    ASSERT_TRUE(plain.run_to_halt());
    EXPECT_EQ(processor[RBX], plain[RBX]);
    EXPECT_EQ(processor.cpu.instructions(), plain.cpu.instructions());
}

TEST_F(ProfileProbeTest, AProcessorThatDoesNotRunHasNoSample) {
    attach();
    EXPECT_FALSE(probe->request());
    place_loop(processor, 10);
    ASSERT_TRUE(processor.run_to_halt());
    EXPECT_FALSE(probe->request());
    EXPECT_TRUE(samples.empty());
}

TEST_F(ProfileProbeTest, ADeviceAccessIsNamedAsSuch) {
    attach();
    // mov eax, [rsi];  hlt
    processor.place(code, {0x8b, 0x06, 0xf4});
    processor.map(0x4000'0000, TestBus::device);
    processor[RSI] = 0x4000'0000;
    processor.bus.on_read = [&](std::uint64_t, unsigned) {
        EXPECT_TRUE(probe->request());
        return std::uint64_t{0};
    };
    ASSERT_TRUE(processor.run_to_halt());
    ASSERT_EQ(samples.size(), 1u);
    EXPECT_EQ(samples[0].activity, BACKPLANE_CPU_DEVICE);
    EXPECT_EQ(samples[0].pc, code);
    EXPECT_TRUE(samples[0].flags & BACKPLANE_SAMPLE_EXACT);
}

TEST_F(ProfileProbeTest, BlocksAreCountedToTheInstruction) {
    attach();
    probe->count_blocks(true);
    place_loop(processor, 1000);
    ASSERT_TRUE(processor.run_to_halt());
    auto counts = take_counts();
    EXPECT_EQ(total(counts), processor.cpu.instructions());
    EXPECT_EQ(counts[code], (Count{1000, 4000}));
    EXPECT_EQ(counts[code + 12], (Count{1, 1}));
    EXPECT_TRUE(take_counts().empty()) << "they begin again at 0";
}

TEST_F(ProfileProbeTest, BlocksThatAreLeftInTheirMiddleAreCountedAsFarAsTheyWereExecuted) {
    attach();
    probe->count_blocks(true);
    // inc rax;  mov rbx, [rsi];  inc rax;  hlt, where the access faults
    processor.place(code, {0x48, 0xff, 0xc0, 0x48, 0x8b, 0x1e, 0x48, 0xff, 0xc0, 0xf4});
    processor[RSI] = 0x5000'0000;
    EXPECT_FALSE(processor.run_to_halt());
    EXPECT_EQ(processor.stopped_in_vector(), 14);
    auto counts = take_counts();
    EXPECT_EQ(counts[code], (Count{1, 1}));
    EXPECT_EQ(total(counts), processor.cpu.instructions());
}

TEST_F(ProfileProbeTest, BlocksAreCountedInSlicesOfAnyLength) {
    attach();
    probe->count_blocks(true);
    place_loop(processor, 1000);
    processor.cpu.state.rip = code;
    for (std::int64_t slice = 1; processor.cpu.run(slice) == RunResult::Budget;
         slice = slice % 7 + 1)
        ;
    auto counts = take_counts();
    EXPECT_EQ(total(counts), processor.cpu.instructions());
    EXPECT_EQ(processor.cpu.instructions(), 4001u);
}

TEST_F(ProfileProbeTest, CountingBeginsAndEndsWhileTheProgramRuns) {
    attach();
    place_loop(processor, 10'000);
    probe->sample_every(1000, 0);
    std::uint64_t counted = 0;
    on_sample = [&] {
        if (samples.size() == 5) probe->count_blocks(true);
        if (samples.size() == 9) {
            probe->count_blocks(false);
            counted = total(take_counts());
        }
    };
    ASSERT_TRUE(processor.run_to_halt());
    EXPECT_EQ(counted, 4000u);
    EXPECT_TRUE(take_counts().empty());
    EXPECT_EQ(processor.cpu.instructions(), 40'001u);
}

TEST_F(ProfileProbeTest, NothingIsCountedOnceTheProbeIsGone) {
    attach();
    probe->count_blocks(true);
    place_loop(processor, 10);
    ASSERT_TRUE(processor.run_to_halt());
    probe.reset();
    place_loop(processor, 100);
    ASSERT_TRUE(processor.run_to_halt());
    EXPECT_TRUE(samples.empty());
}

TEST_F(ProfileProbeTest, MemoryIsReadAsTheGuestMapsIt) {
    processor.map(0x4000'0000, data);
    processor.map(0x4000'1000, TestBus::device);
    processor.write<std::uint32_t>(data + 0xffc, 0x1234'5678);
    const auto bytes = processor.cpu.memory_at(0x4000'0ffc);
    ASSERT_EQ(bytes.size(), 4u);
    EXPECT_EQ(bytes[3], std::byte{0x12});
    EXPECT_TRUE(processor.cpu.memory_at(0x4000'1000).empty()) << "a device";
    EXPECT_TRUE(processor.cpu.memory_at(0x7000'0000).empty()) << "not mapped";
    EXPECT_EQ(processor.bus.device_accesses, 0u);
}

}  // namespace
}  // namespace backplane::interp::testing
