// `backplane bench`, as people use it.
#include "support/paths.h"
#include "support/temp_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>

namespace backplane::bench {
namespace {

using ::testing::HasSubstr, ::testing::Not;

struct Ran {
    int status = 0;
    std::string output;  // both streams
};

Ran bench(const std::string& arguments) {
    const std::string command = std::string{test::paths::program} + " bench " + arguments + " 2>&1";
    Ran ran;
    FILE* pipe = popen(command.c_str(), "r");
    char buffer[4096];
    while (const std::size_t length = std::fread(buffer, 1, sizeof buffer, pipe))
        ran.output.append(buffer, length);
    ran.status = WEXITSTATUS(pclose(pipe));
    return ran;
}

void expect(const std::string& arguments, int status, const std::string& text) {
    const Ran ran = bench(arguments);
    EXPECT_EQ(ran.status, status) << arguments << ": " << ran.output;
    EXPECT_THAT(ran.output, HasSubstr(text)) << arguments;
}

constexpr int bad_input = 2;

TEST(BenchCommand, SaysWhatIsWrongWithAnOption) {
    expect("gpu", bad_input, "unknown suite 'gpu'; cpu was expected");
    expect("cpu --seconds 1 --iters 5", bad_input, "--seconds and --iters exclude each other");
    expect("cpu --seconds 0", bad_input, "--seconds 0: more than 0");
    expect("cpu --seconds nan", bad_input, "--seconds");
    expect("cpu --iters 0", bad_input, "--iters 0: 1 to 4294967295 were expected");
    expect("cpu --variants alu46", bad_input, "there is no 'alu46'; did you mean 'alu64'?");
    expect("cpu --modes fast", bad_input, "there are interpreter, jit_baseline, jit_opt");
    expect("cpu --variants ''", bad_input, "there is no ''");
    expect("cpu -p cpu0.type=cpu.none --iters 1", bad_input, "cpu.none");
    expect("cpu --iters 1 --variants alu64 --modes interpreter --json /no/such/folder/file",
           bad_input, "/no/such/folder/file: No such file or directory");
    expect("cpu --iters 1 --variants alu64 --modes interpreter --json /tmp", bad_input,
           "/tmp: Is a directory");
}

TEST(BenchCommand, WritesThroughLinksAndIntoDevices) {
    const std::filesystem::path file = test::temp_path("target.json"),
                                link = test::temp_path("link.json");
    std::ofstream{file} << "old";
    std::filesystem::create_symlink(file, link);
    expect("cpu --iters 1 --variants alu64 --modes interpreter --json " + link.string(), 0,
           "alu64");
    EXPECT_TRUE(std::filesystem::is_symlink(link));
    EXPECT_GT(std::filesystem::file_size(file), 100u);
    std::filesystem::remove(file);
    for (const char* device : {"/dev/null", "/dev/full"}) {
        std::filesystem::remove(link);
        std::filesystem::create_symlink(device, link);
        const bool is_full = std::string_view{device} == "/dev/full";
        expect("cpu --iters 1 --variants alu64 --modes interpreter --json " + link.string(),
               is_full ? 1 : 0, is_full ? "No space left on device" : "alu64");
        EXPECT_TRUE(std::filesystem::is_symlink(link));
    }
    std::filesystem::remove(link);
}

// What was there stays when there are no results, and nothing is left beside it.
TEST(BenchCommand, LeavesAFileAloneWithoutResults) {
    const std::filesystem::path folder = test::temp_path("bench-folder");
    std::filesystem::create_directory(folder);
    const std::filesystem::path file = folder / "old.json";
    std::ofstream{file} << "old";
    expect("cpu --iters 1 -p cpu0.model=none --json " + file.string(), bad_input, "none");
    std::ostringstream text;
    text << std::ifstream{file}.rdbuf();
    EXPECT_EQ(text.str(), "old");
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator{folder}, {}), 1);
    std::filesystem::remove_all(folder);
}

TEST(BenchCommand, MeasuresWhatIsAskedFor) {
    const Ran ran = bench("cpu --seconds 0.01 --variants alu64,call_ret32 --modes interpreter");
    EXPECT_EQ(ran.status, 0) << ran.output;
    EXPECT_THAT(ran.output, HasSubstr("alu64            interpreter"));
    EXPECT_THAT(ran.output, HasSubstr("call_ret32       interpreter"));
    EXPECT_THAT(ran.output, Not(HasSubstr("alu32")));
    EXPECT_THAT(ran.output, Not(HasSubstr("jit_opt")));
    EXPECT_THAT(ran.output, Not(HasSubstr("tools/bench")));
}

TEST(BenchCommand, TellsOfTheOtherSuitesWhenNoneIsNamed) {
    expect("--iters 10 --variants alu64 --modes interpreter", 0, "tools/bench/history");
}

TEST(BenchCommand, ExportsItsFigures) {
    const std::string file = test::temp_path("bench.json");
    expect("cpu --seconds 0.01 --variants alu64,alu32 --modes interpreter,jit_baseline --json " +
               file,
           0, "jit_baseline");
    std::ifstream stream{file};
    const auto json = nlohmann::json::parse(stream);
    EXPECT_EQ(json["kind"], "backplane-bench");
    EXPECT_EQ(json["version"], 1);
    const auto& cpu = json["benchmarks"]["guest_cpu"];
    EXPECT_EQ(cpu["iters_per_run"], 10'000);
    EXPECT_EQ(cpu["warmup_runs"], 3);
    ASSERT_EQ(cpu["results"].size(), 4u);
    EXPECT_EQ(cpu["results"][0]["variant"], "alu64");
    EXPECT_EQ(cpu["results"][1]["mode"], "jit_baseline");
    EXPECT_EQ(cpu["results"][0]["observed_checksum"], "0xf935f9482b8f99b8");
    EXPECT_EQ(cpu["results"][2]["observed_checksum"], "0x30aae0b8");
    EXPECT_EQ(cpu["results"][2]["expected_checksum"], "0x30aae0b8");
    std::filesystem::remove(file);
}

}  // namespace
}  // namespace backplane::bench
