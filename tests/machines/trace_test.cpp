// Traces of Linux with a disk, on one processor and on four: they parse, slices nest, and what they
// have of each kind is what the statistics say.
#include "support/guest_session.h"
#include "support/temp_path.h"
#include "support/trace_reader.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <set>

namespace backplane::test {
namespace {

using nlohmann::json;
using profiler::testing::nanoseconds;
using profiler::testing::of_phase;
using profiler::testing::read_trace;
using profiler::testing::slice_at;
using profiler::testing::summary_of;
using profiler::testing::thread_name;

struct Traced {
    json trace, components;
    const json& statistics(const std::string& component) const {
        return components.at(component).at("statistics");
    }
};

Traced boot(const std::string& machine, std::vector<std::string> more) {
    const std::string image = temp_path("disk.raw"), file = temp_path("boot.json.gz"),
                      counters = temp_path("counters.json");
    std::ofstream{image}.close();
    std::filesystem::resize_file(image, 16 << 20);
    // More than a megabyte in, and some out.
    const std::string work = "dd if=/dev/vda of=/dev/null bs=64k count=20; "
                             "dd if=/dev/zero of=/dev/vda bs=4k count=10; sync";
    std::vector<std::string> arguments{"--kernel", paths::disks_kernel,
                                       "--initrd", paths::disks_initrd,
                                       "--append", "console=ttyS0 backplane_run=\"" + work + "\"",
                                       "--disk",   image,
                                       "--trace",  file,
                                       "--stats",  counters,
                                       "-p",       "trace.events=4000000",
                                       "--serial", "none"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    GuestSession session{machine, arguments, Input::Null};
    EXPECT_EQ(session.exit_code(std::chrono::seconds{600}), 0) << session.unread();
    Traced traced{.trace = read_trace(file),
                  .components = json::parse(std::ifstream{counters}).at("components")};
    for (const std::string& each : {image, file, counters})
        std::filesystem::remove(each);
    return traced;
}

// Events by the processor that they are of.
std::map<std::string, std::uint64_t> count(const json& trace, const std::vector<json>& events,
                                           auto is_one) {
    std::map<std::pair<int, int>, std::uint64_t> by_thread;
    for (const json& event : events)
        if (event["pid"] == 1 && is_one(event)) ++by_thread[{event["pid"], event["tid"]}];
    std::map<std::string, std::uint64_t> counts;
    for (const auto& [thread, number] : by_thread)
        counts[thread_name(trace, {{"pid", thread.first}, {"tid", thread.second}})] = number;
    return counts;
}

void expect_true(const Traced& traced, const std::vector<std::string>& cpus) {
    const json& trace = traced.trace;
    EXPECT_EQ(profiler::testing::not_nested(trace), "");
    const auto slices = of_phase(trace, "X"), instants = of_phase(trace, "i"),
               begins = of_phase(trace, "b"), ends = of_phase(trace, "e");
    const auto handlers = count(trace, slices, [](const json& event) {
        return event["name"].get<std::string>().starts_with("interrupt ") || event["name"] == "NMI";
    });
    const auto exceptions = count(trace, instants, [](const json&) { return true; });
    const auto faults = count(trace, instants,
                              [](const json& event) { return event["name"] == "Page fault"; });
    EXPECT_GT(handlers.at(cpus.front()), 0u);
    EXPECT_GT(faults.at(cpus.front()), 0u);
    std::uint64_t controller = 0;
    for (const std::string& cpu : cpus) {
        const json& statistics = traced.statistics(cpu);
        // One that came late may have had nothing to do.
        const auto of_cpu = [&](const std::map<std::string, std::uint64_t>& counts) {
            const auto found = counts.find(cpu);
            return found != counts.end() ? found->second : 0;
        };
        EXPECT_EQ(of_cpu(handlers), statistics.at("interrupts")) << cpu;
        EXPECT_EQ(of_cpu(exceptions), statistics.at("exceptions")) << cpu;
        EXPECT_EQ(of_cpu(faults), statistics.at("exceptions_pf")) << cpu;
        controller += statistics.at("device_reads").get<std::uint64_t>();
    }
    EXPECT_GT(controller, 0u);

    // Each request has a begin and an end, and they are those of the image.
    ASSERT_GT(begins.size(), 0u);
    std::map<std::string, std::uint64_t> requests, bytes;
    std::set<std::uint64_t> open;
    for (const json& begin : begins)
        if (begin["cat"] == "disk0-image") {
            ++requests[begin["name"]];
            bytes[begin["name"]] += begin["args"]["bytes"].get<std::uint64_t>();
            EXPECT_TRUE(open.insert(begin["id"].get<std::uint64_t>()).second);
        }
    for (const json& end : ends)
        if (end["cat"] == "disk0-image") {
            EXPECT_EQ(open.erase(end["id"].get<std::uint64_t>()), 1u);
            EXPECT_EQ(end["args"]["result"], "ok");
        }
    EXPECT_TRUE(open.empty());
    const json& image = traced.statistics("disk0-image");
    EXPECT_EQ(requests["flush"], image.at("flushes"));
    EXPECT_EQ(bytes["read"], image.at("bytes.read"));
    EXPECT_EQ(bytes["write"], image.at("bytes.written"));
    EXPECT_GT(bytes["read"], 1u << 20);
    EXPECT_GE(bytes["write"], 10u * 4096);

    // Arrows lead from causes to interrupts, and not back in time.
    std::map<std::uint64_t, long long> starts;
    for (const json& begin : of_phase(trace, "s"))
        starts[begin["id"]] = nanoseconds(begin["ts"]);
    const auto arrivals = of_phase(trace, "f");
    EXPECT_GT(arrivals.size(), 50u);
    for (const json& arrival : arrivals) {
        ASSERT_TRUE(starts.contains(arrival["id"]));
        EXPECT_LE(starts[arrival["id"]], nanoseconds(arrival["ts"]));
    }

    for (const char* lane : {"vcpu", "device", "io", "jit"}) {
        EXPECT_EQ(summary_of(trace)["dropped"][lane], 0) << lane;
        EXPECT_EQ(summary_of(trace)["recorded"][lane],
                  traced.statistics("trace").at(std::string{"events."} + lane))
            << lane;
        EXPECT_GT(summary_of(trace)["recorded"][lane], 0) << lane;
    }
    std::cout << trace.size() << " elements, " << arrivals.size() << " interrupts with a cause\n";
}

TEST(Trace, OfALinuxBootIsTrue) { expect_true(boot("q35-virtio", {}), {"cpu0"}); }

TEST(Trace, OfALinuxBootOnFourProcessorsIsTrue) {
    const std::filesystem::path folder{std::string{paths::source} + "/machines"},
        file{temp_path("smp.yaml")};
    std::ofstream{file} << "include: [" << (folder / "q35-virtio.yaml").string() << ", "
                        << (folder / "common/four-cpus.yaml").string() << ", "
                        << (folder / "common/four-cpus-firmware.yaml").string() << "]\n";
    const auto machine = std::filesystem::relative(file, folder).replace_extension();
    expect_true(boot(machine.string(), {}), {"cpu0", "cpu1", "cpu2", "cpu3"});
}

}  // namespace
}  // namespace backplane::test
