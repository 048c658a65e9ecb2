#include "fake_cpu_profile.h"
#include "in_time.h"
#include "profile/recording_reader.h"
#include "recording_file.h"
#include "sampling_profiler.h"

#include <backplane/testing/device_bench.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

namespace backplane::profiler {
namespace {

using backplane::testing::DeviceBench;
using profile::Activity;
using testing::FakeCpuProfile;
using ::testing::HasSubstr;
using testing::in_time;
using testing::RecordingFile;
using namespace std::chrono_literals;

class SamplingProfilerTest : public ::testing::Test {
protected:
    using Settings = std::vector<backplane::testing::Setting>;

    static std::unique_ptr<DeviceBench> make(const std::filesystem::path& path,
                                             Settings settings = {}) {
        settings.emplace_back("file", path.string());
        return std::make_unique<DeviceBench>(Declaration<SamplingProfiler>::device_type(),
                                             std::move(settings));
    }
    profile::Recording recording() {
        auto read = profile::read_recording(file.path);
        EXPECT_TRUE(read) << read.error();
        return read ? *std::move(read) : profile::Recording{};
    }
    static std::uint64_t weight_of(const profile::Recording& recording, bool idle) {
        std::uint64_t sum = 0;
        for (const profile::Sample& sample : recording.samples)
            if (sample.is_idle() == idle) sum += sample.weight;
        return sum;
    }

    RecordingFile file;
    FakeCpuProfile cpu;
};

TEST_F(SamplingProfilerTest, AsksAtItsRateAndRecordsWhatComes) {
    const auto started = std::chrono::steady_clock::now();
    {
        auto bench = make(file.path, {{"frequency", 1000}});
        bench->connect("cpus", cpu);
        ASSERT_TRUE(bench->power_on()) << bench->failure();
        ASSERT_TRUE(in_time([&] { return bench->statistic("samples.compiled_code") > 20; }));
        // That these stand still.
        cpu.is_outside = true;
        ASSERT_TRUE(in_time([&] { return bench->statistic("samples.idle") != 0; }));
        EXPECT_EQ(bench->statistic("samples.compiled_code"), bench->statistic("samples.exact"));
    }
    const auto took = std::chrono::steady_clock::now() - started;
    const profile::Recording found = recording();
    EXPECT_TRUE(found.is_complete);
    EXPECT_EQ(found.settings.frequency, 1000u);
    EXPECT_EQ(weight_of(found, false) + weight_of(found, true), cpu.requests);
    // On an absolute schedule: as many as there are periods, however late some were.
    EXPECT_LE(cpu.requests, static_cast<std::uint64_t>(took / 1ms) + 1);
    EXPECT_GE(cpu.requests, 20u);
    EXPECT_EQ(cpu.profiler, nullptr) << "detached";
}

TEST(JitMarkers, AreOfBlocksThatWereCompiled) {
    backplane::testing::FakeClock clock;
    backplane::testing::FakeHost host{clock};
    JitMarkers markers;
    EXPECT_TRUE(markers.take(1000).empty()) << "not started";
    markers.start(*host.functions());
    const Topic<BlockCompiled> topic{*host.functions()};
    EXPECT_TRUE(topic.wanted());
    BlockCompiled event{};
    event.linear = 0x1234;
    event.nanoseconds = 5000;
    event.tier = 1;
    event.instructions = 7;
    event.code_bytes = 100;
    event.cold_code_bytes = 20;
    topic.publish(event);
    const auto taken = markers.take(1'000'000);
    ASSERT_EQ(taken.size(), 1u);
    EXPECT_EQ(taken[0].host_time, 995'000u);
    EXPECT_EQ(taken[0].duration, 5000u);
    EXPECT_EQ(taken[0].text, "tier 1: 7 instructions at 0x1234, 120 bytes of code");
    EXPECT_TRUE(markers.take(1'000'000).empty());
    markers.stop();
    EXPECT_FALSE(topic.wanted());
}

TEST_F(SamplingProfilerTest, IdleTimeIsRecordedInFewSamples) {
    cpu.is_outside = true;
    const auto started = std::chrono::steady_clock::now();
    {
        auto bench = make(file.path);
        bench->connect("cpus", cpu);
        ASSERT_TRUE(bench->power_on());
        ASSERT_TRUE(in_time([&] { return cpu.requests > 20; }));
    }
    // A new one is begun each time that they are written, which is once a second.
    const auto took = std::chrono::steady_clock::now() - started;
    const profile::Recording found = recording();
    EXPECT_LE(found.samples.size(), 2 + static_cast<std::uint64_t>(took / 1s));
    EXPECT_EQ(weight_of(found, true), cpu.requests);
}

TEST_F(SamplingProfilerTest, CountedSamplesAreNotAskedFor) {
    {
        auto bench = make(file.path, {{"instructions", 5000}});
        bench->connect("cpus", cpu);
        ASSERT_TRUE(bench->power_on());
        EXPECT_EQ(cpu.interval, 5000u);
        std::this_thread::sleep_for(120ms);
        cpu.tell(cpu.next);
    }
    EXPECT_EQ(cpu.requests, 0u);
    EXPECT_EQ(recording().samples.size(), 1u);
    EXPECT_EQ(recording().settings.frequency, 0u);
}

TEST_F(SamplingProfilerTest, RecordsTheCodeAroundSamplesOnce) {
    for (std::uint64_t i = 0; i < 0x400; ++i)
        cpu.memory[0x1000 + i] = static_cast<std::uint8_t>(i);
    {
        auto bench = make(file.path, {{"instructions", 5000}});
        bench->connect("cpus", cpu);
        ASSERT_TRUE(bench->power_on());
        for (const std::uint64_t pc : {0x1004, 0x1010, 0x1104, 0x1008})
            cpu.tell(FakeCpuProfile::sample_at(pc));
    }
    const profile::Recording found = recording();
    ASSERT_EQ(found.code.size(), 2u);
    EXPECT_EQ(found.code[0].address, 0x1000u);
    EXPECT_EQ(found.code[0].bytes.size(), 256u + 15);
    EXPECT_EQ(found.code[1].address, 0x1100u);
}

TEST_F(SamplingProfilerTest, BlockCountsAreInTheRecordingAndInTheReport) {
    backplane_block_count block{};
    block.struct_size = sizeof block;
    block.length = 4;
    block.pc = 0x1234;
    block.hits = 10;
    block.instructions = 40;
    cpu.blocks = {block};
    auto bench = make(file.path, {{"count-blocks", 1}, {"instructions", 100}});
    bench->connect("cpus", cpu);
    ASSERT_TRUE(bench->power_on());
    EXPECT_TRUE(cpu.counts);
    backplane_cpu_sample later = cpu.next;
    later.host_time = 2'000'000'000;
    cpu.tell(later);
    std::string text;
    const auto service = bench->service<backplane_reports>("reports");
    const auto take = [](void* user, const char* part, std::uint64_t length) {
        static_cast<std::string*>(user)->append(part, length);
    };
    EXPECT_EQ(service->write(service.object(), 0, "", take, &text), BACKPLANE_OK);
    EXPECT_THAT(text, HasSubstr("0x0000000000001234  10"));
    EXPECT_THAT(text, HasSubstr("100.00 %"));
    text.clear();
    EXPECT_EQ(service->write(service.object(), 0, "many", take, &text), BACKPLANE_FAILED);
    EXPECT_THAT(text, HasSubstr("a number of blocks was expected"));
    bench.reset();
    const profile::Recording found = recording();
    ASSERT_EQ(found.blocks.size(), 1u);
    EXPECT_EQ(found.blocks[0].hits, 10u);
}

TEST_F(SamplingProfilerTest, AFileThatCannotBeWrittenIsSaidBeforeTheGuestRuns) {
    auto bench = make("/nowhere/at/all.data");
    bench->connect("cpus", cpu);
    EXPECT_FALSE(bench->power_on());
    EXPECT_THAT(bench->failure(), HasSubstr("file: cannot open \"/nowhere/at/all.data\" for "
                                            "writing: No such file or directory"));
    auto full = make("/dev/full");
    full->connect("cpus", cpu);
    EXPECT_FALSE(full->power_on());
    EXPECT_THAT(full->failure(),
                HasSubstr("cannot write to \"/dev/full\": No space left on device"));
}

TEST_F(SamplingProfilerTest, ProcessorsAreNeededAndHaveOneProfilerEach) {
    auto none = make(file.path);
    EXPECT_FALSE(none->power_on());
    EXPECT_THAT(none->failure(), HasSubstr("cpus: name the processors to profile"));
    auto twice = make(file.path);
    twice->connect("cpus", cpu).connect("cpus", cpu);
    EXPECT_FALSE(twice->power_on());
    EXPECT_THAT(twice->failure(), HasSubstr("processor 1 of the list has a profiler already"));
    EXPECT_EQ(cpu.profiler, nullptr);
}

TEST_F(SamplingProfilerTest, AFrequencyOf0IsOutOfItsRange) {
    const backplane_device_type& type = *Declaration<SamplingProfiler>::device_type();
    bool is_found = false;
    for (std::uint32_t i = 0; i < type.property_count; ++i) {
        if (std::string_view{type.properties[i].name} != "frequency") continue;
        is_found = true;
        EXPECT_EQ(type.properties[i].minimum.u, 1u);
        EXPECT_EQ(type.properties[i].initial.u, 1000u);
    }
    EXPECT_TRUE(is_found);
}

// ---- The recorder ----

Batch batch_of(std::size_t samples) {
    Batch batch;
    for (std::size_t i = 0; i < samples; ++i) {
        profile::Sample sample;
        sample.activity = Activity::Interpreter;
        sample.pc = i;
        batch.samples.push_back(sample);
    }
    return batch;
}

TEST(Recorder, WhatWasWrittenIsReadableAfterItsProgramWasKilled) {
    const RecordingFile file;
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        Recorder recorder;
        if (!recorder.start(file.path, {}, [](const std::string&) {})) _exit(1);
        for (;;)
            recorder.add(batch_of(1000));
    }
    const auto enough = [&] {
        std::error_code error;
        return std::filesystem::file_size(file.path, error) > 1'000'000 && !error;
    };
    EXPECT_TRUE(in_time(enough));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
    const auto recording = profile::read_recording(file.path);
    ASSERT_TRUE(recording) << recording.error();
    EXPECT_FALSE(recording->is_complete);
    EXPECT_GE(recording->samples.size(), 1000u);
    EXPECT_EQ(recording->samples.size() % 1000, 0u) << "whole batches";
}

TEST(Recorder, AFullDiskIsToldOnceAndWhatIsLostIsCounted) {
    // A file may become so large and no larger, as on a disk that is full.
    const RecordingFile file;
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{100'000, 100'000};
        setrlimit(RLIMIT_FSIZE, &limit);
        int told = 0;
        std::string said;
        Recorder recorder;
        if (!recorder.start(file.path, {}, [&](const std::string& text) {
                ++told;
                said = text;
            }))
            _exit(1);
        for (int i = 0; i < 10; ++i)
            recorder.add(batch_of(1000));
        recorder.stop();
        const bool is_right = told == 1 && recorder.lost() >= 8000 && recorder.lost() <= 10'000 &&
                              said.find("File too large; samples are lost") != std::string::npos;
        _exit(is_right ? 0 : 2);
    }
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
    EXPECT_TRUE(profile::read_recording(file.path));
}

// ---- The sampling thread ----

TEST(SamplingThread, MakesUpForBeingLate) {
    int at_once = 0;
    // The host may add delays of its own, some for too long to be made up for.
    for (int attempt = 0; attempt < 20 && at_once < 15; ++attempt) {
        std::vector<SamplingThread::Clock::time_point> ticks;
        std::atomic<bool> is_enough{false};
        SamplingThread thread;
        const auto started = SamplingThread::Clock::now();
        thread.start(4ms, [&](SamplingThread::Clock::time_point now) {
            ticks.push_back(now);
            if (ticks.size() == 1) std::this_thread::sleep_for(120ms);
            if (ticks.size() == 60) is_enough = true;
        });
        ASSERT_TRUE(in_time([&] { return is_enough.load(); }));
        thread.stop();
        at_once = 0;
        for (std::size_t i = 1; i < 31; ++i)
            at_once += ticks[i + 1] - ticks[i] < 2ms;
        EXPECT_GE(ticks[59] - started, 60 * 4ms) << "it is never ahead";
    }
    EXPECT_GE(at_once, 15) << "those that it is behind with do not wait";
}

TEST(SamplingThread, StopsAtOnce) {
    std::atomic<int> ticks{0};
    SamplingThread thread;
    thread.start(1h, [&](SamplingThread::Clock::time_point) { ++ticks; });
    const auto before = std::chrono::steady_clock::now();
    thread.stop();
    EXPECT_LT(std::chrono::steady_clock::now() - before, 1min);
    EXPECT_EQ(ticks, 0);
    thread.stop();
}

}  // namespace
}  // namespace backplane::profiler
