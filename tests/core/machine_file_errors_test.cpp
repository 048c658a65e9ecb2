// Every machine file in tests/core/machine_files has an .expected file beside it with all that is
// said about it. BACKPLANE_UPDATE_EXPECTED=1 writes these files anew.
#include "core/small_catalog.h"
#include "runtime/machine_check.h"
#include "support/paths.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace backplane::test {
namespace {

using namespace backplane::runtime;

std::filesystem::path folder() {
    return std::filesystem::path{paths::source} / "tests/core/machine_files";
}

std::vector<std::string> machine_files() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator{folder()})
        if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
    std::ranges::sort(names);
    return names;
}

std::string contents(const std::filesystem::path& file) {
    std::ifstream stream{file, std::ios::binary};
    return (std::ostringstream{} << stream.rdbuf()).str();
}

// Comments `# -p PATH=VALUE` in a machine file are the command line it is tried with.
std::vector<Override> overrides_of(const std::string& text) {
    std::vector<Override> overrides;
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with("# -p ")) overrides.push_back(Override::assignment(line.substr(5)));
    return overrides;
}

class MachineFileErrors : public testing::TestWithParam<std::string> {
protected:
    // File names in the messages are then the same wherever the source tree lies.
    void SetUp() override { std::filesystem::current_path(folder()); }
    void TearDown() override { std::filesystem::current_path(before_); }

private:
    std::filesystem::path before_ = std::filesystem::current_path();
};

TEST_P(MachineFileErrors, AreReportedAllAtOnceAsExpected) {
    const std::string name = GetParam() + ".yaml";
    Diagnostics diagnostics;
    const auto document = read_machine_file(name, overrides_of(contents(name)), diagnostics);
    const auto machine = check_machine(document, SmallCatalog{}, diagnostics);
    EXPECT_EQ(machine.has_value(), !diagnostics.has_errors() && document.complete);

    const std::filesystem::path expected = GetParam() + ".expected";
    if (std::getenv("BACKPLANE_UPDATE_EXPECTED") != nullptr)
        std::ofstream{expected} << diagnostics.text();
    ASSERT_TRUE(exists(expected)) << diagnostics.text();
    EXPECT_EQ(diagnostics.text(), contents(expected));
    EXPECT_FALSE(diagnostics.text().empty()) << "a file without errors does not belong here";
}

INSTANTIATE_TEST_SUITE_P(
    Files, MachineFileErrors, testing::ValuesIn(machine_files()), [](const auto& info) {
        std::string name = info.param;
        std::ranges::replace_if(
            name, [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
        return name;
    });

TEST(MachineFileErrorFolder, HoldsAtLeastFortyFiles) { EXPECT_GE(machine_files().size(), 40u); }

}  // namespace
}  // namespace backplane::test
