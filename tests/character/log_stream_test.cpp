#include "log_stream.h"
#include "null_stream.h"
#include "stream_bench.h"

#include <gtest/gtest.h>

namespace backplane::character {
namespace {

using namespace testing;

std::vector<std::string> lines(StreamBench& stream) {
    std::vector<std::string> texts;
    for (const auto& line : stream.bench.host().log_lines)
        texts.push_back(line.text);
    return texts;
}

TEST(LogStream, MakesALogLineOfEachLine) {
    auto stream = stream_bench<LogStream>();
    ASSERT_TRUE(stream.power_on());
    stream.send("SeaBIOS ");
    EXPECT_TRUE(lines(stream).empty());
    stream.send("(version)\r\nMachine\n\n");
    EXPECT_EQ(lines(stream), (std::vector<std::string>{"SeaBIOS (version)", "Machine", ""}));
    EXPECT_EQ(stream.bench.host().log_lines[0].level, std::uint32_t{BACKPLANE_LOG_INFO});
}

TEST(LogStream, ShowsControlCharactersInsteadOfObeyingThem) {
    auto stream = stream_bench<LogStream>();
    ASSERT_TRUE(stream.power_on());
    stream.send("\x1b[2Jcleared\tit\n");
    EXPECT_EQ(lines(stream), (std::vector<std::string>{"\\x1b[2Jcleared\tit"}));
}

TEST(LogStream, BreaksALineThatNeverEndsAndWritesTheLastOneAtTheEnd) {
    auto stream = stream_bench<LogStream>();
    ASSERT_TRUE(stream.power_on());
    EXPECT_EQ(stream.send(std::string(10'000, 'x')), 10'000u);
    EXPECT_EQ(lines(stream).size(), 2u);
    stream.bench.type().stop(static_cast<LogStream*>(stream.stream().object()));
    ASSERT_EQ(lines(stream).size(), 3u);
    EXPECT_EQ(lines(stream)[2].size(), 10'000u - 8192u);
}

TEST(NullStream, TakesEverythingAndSaysNothing) {
    auto stream = stream_bench<NullStream>();
    ASSERT_TRUE(stream.power_on());
    EXPECT_EQ(stream.send("anything"), 8u);
    stream.run_briefly();
    EXPECT_EQ(stream.received, "");
    EXPECT_TRUE(lines(stream).empty());
}

}  // namespace
}  // namespace backplane::character
