// Traces as others read them: JSON that parses, slices that nest, counts that agree.
#include "in_time.h"
#include "published.h"
#include "recording_file.h"
#include "support/trace_reader.h"
#include "tracer.h"

#include <backplane/abi/block.h>
#include <backplane/testing/device_bench.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>

namespace backplane::profiler {
namespace {

using namespace testing;
using backplane::testing::DeviceBench;
using nlohmann::json;
using ::testing::HasSubstr;

class TracerTest : public ::testing::Test {
protected:
    using Settings = std::vector<backplane::testing::Setting>;

    void start(Settings settings = {}) {
        settings.emplace_back("file", file.path.string());
        bench = std::make_unique<DeviceBench>(Declaration<Tracer>::device_type(),
                                              std::move(settings));
        ASSERT_TRUE(bench->power_on()) << bench->failure();
    }
    template <class Payload>
    void publish(const Payload& event) {
        Topic<Payload>{*bench->host().functions()}.publish(event);
    }
    template <class Payload>
    bool wanted() {
        return Topic<Payload>{*bench->host().functions()}.wanted();
    }
    std::uint64_t statistic(const char* name) { return bench->statistic(name); }
    // What was traced until now.
    json finish() {
        bench.reset();
        return read_trace(file.path);
    }

    RecordingFile file{".json"};
    std::unique_ptr<DeviceBench> bench;
    const std::uint64_t now = event_host_time();
};

InterruptLine line_at(std::uint64_t time, const char* source, const char* target) {
    InterruptLine line{};
    line.origin = origin_at(time, source);
    put_event_name(line.target, target);
    line.level = 1;
    return line;
}

InterruptMessage message_at(std::uint64_t time, const char* source, const char* target,
                            std::uint32_t data) {
    InterruptMessage message{};
    message.origin = origin_at(time, source);
    put_event_name(message.target, target);
    message.data = data;
    return message;
}

InterruptTaken taken_at(std::uint64_t time, const char* controller, std::uint32_t vector) {
    InterruptTaken taken{};
    taken.origin = origin_at(time, controller);
    put_event_name(taken.target, "cpu0");
    taken.vector = vector;
    return taken;
}

TEST_F(TracerTest, AProcessorRunsHaltsAndHandlesInterrupts) {
    start();
    publish(exception_at(now, 14, 0x1234, 6));
    publish(halt_at(now + 1000, true));
    publish(halt_at(now + 5000, false));
    publish(interrupt_at(now + 5100, 0xec, 0x7000));
    publish(return_at(now + 6100, 0x7000));
    publish(halt_at(now + 7000, true));
    const json trace = finish();
    const auto slices = of_phase(trace, "X");
    ASSERT_GE(slices.size(), 4u);
    EXPECT_EQ(slices[0]["name"], "running");
    EXPECT_DOUBLE_EQ(slices[0]["dur"], 1.0);
    EXPECT_EQ(slices[1]["name"], "halted");
    EXPECT_DOUBLE_EQ(slices[1]["dur"], 4.0);
    EXPECT_EQ(slices[2]["name"], "interrupt 0xec");
    EXPECT_DOUBLE_EQ(slices[2]["dur"], 1.0);
    EXPECT_EQ(slices[3]["name"], "running");
    const auto instants = of_phase(trace, "i");
    ASSERT_EQ(instants.size(), 1u);
    EXPECT_EQ(instants[0]["name"], "Page fault");
    EXPECT_EQ(instants[0]["args"]["address"], "0x1234");
    EXPECT_EQ(instants[0]["args"]["why"], "write to a page that is not there");
    EXPECT_EQ(thread_name(trace, slices[0]), "cpu0");
    EXPECT_EQ(not_nested(trace), "");
}

TEST_F(TracerTest, AProcessorThatWakesFirstWasHalted) {
    start();
    publish(halt_at(now + 1000, false));
    publish(halt_at(now + 3000, true));
    const auto slices = of_phase(finish(), "X");
    ASSERT_GE(slices.size(), 1u);
    EXPECT_EQ(slices[0]["name"], "running");
    EXPECT_DOUBLE_EQ(slices[0]["dur"], 2.0);
}

TEST_F(TracerTest, InterruptsHaveFlowsFromTheLineThatWasRaised) {
    start();
    publish(exception_at(now, 3, 0, 0));  // from here on the processor is known
    publish(line_at(now + 100, "com1.irq", "ioapic0"));
    publish(message_at(now + 110, "ioapic0", "lapic0", 0x31));
    publish(taken_at(now + 200, "lapic0", 0x31));
    publish(interrupt_at(now + 210, 0x31, 0x7000));
    publish(return_at(now + 300, 0x7000));
    const json trace = finish();
    const auto begins = of_phase(trace, "s"), steps = of_phase(trace, "t"),
               ends = of_phase(trace, "f");
    ASSERT_EQ(begins.size(), 1u);
    ASSERT_EQ(steps.size(), 1u);
    ASSERT_EQ(ends.size(), 1u);
    EXPECT_EQ(begins[0]["id"], ends[0]["id"]);
    EXPECT_EQ(begins[0]["id"], steps[0]["id"]);
    EXPECT_EQ(ends[0]["bp"], "e");
    // Each is at a slice.
    EXPECT_EQ(slice_at(trace, begins[0])["name"], "com1.irq");
    EXPECT_EQ(slice_at(trace, steps[0])["name"], "ioapic0 message");
    EXPECT_EQ(slice_at(trace, ends[0])["name"], "interrupt 0x31");
}

TEST_F(TracerTest, AnInterruptWithoutAKnownCauseHasNoFlow) {
    start();
    publish(exception_at(now, 3, 0, 0));
    publish(message_at(now + 10, "pci0", "lapic0", 0x41));
    publish(message_at(now + 20, "lapic1", "lapic0", 0x400));  // an NMI
    publish(taken_at(now + 100, "lapic0", 0xec));              // of its own timer
    publish(interrupt_at(now + 110, 0xec, 0x7000));
    publish(return_at(now + 120, 0x7000));
    publish(taken_at(now + 200, "lapic0", 0x41));
    publish(interrupt_at(now + 210, 0x41, 0x7000));
    publish(return_at(now + 220, 0x7000));
    publish(line_at(now + 300, "pit0.irq", "pic0"));
    publish(line_at(now + 310, "pic0.intr", "cpu0"));
    publish(taken_at(now + 320, "pic0", 0x20));
    publish(interrupt_at(now + 330, 0x20, 0x7000));
    publish(return_at(now + 340, 0x7000));
    const json trace = finish();
    const auto ends = of_phase(trace, "f"), begins = of_phase(trace, "s");
    ASSERT_EQ(begins.size(), 2u);
    ASSERT_EQ(ends.size(), 2u);
    EXPECT_EQ(slice_at(trace, ends[0])["name"], "interrupt 0x41");
    EXPECT_EQ(slice_at(trace, begins[0])["name"], "pci0 message");
    EXPECT_EQ(slice_at(trace, ends[1])["name"], "interrupt 0x20");
    EXPECT_EQ(slice_at(trace, begins[1])["name"], "pit0.irq");
}

TEST_F(TracerTest, RequestsAreAsynchronous) {
    start();
    const BlockStarted a = request_at(now + 100, 1, BACKPLANE_BLOCK_READ),
                       b = request_at(now + 200, 2, BACKPLANE_BLOCK_WRITE),
                       c = request_at(now + 300, 3, BACKPLANE_BLOCK_FLUSH);
    publish(a);
    publish(b);
    publish(c);
    publish(end_of(b, now + 400));
    publish(end_of(a, now + 900, BACKPLANE_BLOCK_FAILED));
    EXPECT_EQ(statistic("events.io"), 2u);
    const json trace = finish();
    const auto begins = of_phase(trace, "b"), ends = of_phase(trace, "e");
    ASSERT_EQ(begins.size(), 3u);
    ASSERT_EQ(ends.size(), 2u) << "one never ended";
    EXPECT_EQ(begins[2]["name"], "flush");
    EXPECT_EQ(ends[0]["id"], 2);
    EXPECT_EQ(ends[0]["args"]["result"], "ok");
    EXPECT_EQ(ends[1]["id"], 1);
    EXPECT_EQ(ends[1]["args"]["result"], "failed");
    EXPECT_EQ(begins[1]["args"]["from"], "nvme0");
    EXPECT_EQ(begins[1]["cat"], "disk0-image");
    EXPECT_NEAR(ends[1]["ts"].get<double>() - begins[1]["ts"].get<double>(), 0.8, 1e-6);
}

TEST_F(TracerTest, AccessesAndCompilesAreInTheirLanes) {
    start();
    DeviceAccess access{};
    access.origin = origin_at(now, "com1.registers");
    access.duration = 250;
    access.address = 0x3f8;
    access.value = 0x41;
    access.size = access.count = 1;
    access.kind = BACKPLANE_ACCESS_PORT | BACKPLANE_ACCESS_WRITE;
    publish(access);
    BlockCompiled block{};
    block.tier = 1;
    block.nanoseconds = 3000;
    block.linear = 0x1234;
    publish(block);
    EXPECT_EQ(statistic("events.device"), 1u);
    EXPECT_EQ(statistic("events.jit"), 1u);
    const json trace = finish();
    const auto slices = of_phase(trace, "X");
    ASSERT_EQ(slices.size(), 1u);
    EXPECT_EQ(slices[0]["name"], "com1.registers write");
    EXPECT_EQ(slices[0]["args"]["port"], "0x3f8");
    EXPECT_EQ(slices[0]["args"]["value"], "0x41");
    EXPECT_DOUBLE_EQ(slices[0]["dur"], 0.25);
    EXPECT_EQ(of_phase(trace, "b").at(0)["name"], "tier 1");
    EXPECT_EQ(process_name(trace, slices[0]), "device");
    EXPECT_EQ(process_name(trace, of_phase(trace, "b").at(0)), "jit");
}

TEST_F(TracerTest, LanesThatAreOffAreNotAskedFor) {
    start({{"vcpu", 0}, {"device", 0}, {"jit", 0}});
    EXPECT_FALSE(wanted<CpuInterrupt>());
    EXPECT_FALSE(wanted<CpuException>());
    EXPECT_FALSE(wanted<DeviceAccess>());
    EXPECT_FALSE(wanted<InterruptLine>());
    EXPECT_FALSE(wanted<BlockCompiled>());
    EXPECT_TRUE(wanted<BlockCompleted>());
}

TEST_F(TracerTest, EventsThatFindTheRingFullAreCounted) {
    // More at once than a writer can take away: it has to wait for the ring meanwhile.
    start({{"events", 16}});
    constexpr std::uint64_t count = 200'000;
    for (std::uint64_t i = 0; i < count; ++i)
        publish(exception_at(now + i, 14, i, 0));
    const std::uint64_t dropped = statistic("dropped.vcpu"), taken = statistic("events.vcpu");
    EXPECT_EQ(taken + dropped, count);
    EXPECT_GT(dropped, 0u);
    const json trace = finish();
    const json& summary = summary_of(trace);
    EXPECT_EQ(of_phase(trace, "i").size(), taken);
    EXPECT_EQ(summary["dropped"]["vcpu"].get<std::uint64_t>() +
                  summary["recorded"]["vcpu"].get<std::uint64_t>(),
              count + 1)
        << "and that the processor runs";
    const auto counters = of_phase(trace, "C");
    ASSERT_FALSE(counters.empty());
    EXPECT_GT(counters.back()["args"]["vcpu"], 0);
}

TEST_F(TracerTest, ATraceHasALimit) {
    start({{"limit", Bytes{64 << 10}}});
    for (std::uint64_t i = 0; i < 10'000; ++i)
        publish(exception_at(now + i, 14, i, 0));
    // The writer drops them when it has said so; of so few bytes there are fewer events.
    ASSERT_TRUE(in_time([&] { return statistic("events.vcpu") < 1000; }));
    EXPECT_GT(statistic("dropped.vcpu"), 0u);
    ASSERT_EQ(bench->host().log_lines.size(), 1u);
    EXPECT_THAT(bench->host().log_lines[0].text, HasSubstr("has reached its limit"));
    const std::uint64_t recorded = statistic("events.vcpu");
    const json trace = finish();
    EXPECT_EQ(of_phase(trace, "i").size(), recorded);
    EXPECT_LT(std::filesystem::file_size(file.path), 70u << 10);
    EXPECT_EQ(summary_of(trace)["recorded"]["vcpu"], recorded);
}

TEST_F(TracerTest, FilesThatCannotBeWrittenAreSaidBeforeTheGuestRuns) {
    const auto failure_of = [](const char* path) {
        DeviceBench refused{Declaration<Tracer>::device_type(), {{"file", std::string{path}}}};
        EXPECT_FALSE(refused.power_on());
        return refused.failure();
    };
    EXPECT_THAT(failure_of("/nowhere/at/all.json"),
                HasSubstr("file: cannot open \"/nowhere/at/all.json\" for writing: No such file"));
    EXPECT_THAT(failure_of("/dev/full"),
                HasSubstr("cannot write to \"/dev/full\": No space left on device"));
}

// ---- The end of the program, and of the disk ----

void trace_for_ever(const std::filesystem::path& path) {
    TraceRing ring;
    ring.set_capacity(1000);
    TraceWriter writer{ring};
    if (!writer.start(path, event_host_time(), 1u << 30, [](const std::string&) {})) _exit(1);
    for (std::uint64_t i = 0;; ++i)
        ring.add({.start = event_host_time(), .duration = 0, .subject = exception_at(i, 14, i, 0)});
}

void expect_readable_after_kill(const RecordingFile& file) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) trace_for_ever(file.path);
    const auto enough = [&] {
        std::error_code error;
        return std::filesystem::file_size(file.path, error) > 200'000 && !error;
    };
    EXPECT_TRUE(in_time(enough));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
    const std::string text = read_text(file.path);
    ASSERT_FALSE(text.ends_with("]\n"));
    // As far as its last whole line, with the end that the format leaves out.
    const std::size_t last = text.rfind(",\n");
    ASSERT_NE(last, std::string::npos);
    const json trace = json::parse(text.substr(0, last) + "]", nullptr, false);
    ASSERT_FALSE(trace.is_discarded());
    EXPECT_GT(of_phase(trace, "i").size(), 500u);
}

TEST(TraceFiles, AreReadableAfterTheirProgramWasKilled) {
    expect_readable_after_kill(RecordingFile{".json"});
}

TEST(TraceFiles, AreReadableAfterTheirProgramWasKilledAlsoCompressed) {
    expect_readable_after_kill(RecordingFile{".json.gz"});
}

TEST(TraceFiles, AFullDiskIsToldOnceAndWhatIsLostIsCounted) {
    const RecordingFile file{".json"};
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{300'000, 300'000};
        setrlimit(RLIMIT_FSIZE, &limit);
        int told = 0;
        std::string said;
        TraceRing ring;
        ring.set_capacity(1 << 20);
        TraceWriter writer{ring};
        if (!writer.start(file.path, 0, 1u << 30, [&](const std::string& text) {
                ++told;
                said = text;
            }))
            _exit(1);
        for (std::uint64_t i = 0; i < 10'000; ++i)
            ring.add({.start = i, .duration = 0, .subject = exception_at(i, 14, i, 0)});
        writer.stop();
        const bool is_right = told == 1 && ring.taken()[0] + ring.dropped()[0] == 10'000 &&
                              ring.dropped()[0] > 5'000 &&
                              said.find("File too large; events are lost") != std::string::npos;
        _exit(is_right ? 0 : 2);
    }
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(TraceFiles, CompressedOnesSayTheSame) {
    const RecordingFile file{".json.gz"};
    {
        DeviceBench bench{Declaration<Tracer>::device_type(), {{"file", file.path.string()}}};
        ASSERT_TRUE(bench.power_on());
        Topic<CpuException>{*bench.host().functions()}.publish(
            exception_at(event_host_time(), 14, 0, 0));
    }
    EXPECT_EQ(of_phase(read_trace(file.path), "i").size(), 1u);
}

}  // namespace
}  // namespace backplane::profiler
