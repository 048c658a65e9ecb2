#include "host_end.h"
#include "pty_stream.h"
#include "stream_bench.h"
#include "support/temp_path.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace backplane::character {
namespace {

using namespace testing;

class PtyStreamTest : public ::testing::Test {
protected:
    PtyStreamTest() { std::filesystem::remove(link); }

    // "connected to /dev/pts/N"
    Descriptor open_slave() {
        for (const auto& line : stream.bench.host().log_lines) {
            const std::size_t at = line.text.find("/dev/pts/");
            if (at == std::string::npos) continue;
            return Descriptor{
                open(line.text.substr(at, line.text.find(',') - at).c_str(), O_RDWR | O_NOCTTY)};
        }
        return {};
    }

    const std::string link = test::temp_path("pty_stream_link");
    StreamBench stream = stream_bench<PtyStream>({{"link", link}});
};

TEST_F(PtyStreamTest, CarriesBytesBothWaysUnchanged) {
    ASSERT_TRUE(stream.power_on()) << stream.bench.failure();
    const Descriptor slave = open_slave();
    ASSERT_TRUE(slave);
    const std::string every_kind{"\x01\x03\x04\r\n\x11\x13\x7f\xff", 9};
    ASSERT_TRUE(write_all(slave.get(), every_kind));
    EXPECT_TRUE(stream.run_until([&] { return stream.received == every_kind; }));
    stream.send(every_kind);
    std::string seen;
    EXPECT_TRUE(
        stream.run_until([&] { return (seen += read_available(slave.get())) == every_kind; }));
}

TEST_F(PtyStreamTest, CanBeClosedAndOpenedAgain) {
    ASSERT_TRUE(stream.power_on());
    for (const char* text : {"one", "two"}) {
        const Descriptor slave = open_slave();
        stream.received.clear();
        ASSERT_TRUE(write_all(slave.get(), text));
        EXPECT_TRUE(stream.run_until([&] { return stream.received == text; }));
    }
}

TEST_F(PtyStreamTest, NeverMakesTheGuestWaitForAReader) {
    ASSERT_TRUE(stream.power_on());
    const std::string text(1 << 20, 'x');
    for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(stream.send(text), text.size());
        stream.bench.host().run_posted();
    }
    EXPECT_GT(stream.bench.statistic("bytes.dropped"), 0u);
}

TEST_F(PtyStreamTest, MakesTheLinkAndTakesItAway) {
    {
        auto other = stream_bench<PtyStream>({{"link", link}});
        ASSERT_TRUE(other.power_on()) << other.bench.failure();
        EXPECT_TRUE(std::filesystem::read_symlink(link).string().starts_with("/dev/pts/"));
    }
    EXPECT_FALSE(std::filesystem::is_symlink(link));
}

TEST_F(PtyStreamTest, ReplacesALinkLeftBehindButNoFile) {
    std::filesystem::create_symlink("/dev/pts/gone", link);
    {
        auto other = stream_bench<PtyStream>({{"link", link}});
        EXPECT_TRUE(other.power_on()) << other.bench.failure();
    }
    std::ofstream{link} << "precious";
    EXPECT_FALSE(stream.power_on());
    EXPECT_EQ(stream.bench.failure(), "cannot make the link \"" + link + "\": File exists");
    EXPECT_EQ(file_content(link), "precious");
}

}  // namespace
}  // namespace backplane::character
