#include "fw_cfg_file.h"
#include "machine_parts.h"
#include "support/temp_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace backplane::firmware {
namespace {

using namespace std::string_literals;
using namespace testing;

std::pair<std::string, std::string> file_of(DeviceBench& bench) {
    backplane_firmware_file file{};
    bench.service<backplane_firmware_files>("files").call<&backplane_firmware_files::describe>(
        0u, &file);
    return {file.name, {reinterpret_cast<const char*>(file.data), file.size}};
}

TEST(FwCfgFileTest, TakesItsContentsFromTheHostOrFromTheMachineFile) {
    const std::string path = test::temp_path("file");
    std::ofstream{path} << "rom\0contents"s;
    DeviceBench host{type_of<FwCfgFile>(), {{"name", "genroms/x"s}, {"file", path}}};
    ASSERT_TRUE(host.power_on()) << host.failure();
    EXPECT_EQ(file_of(host), std::pair("genroms/x"s, "rom\0contents"s));
    std::filesystem::remove(path);
    DeviceBench text{type_of<FwCfgFile>(), {{"name", "opt/a"s}, {"text", "hello"s}}};
    ASSERT_TRUE(text.power_on());
    EXPECT_EQ(file_of(text), std::pair("opt/a"s, "hello"s));
}

TEST(FwCfgFileTest, SaysWhatIsWrongWithAFile) {
    const auto failure = [](std::vector<backplane::testing::Setting> settings) {
        DeviceBench bench{type_of<FwCfgFile>(), std::move(settings)};
        EXPECT_FALSE(bench.power_on());
        return bench.failure();
    };
    EXPECT_THAT(failure({{"name", "a"s}, {"file", "/nonexistent/file"s}}),
                ::testing::HasSubstr("/nonexistent/file"));
    EXPECT_THAT(failure({{"name", "a"s}, {"file", "/dev/zero"s}}),
                ::testing::HasSubstr("not a regular file"));
    EXPECT_THAT(failure({{"name", "a"s}, {"file", "/tmp"s}}), ::testing::HasSubstr("/tmp"));
    EXPECT_THAT(failure({{"name", "a"s}, {"file", "/etc/passwd"s}, {"text", "x"s}}),
                ::testing::HasSubstr("not both"));
}

}  // namespace
}  // namespace backplane::firmware
