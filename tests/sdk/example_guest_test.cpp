// The example plugins in a whole machine: loaded by the program, wired by a machine file, driven by
// guest code.
#include "sdk/example_guest.h"
#include "support/paths.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

namespace backplane::test {

namespace {

struct Result {
    int code;
    std::string output;
};

Result run(const std::string& arguments) {
    const std::string command = std::string{paths::program} + " run --timeout 60 --plugin-path " +
                                paths::sdk_examples + " " + paths::source +
                                "/tests/sdk/examples.yaml " + arguments + " 2>&1 </dev/null";
    FILE* pipe = popen(command.c_str(), "r");
    if (!pipe) return {-1, "popen failed"};
    std::string output;
    char buffer[4096];
    while (const std::size_t length = std::fread(buffer, 1, sizeof buffer, pipe))
        output.append(buffer, length);
    const int status = pclose(pipe);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, output};
}

class ExampleGuest : public testing::TestWithParam<const char*> {};

TEST_P(ExampleGuest, GetsInterruptsAndAnswersFromBothExamplePlugins) {
    const auto kernel = std::filesystem::path{testing::TempDir()} /
                        (std::string{"backplane-example-guest-"} + std::to_string(getpid()));
    const std::vector<std::uint8_t> image = example_kernel();
    std::ofstream{kernel, std::ios::binary}.write(reinterpret_cast<const char*>(image.data()),
                                                  static_cast<std::streamsize>(image.size()));
    const Result result = run("-p boot0.kernel=" + kernel.string() +
                              " -p machine.clock=" + GetParam());
    EXPECT_EQ(result.code, 42 << 1 | 1) << result.output;
    std::filesystem::remove(kernel);
}

INSTANTIATE_TEST_SUITE_P(Clocks, ExampleGuest, testing::Values("deterministic", "realtime"),
                         [](const auto& info) { return std::string{info.param}; });

}  // namespace

}  // namespace backplane::test
