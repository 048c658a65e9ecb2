#include "machine_parts.h"
#include "pflash.h"
#include "support/temp_path.h"

#include <backplane/testing/fake_pci_slot.h>
#include <backplane/testing/round_trip.h>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

namespace backplane::firmware {
namespace {

using namespace testing;
using namespace std::string_literals;
using backplane::testing::PlacedSpace;
using backplane::testing::Setting;
using ::testing::HasSubstr;

constexpr std::uint64_t size = 16384, end = 0x100000000, base = end - size;

std::string content_of(const std::string& path) {
    std::stringstream text;
    text << std::ifstream{path, std::ios::binary}.rdbuf();
    return text.str();
}

class PflashTest : public ::testing::Test {
protected:
    PflashTest() { std::ofstream{path, std::ios::binary} << std::string(size, '\xff'); }
    ~PflashTest() override {
        bench.reset();
        std::filesystem::remove(path);
        std::filesystem::remove(path + ".template");
    }

    DeviceBench& make(std::vector<Setting> settings = {}) {
        settings.emplace_back("file", path);
        bench = std::make_unique<DeviceBench>(type_of<Pflash>(), std::move(settings));
        bench->connect("memory", space);
        return *bench;
    }

    void power_on(std::vector<Setting> settings = {}) {
        ASSERT_TRUE(make(std::move(settings)).power_on()) << bench->failure();
    }

    void write(std::uint64_t offset, std::initializer_list<std::uint8_t> values) {
        for (const std::uint8_t value : values)
            space.write(base + offset, 1, value);
    }
    std::uint8_t read(std::uint64_t offset) {
        return static_cast<std::uint8_t>(space.read(base + offset, 1));
    }
    bool is_direct() {
        return (space.placements.front().window->flags & BACKPLANE_WINDOW_READ_DIRECT) != 0;
    }

    std::string path = test::temp_path("flash");
    PlacedSpace space{4096};
    std::unique_ptr<DeviceBench> bench;
};

TEST_F(PflashTest, LiesBeforeItsEndAndIsReadDirectly) {
    std::ofstream{path, std::ios::binary} << std::string(size - 1, 'a') << 'z';
    power_on();
    ASSERT_EQ(space.placements.size(), 1u);
    EXPECT_EQ(space.placements.front().address, base);
    EXPECT_EQ(space.placements.front().size, size);
    EXPECT_TRUE(is_direct());
    EXPECT_EQ(space.read(end - 2, 2), 0x7a61u);
}

TEST_F(PflashTest, AnswersCommandsOnlyWhileTheyAreGoingOn) {
    power_on();
    write(0x10, {0x40, 0x5a});
    EXPECT_FALSE(is_direct());
    EXPECT_EQ(read(0x10), 0x80);
    EXPECT_EQ(content_of(path)[0x10], '\xff');
    write(0x10, {0xff});
    EXPECT_TRUE(is_direct());
    EXPECT_EQ(space.placements.size(), 1u);
    EXPECT_EQ(read(0x10), 0x5a);
    EXPECT_EQ(content_of(path)[0x10], '\x5a') << "in the file as soon as the array is seen";
    EXPECT_EQ(bench->statistic("written-blocks"), 1u);
}

TEST_F(PflashTest, KeepsWhatWasWrittenWhenTheMachineStops) {
    power_on();
    write(0x1234, {0x40, 0x12});
    bench.reset();
    EXPECT_EQ(content_of(path)[0x1234], '\x12') << "though the guest never looked";
    power_on();
    EXPECT_EQ(read(0x1234), 0x12);
    write(0x2000, {0x40, 0x34});
    bench->reset();
    EXPECT_TRUE(is_direct());
    EXPECT_EQ(content_of(path)[0x2000], '\x34') << "a reset of the machine writes it too";
}

TEST_F(PflashTest, AFileThatIsNotThereIsMadeFromATemplate) {
    const std::string original = path + ".template";
    std::ofstream{original, std::ios::binary} << std::string(size, 'v');
    std::filesystem::permissions(original, std::filesystem::perms::owner_read);
    std::filesystem::remove(path);
    power_on({{"template", original}});
    write(7, {0x40, 0x00, 0xff});
    bench.reset();
    EXPECT_EQ(content_of(original)[7], 'v');
    EXPECT_EQ(content_of(path)[7], '\0');
    power_on({{"template", original}});
    EXPECT_EQ(read(7), 0) << "once made, the file counts";
    bench.reset();
    std::filesystem::remove(path);
    EXPECT_FALSE(make({{"template", "/nonexistent/vars"s}}).power_on());
    EXPECT_THAT(bench->failure(), HasSubstr("/nonexistent/vars"));
    EXPECT_FALSE(std::filesystem::exists(path + ".new"));
}

TEST_F(PflashTest, ReadOnlyFlashLeavesItsFileAlone) {
    std::filesystem::permissions(path, std::filesystem::perms::owner_read);
    power_on({{"read-only", true}});
    write(0, {0x40, 0x00});
    EXPECT_EQ(read(0), 0x92);
    bench.reset();
    EXPECT_EQ(content_of(path), std::string(size, '\xff'));
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
}

TEST_F(PflashTest, TwoMachinesCannotShareAStore) {
    power_on();
    DeviceBench second{type_of<Pflash>(), {{"file", path}}};
    second.connect("memory", space);
    EXPECT_FALSE(second.power_on());
    EXPECT_THAT(second.failure(), HasSubstr("in use"));
    DeviceBench reader{type_of<Pflash>(), {{"file", path}, {"read-only", true}}};
    reader.connect("memory", space);
    EXPECT_TRUE(reader.power_on()) << reader.failure();
}

TEST_F(PflashTest, RefusesFilesThatAreNoFlash) {
    const auto failure = [&](std::vector<Setting> settings = {}) {
        EXPECT_FALSE(make(std::move(settings)).power_on());
        return bench->failure();
    };
    EXPECT_THAT(failure({{"block-size", Bytes{12288}}}), HasSubstr("power of two"));
    EXPECT_THAT(failure({{"end", 4096}}), HasSubstr("below its end"));
    std::ofstream{path, std::ios::binary} << std::string(5000, 'x');
    EXPECT_THAT(failure(), HasSubstr("5000 bytes"));
    std::ofstream{path, std::ios::trunc};
    EXPECT_THAT(failure(), HasSubstr("0 bytes"));
    std::filesystem::resize_file(path, std::uint64_t{65} << 20);
    EXPECT_THAT(failure({{"block-size", Bytes{1 << 20}}}), HasSubstr("64 MiB"));
    std::filesystem::remove(path);
    EXPECT_THAT(failure(), HasSubstr("No such file"));
    std::filesystem::create_directory(path);
    EXPECT_THAT(failure(), HasSubstr(path));
}

TEST_F(PflashTest, ChangesSurviveAFailureToWriteThem) {
    power_on();
    rlimit saved{};
    getrlimit(RLIMIT_FSIZE, &saved);
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit none = saved;
    none.rlim_cur = 0;
    setrlimit(RLIMIT_FSIZE, &none);
    write(0x20, {0x40, 0x77, 0xff});
    write(0x3020, {0x40, 0x66, 0xff});
    setrlimit(RLIMIT_FSIZE, &saved);
    EXPECT_EQ(content_of(path)[0x20], '\xff');
    std::size_t errors = 0;
    for (const auto& line : bench->host().log_lines)
        errors += line.level == BACKPLANE_LOG_ERROR && line.text.contains(path);
    EXPECT_EQ(errors, 1u) << "said once, not for every attempt";
    EXPECT_EQ(read(0x20), 0x77);
    bench.reset();
    EXPECT_EQ(content_of(path)[0x20], '\x77');
    EXPECT_EQ(content_of(path)[0x3020], '\x66');
}

TEST_F(PflashTest, GoesOnWithinACommandAfterASnapshot) {
    power_on();
    write(0x1000, {0x60, 0x01});
    write(0x2000, {0xe8, 2, 0xaa});
    PlacedSpace other{4096};
    DeviceBench second{type_of<Pflash>(), {{"file", path}, {"read-only", true}}};
    second.connect("memory", other);
    ASSERT_TRUE(second.power_on());
    EXPECT_EQ(backplane::testing::round_trip(*bench, second), "");
    EXPECT_EQ(other.read(base, 1), 0x80u) << "status, not contents";
}

TEST_F(PflashTest, ADamagedSnapshotIsNotFollowed) {
    power_on();
    auto state = bench->save();
    std::ranges::fill(state.at("command-offset"), std::uint8_t{0xff});
    state.at("command") = {0xe8};
    state.at("has-offset") = {1};
    bench->restore(state);
    write(0, {0xd0, 0xff});
    EXPECT_EQ(read(0), 0xff);
}

TEST_F(PflashTest, AWiderChipTakesBytesAsHalfWords) {
    power_on({{"width", "16"s}});
    space.write(base, 2, 0x40);
    space.write(base + 0x11, 1, 0x34);
    space.write(base, 2, 0xff);
    EXPECT_EQ(space.read(base + 0x10, 2), 0x34ffu);
}

TEST_F(PflashTest, BearsRandomWrites) {
    power_on();
    std::mt19937 random{32};
    constexpr std::uint8_t commands[] = {0xff, 0x70, 0x50, 0x90, 0x98, 0x20, 0xd0,
                                         0x40, 0xe8, 0x60, 0x01, 0x03, 0xb0, 0xc0};
    for (int step = 0; step < 100'000; ++step) {
        const auto any = random();
        const std::uint64_t offset = any % 3 == 0 ? random() % size : random() % 64;
        if (any & 0x100)
            read(offset);
        else
            write(offset, {any & 0x200 ? static_cast<std::uint8_t>(random())
                                       : commands[random() % std::size(commands)]});
        ASSERT_EQ(space.placements.size(), 1u);
    }
    bench->reset();
    const std::string seen(reinterpret_cast<const char*>(space.placements.front().window->memory),
                           size);
    bench.reset();
    EXPECT_EQ(content_of(path), seen);
}

}  // namespace
}  // namespace backplane::firmware
