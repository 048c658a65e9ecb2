// `backplane run --trace`, as people use it, on a self-test program.
#include "support/guest_session.h"
#include "support/paths.h"
#include "support/temp_path.h"
#include "support/trace_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace backplane::test {
namespace {

using nlohmann::json;
using profiler::testing::of_phase;
using profiler::testing::read_trace;
using profiler::testing::summary_of;
using ::testing::HasSubstr;

constexpr int passed = 0xff;  // (0x7f << 1) | 1

struct Ran {
    int exit_code;
    std::string output;
};

Ran run(std::vector<std::string> more, const std::string& program = "paging") {
    std::vector<std::string> arguments{"--no-reboot", "--timeout", "60", "-p",
                                       std::string{"rom0.image="} + paths::self_tests + "/" +
                                           program + ".bin"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    GuestSession session{"../tests/selftest/machine", arguments, Input::Null};
    const auto code = session.exit_code(std::chrono::seconds{90});
    return {code.value_or(-1), session.unread()};
}

json statistics(const std::string& file, const std::string& component) {
    const auto all = json::parse(std::ifstream{file});
    return all.at("components").at(component).at("statistics");
}

TEST(TraceRun, AgreesWithTheStatisticsInBothEngines) {
    for (const char* engine : {"cpu.interp", "cpu.llvmjit"}) {
        const std::string file = temp_path("trace.json.gz"), counters = temp_path("counters.json");
        const Ran ran = run({"-p", std::string{"cpu0.type="} + engine, "--trace", file, "--stats",
                             counters, "-p", "trace.events=1000000"});
        ASSERT_EQ(ran.exit_code, passed) << ran.output;
        EXPECT_THAT(ran.output, HasSubstr("trace: " + file));
        const json trace = read_trace(file), cpu = statistics(counters, "cpu0"),
                   tracer = statistics(counters, "trace");
        EXPECT_EQ(profiler::testing::not_nested(trace), "");
        std::uint64_t page_faults = 0, exceptions = 0, port_writes = 0;
        for (const json& event : of_phase(trace, "i")) {
            ++exceptions;
            page_faults += event["name"] == "Page fault";
        }
        for (const json& event : of_phase(trace, "X"))
            port_writes += event["args"].contains("port") &&
                           event["name"].get<std::string>().ends_with(" write");
        EXPECT_GT(page_faults, 10u);
        EXPECT_EQ(page_faults, cpu.at("exceptions_pf"));
        EXPECT_EQ(exceptions, cpu.at("exceptions"));
        EXPECT_GT(port_writes, 0u);
        EXPECT_LE(port_writes, cpu.at("port_writes").get<std::uint64_t>());
        for (const char* lane : {"vcpu", "device", "io", "jit"}) {
            EXPECT_EQ(summary_of(trace)["recorded"][lane],
                      tracer.at(std::string{"events."} + lane));
            EXPECT_EQ(summary_of(trace)["dropped"][lane], 0);
        }
        EXPECT_EQ(of_phase(trace, "b").empty(), std::string{engine} == "cpu.interp");
        std::filesystem::remove(file);
        std::filesystem::remove(counters);
    }
}

TEST(TraceRun, ADeterministicMachineDoesTheSameWithATracer) {
    const auto counters = [](std::vector<std::string> more) {
        const std::string file = temp_path("counters");
        more.insert(more.end(), {"-p", "machine.clock=deterministic", "--stats", file});
        EXPECT_EQ(run(std::move(more)).exit_code, passed);
        const auto json = nlohmann::json::parse(std::ifstream{file});
        std::filesystem::remove(file);
        nlohmann::json guests{{"time", json.at("guest_seconds")}};
        for (const char* name : {"instructions", "rep_iterations", "port_writes", "device_writes",
                                 "exceptions", "interrupts", "exceptions_pf"})
            guests[name] = json.at("components").at("cpu0").at("statistics").at(name);
        return guests;
    };
    const std::string file = temp_path("same.json");
    EXPECT_EQ(counters({"--trace", file}), counters({}));
    std::filesystem::remove(file);
}

TEST(TraceRun, IsOfferedBesideAProfile) {
    const std::string trace = temp_path("both.json"), profile = temp_path("both.data");
    const Ran ran = run({"--trace", trace, "--profile", profile, "-p", "trace.device=false"});
    EXPECT_EQ(ran.exit_code, passed) << ran.output;
    EXPECT_FALSE(of_phase(read_trace(trace), "i").empty());
    EXPECT_EQ(summary_of(read_trace(trace))["recorded"]["device"], 0);
    EXPECT_GT(std::filesystem::file_size(profile), 100u);
}

TEST(TraceRun, RefusesNamesAndPlacesBeforeTheGuestRuns) {
    const Ran name = run({"--trace", "trace.data"});
    EXPECT_EQ(name.exit_code, 2);
    EXPECT_THAT(name.output,
                HasSubstr("--trace trace.data: a name that ends with .json or .json.gz was "
                          "expected"));
    const Ran place = run({"--trace", "/nowhere/at/all.json"});
    EXPECT_EQ(place.exit_code, 2);
    EXPECT_THAT(place.output, HasSubstr("cannot open \"/nowhere/at/all.json\" for writing"));
}

}  // namespace
}  // namespace backplane::test
