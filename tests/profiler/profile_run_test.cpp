// `backplane run --profile` and `backplane profile`, as people use them, on a self-test program.
#include "profile/host_files.h"
#include "profile/recording_reader.h"
#include "support/guest_session.h"
#include "support/paths.h"
#include "support/temp_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

namespace backplane::test {
namespace {

using ::testing::HasSubstr;

constexpr int passed = 0xff;  // (0x7f << 1) | 1

struct Ran {
    int exit_code;
    std::string output;
};

Ran run(std::vector<std::string> more, const std::string& program = "long_mode") {
    std::vector<std::string> arguments{"--no-reboot", "--timeout", "60", "-p",
                                       std::string{"rom0.image="} + paths::self_tests + "/" +
                                           program + ".bin"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    GuestSession session{"../tests/selftest/machine", arguments, Input::Null};
    const auto code = session.exit_code(std::chrono::seconds{90});
    return {code.value_or(-1), session.unread()};
}

Ran profile(const std::string& words) {
    const std::string command = std::string{paths::program} + " profile " + words + " 2>&1";
    FILE* pipe = popen(command.c_str(), "r");
    std::string output;
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe))
        output += static_cast<char>(c);
    const int status = pclose(pipe);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, output};
}

profile::Recording recording_of(const std::string& file) {
    auto recording = profile::read_recording(file);
    EXPECT_TRUE(recording) << recording.error();
    return recording ? *std::move(recording) : profile::Recording{};
}

std::vector<std::string> counted(const std::string& engine, const std::string& file) {
    return {
        "-p", "cpu0.type=" + engine,      "-p", "machine.clock=deterministic", "--profile", file,
        "-p", "profiler.instructions=100"};
}

TEST(ProfileRun, CountedSamplesAreTheSameInEveryEngine) {
    const std::string first = temp_path("interp.data"), second = temp_path("jit.data");
    auto compiling = counted("cpu.llvmjit", second);
    compiling.insert(compiling.end(), {"-p", "cpu0.tier1-threshold=1"});
    ASSERT_EQ(run(counted("cpu.interp", first)).exit_code, passed);
    ASSERT_EQ(run(compiling).exit_code, passed);
    const profile::Recording interpreted = recording_of(first), compiled = recording_of(second);
    ASSERT_GT(interpreted.samples.size(), 20u);
    ASSERT_EQ(interpreted.samples.size(), compiled.samples.size());
    for (std::size_t i = 0; i < interpreted.samples.size(); ++i) {
        const profile::Sample &a = interpreted.samples[i], &b = compiled.samples[i];
        EXPECT_EQ(a.instructions, 100 * (i + 1));
        EXPECT_EQ(std::tie(a.pc, a.instructions, a.guest_time, a.address_space, a.stack_pointer,
                           a.privilege, a.code_size, a.callers),
                  std::tie(b.pc, b.instructions, b.guest_time, b.address_space, b.stack_pointer,
                           b.privilege, b.code_size, b.callers))
            << i;
    }
    std::filesystem::remove(first);
    std::filesystem::remove(second);
}

TEST(ProfileRun, ADeterministicMachineDoesTheSameWithAProfiler) {
    const auto counters = [](std::vector<std::string> more) {
        const std::string file = temp_path("counters");
        more.insert(more.end(), {"-p", "machine.clock=deterministic", "--stats", file});
        EXPECT_EQ(run(std::move(more), "paging").exit_code, passed);
        const auto json = nlohmann::json::parse(std::ifstream{file});
        std::filesystem::remove(file);
        nlohmann::json guests{{"time", json.at("guest_seconds")}};
        for (const char* name : {"instructions", "rep_iterations", "port_writes", "device_writes",
                                 "exceptions", "interrupts", "exceptions_pf"})
            guests[name] = json.at("components").at("cpu0").at("statistics").at(name);
        return guests;
    };
    const std::string file = temp_path("same.data");
    const auto plain = counters({});
    EXPECT_EQ(counters({"--profile", file}), plain);
    EXPECT_EQ(counters({"--profile", file, "-p", "profiler.instructions=77"}), plain);
    EXPECT_EQ(counters({"--profile", file, "-p", "profiler.count-blocks=true"}), plain);
    std::filesystem::remove(file);
}

TEST(ProfileRun, PageFaultsAreMarkedUnlessThatIsOff) {
    const std::string file = temp_path("marked.data"), counters = temp_path("marked.json");
    const auto faults = [&](std::vector<std::string> more) {
        more.insert(more.end(), {"--profile", file, "--stats", counters});
        EXPECT_EQ(run(std::move(more), "paging").exit_code, passed);
        const profile::Recording recording = recording_of(file);
        EXPECT_EQ(recording.lost_markers, 0u);
        return std::ranges::count(recording.markers, "Page fault", &profile::Marker::name);
    };
    const auto marked = faults({});
    EXPECT_GT(marked, 10);
    const auto json = nlohmann::json::parse(std::ifstream{counters});
    EXPECT_EQ(marked, json["components"]["cpu0"]["statistics"]["exceptions_pf"]);
    EXPECT_EQ(faults({"-p", "profiler.mark-page-faults=false"}), 0);
}

TEST(ProfileRun, BlockCountsAddUpToAllInstructions) {
    for (const char* engine : {"cpu.interp", "cpu.llvmjit"}) {
        const std::string file = temp_path("blocks.data"), counters = temp_path("blocks.json");
        ASSERT_EQ(run({"-p", std::string{"cpu0.type="} + engine, "--profile", file, "-p",
                       "profiler.count-blocks=true", "--stats", counters},
                      "protected_mode")
                      .exit_code,
                  passed);
        std::uint64_t sum = 0;
        for (const profile::BlockCount& block : recording_of(file).blocks)
            sum += block.instructions;
        const auto json = nlohmann::json::parse(std::ifstream{counters});
        EXPECT_EQ(sum, json["components"]["cpu0"]["statistics"]["instructions"]) << engine;
        std::filesystem::remove(file);
        std::filesystem::remove(counters);
    }
}

TEST(ProfileRun, OpcodesAreCountedToTheLastInstructionInEveryEngine) {
    std::map<std::string, std::uint64_t> first;
    for (const char* engine : {"cpu.interp", "cpu.llvmjit"}) {
        const std::string file = temp_path("opcodes.data"), counters = temp_path("opcodes.json");
        ASSERT_EQ(
            run({"-p", std::string{"cpu0.type="} + engine, "-p", "machine.clock=deterministic",
                 "--profile", file, "--opcodes", "p1", "--stats", counters},
                "protected_mode")
                .exit_code,
            passed);
        const auto exported = nlohmann::json::parse(profile("export " + file).output);
        const auto& summary = exported["opcode_profile"];
        EXPECT_EQ(summary["mode"], "p1");
        const auto stats = nlohmann::json::parse(std::ifstream{counters});
        EXPECT_EQ(summary["count"].get<std::uint64_t>() +
                      summary["count_unknown"].get<std::uint64_t>() -
                      summary["count_left_out"].get<std::uint64_t>(),
                  stats["instructions"].get<std::uint64_t>())
            << engine;
        EXPECT_LT(summary["count_unknown"], summary["count"].get<double>() / 10) << engine;
        std::map<std::string, std::uint64_t> counts;
        for (const auto& opcode : exported["opcodes"])
            counts[opcode["mnemonic"]] = opcode["count"];
        EXPECT_GT(counts["mov"], 100u);
        if (first.empty())
            first = counts;
        else
            EXPECT_EQ(counts, first);
        EXPECT_THAT(profile("opcodes " + file).output, HasSubstr("  mov\n"));
        std::filesystem::remove(file);
        std::filesystem::remove(counters);
    }
}

TEST(ProfileRun, TheFilesNameSaysWhatItBecomes) {
    for (const char* ending : {".json", ".json.gz", ".svg", ".html", ".folded"}) {
        const std::string file = temp_path("profile") + ending;
        const Ran ran = run({"--profile", file, "-p", "profiler.instructions=1000"});
        EXPECT_EQ(ran.exit_code, passed) << ran.output;
        EXPECT_THAT(ran.output, HasSubstr("profile: " + file));
        const auto content = profile::read_host_file(file);
        ASSERT_TRUE(content) << ending;
        EXPECT_GT(content->size(), 10u) << ending;
        EXPECT_FALSE(std::filesystem::exists(file + ".data")) << "only what was asked for stays";
        if (std::string{ending} == ".json") EXPECT_TRUE(nlohmann::json::accept(*content));
        if (std::string{ending} == ".json.gz") EXPECT_TRUE(content->starts_with("\x1f\x8b"));
        std::filesystem::remove(file);
    }
}

TEST(ProfileRun, WhatCannotBeIsSaidBeforeTheGuestRuns) {
    constexpr int bad_input = 2;
    const Ran unknown = run({"--profile", "x.txt"});
    EXPECT_EQ(unknown.exit_code, bad_input);
    EXPECT_THAT(unknown.output, HasSubstr("--profile x.txt: a name that ends with .json.gz"));
    const Ran nowhere = run({"--profile", "/nowhere/x.data"});
    EXPECT_EQ(nowhere.exit_code, bad_input);
    EXPECT_THAT(
        nowhere.output,
        HasSubstr("cannot open \"/nowhere/x.data\" for writing: No such file or directory"));
    EXPECT_THAT(run({"--profile", "x.data", "--opcodes", "p4"}).output,
                HasSubstr("--opcodes p4: p1, p2 or p3 was expected"));
    EXPECT_THAT(run({"--opcodes", "p1"}).output, HasSubstr("--opcodes goes with --profile FILE"));
    const std::string file = temp_path("never.data");
    const Ran never = run({"--profile", file, "-p", "profiler.frequency=0"});
    EXPECT_EQ(never.exit_code, bad_input);
    EXPECT_THAT(never.output, HasSubstr("frequency"));
    EXPECT_THAT(never.output, HasSubstr("1 Hz"));
    const Ran full = run({"--profile", file, "-p", "profiler.file=/dev/full"});
    EXPECT_EQ(full.exit_code, bad_input);
    EXPECT_THAT(full.output, HasSubstr("cannot write to \"/dev/full\": No space left on device"));
}

TEST(ProfileRun, ALinkToTheOutputStaysOne) {
    const std::string file = temp_path("linked.data"), output = temp_path("linked.svg"),
                      link = temp_path("link.svg");
    ASSERT_EQ(run({"--profile", file, "-p", "profiler.instructions=1000"}).exit_code, passed);
    std::ofstream{output} << "what was there before";
    std::filesystem::create_symlink(output, link);
    EXPECT_EQ(profile("flame " + file + " -o " + link).exit_code, 0);
    EXPECT_TRUE(std::filesystem::is_symlink(link));
    EXPECT_THAT(*profile::read_host_file(output), HasSubstr("<svg"));
    for (const std::string& each : {file, output, link})
        std::filesystem::remove(each);
}

TEST(ProfileRun, EachActionReadsTheRecording) {
    const std::string file = temp_path("actions.data"), output = temp_path("actions.svg");
    ASSERT_EQ(run({"--profile", file, "-p", "profiler.instructions=100"}).exit_code, passed);
    EXPECT_THAT(profile("report " + file).output, HasSubstr("A sample every 100 instructions"));
    EXPECT_TRUE(nlohmann::json::accept(profile("convert " + file).output));
    EXPECT_EQ(nlohmann::json::parse(profile("export " + file).output)["settings"]["instructions"],
              100);
    EXPECT_THAT(profile("folded " + file).output, HasSubstr("0x"));
    EXPECT_EQ(profile("flame " + file + " -o " + output).exit_code, 0);
    EXPECT_TRUE(std::filesystem::exists(output));
    EXPECT_THAT(profile("report " + file + " --kernel-symbols /nowhere").output,
                HasSubstr("cannot open /nowhere"));
    EXPECT_THAT(profile("report /nowhere").output, HasSubstr("cannot open /nowhere"));
    EXPECT_THAT(profile("dance " + file).output, HasSubstr("unknown action 'dance'"));
    EXPECT_EQ(profile("dance " + file).exit_code, 2);
    std::filesystem::remove(file);
    std::filesystem::remove(output);
}

}  // namespace
}  // namespace backplane::test
