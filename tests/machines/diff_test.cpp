// `backplane diff` on real guests: the engines against each other, and against themselves with
// other settings.
#include "guests.h"
#include "support/guest_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cstdio>
#include <memory>
#include <string>

namespace backplane::test {
namespace {

using ::testing::HasSubstr;

nlohmann::json diff_of(const std::string& arguments) {
    const std::string command = std::string{paths::program} + " diff --json " + paths::source +
                                "/machines/" + arguments;
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe{popen(command.c_str(), "r"), pclose};
    std::string output;
    std::array<char, 4096> part;
    while (const std::size_t count = fread(part.data(), 1, part.size(), pipe.get()))
        output.append(part.data(), count);
    return nlohmann::json::parse(output, nullptr, false);
}

nlohmann::json diff(const std::string& arguments) {
    return diff_of(arguments + " --kernel " + paths::guest_kernel + " --initrd " +
                   paths::guest_initrd);
}

void expect_equal(const nlohmann::json& result) {
    ASSERT_TRUE(result.is_object());
    EXPECT_TRUE(result["equal"]) << result.dump(2);
}

void expect_no_difference(const std::string& arguments) { expect_equal(diff(arguments)); }

TEST(Diff, FindsNoDifferenceBetweenTheEngines) {
    expect_no_difference("linux-serial.yaml --a cpu.interp --b cpu.llvmjit --interval 700001 "
                         "--limit 1600000000");
}

TEST(Diff, FindsNoDifferenceWhereEveryBlockIsCompiled) {
    expect_no_difference("linux-serial.yaml --a cpu.interp --b cpu.llvmjit "
                         "--b cpu0.tier1-threshold=1 --limit 150000000");
}

TEST(Diff, FindsNoDifferenceWhereTier2IsAlone) {
    expect_no_difference("linux-serial.yaml --a cpu.interp --b cpu.llvmjit "
                         "--b cpu0.tier1-threshold=0 --b cpu0.tier2-threshold=300 "
                         "--limit 1500000000");
}

TEST(Diff, FindsNoDifferenceWhereTier2IsUsedEarlyAndKept) {
    expect_no_difference("linux-serial.yaml --a cpu.interp --b cpu.llvmjit "
                         "--b cpu0.tier2-threshold=100 --b cpu0.tier2-instructions=200000 "
                         "--b cpu0.tier2-keeps-all=true --limit 1500000000");
}

TEST(Diff, FindsNoDifferenceFromSeaBiosAndGrubToLinux) {
    expect_equal(diff_of(std::string{"pc.yaml --a cpu.interp --b cpu.llvmjit --interval 700001 "
                                     "--limit 2500000000 --cdrom "} +
                         paths::guest_iso));
}

TEST(Diff, FindsNoDifferenceInA32BitKernel) {
    expect_equal(diff_of(std::string{"linux-serial.yaml -p cpu0.model=pentium3 --a cpu.interp "
                                     "--b cpu.llvmjit --interval 700001 --limit 1600000000 "
                                     "--append console=ttyS0 --kernel "} +
                         paths::guest32_kernel + " --initrd " + paths::guest32_initrd));
}

TEST(Diff, FindsNoDifferenceBetweenWholeBlocksAndSingleInstructions) {
    const auto result = diff("linux-serial.yaml -p cpu0.type=cpu.interp --b cpu0.block-length=1 "
                             "--limit 150000000");
    ASSERT_TRUE(result.is_object());
    EXPECT_TRUE(result["equal"]) << result.dump(2);
    EXPECT_EQ(result["equal_until"], 150'000'000);
}

TEST(Diff, FindsNoDifferenceOnSeveralCpus) {
    expect_no_difference("linux-serial-smp.yaml --b cpu2.block-length=1 --limit 50000000");
}

TEST(Diff, NamesTheInstructionThatSeesAnotherProcessorModel) {
    const auto result = diff("linux-serial.yaml --b cpu0.model=x86-64-v2 --limit 3000000");
    ASSERT_TRUE(result.is_object());
    EXPECT_FALSE(result["equal"]);
    EXPECT_EQ(result["compared_until"], result["equal_until"].get<std::uint64_t>() + 1);
    EXPECT_THAT(result["next_instructions"][0], HasSubstr(": cpuid"));
    EXPECT_EQ(result["differences"][0]["what"], "cpu0.rcx");
}

}  // namespace
}  // namespace backplane::test
