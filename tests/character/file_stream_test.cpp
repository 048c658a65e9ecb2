#include "file_stream.h"
#include "host_end.h"
#include "stream_bench.h"
#include "support/temp_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace backplane::character {
namespace {

using namespace testing;
using ::testing::HasSubstr;

class FileStreamTest : public ::testing::Test {
protected:
    FileStreamTest() {
        std::filesystem::remove(output);
        std::filesystem::remove(input);
    }

    const std::string output = test::temp_path("file_stream_output");
    const std::string input = test::temp_path("file_stream_input");
};

TEST_F(FileStreamTest, WritesEverythingThatIsSent) {
    const std::string text = numbered_text(1 << 20);
    {
        auto stream = stream_bench<FileStream>({{"path", output}});
        ASSERT_TRUE(stream.power_on()) << stream.bench.failure();
        for (std::string_view rest = text; !rest.empty();) {
            const std::uint32_t taken = stream.send(rest.substr(0, 1000));
            rest.remove_prefix(taken);
            if (taken < 1000) stream.bench.host().run_posted();
        }
    }
    EXPECT_TRUE(file_content(output) == text);
}

TEST_F(FileStreamTest, TakesNoMoreThanItCanKeepUntilTheHostHasWritten) {
    auto stream = stream_bench<FileStream>({{"path", output}});
    ASSERT_TRUE(stream.power_on());
    const std::string text(100'000, 'x');
    EXPECT_EQ(stream.send(text), 65536u);
    EXPECT_EQ(stream.send("y"), 0u);
    stream.bench.host().run_posted();
    EXPECT_EQ(stream.send("y"), 1u);
    EXPECT_EQ(stream.bench.statistic("bytes.dropped"), 0u);
    EXPECT_EQ(stream.bench.statistic("bytes.sent"), 65536u);
}

TEST_F(FileStreamTest, StartsAnewOrKeepsWhatIsThere) {
    std::ofstream{output} << "old ";
    for (const bool append : {true, false}) {
        {
            auto stream = stream_bench<FileStream>({{"path", output}, {"append", append}});
            ASSERT_TRUE(stream.power_on());
            stream.send("new");
        }
        EXPECT_EQ(file_content(output), append ? "old new" : "new");
    }
}

TEST_F(FileStreamTest, FeedsAnInputFileAsFastAsTheDeviceTakesIt) {
    const std::string text = numbered_text(300'000);
    std::ofstream{input, std::ios::binary} << text;
    auto stream = stream_bench<FileStream>({{"path", output}, {"input", input}});
    stream.room = 16;
    ASSERT_TRUE(stream.power_on());
    EXPECT_TRUE(stream.run_until([&] {
        if (stream.room == 0) stream.make_room(4096);
        return stream.received.size() == text.size();
    }));
    EXPECT_TRUE(stream.received == text);
}

TEST_F(FileStreamTest, IsOutputOnlyInADeterministicMachine) {
    std::ofstream{input} << "typed";
    {
        auto stream = stream_bench<FileStream>({{"path", output}, {"input", input}});
        stream.refuse_input();
        ASSERT_TRUE(stream.power_on());
        stream.send("printed");
        stream.run_briefly();
        EXPECT_EQ(stream.received, "");
        EXPECT_TRUE(stream.logged("output only"));
    }
    EXPECT_EQ(file_content(output), "printed");
}

TEST_F(FileStreamTest, SaysWhyAFileCannotBeOpened) {
    auto stream = stream_bench<FileStream>({{"path", std::string{"/no/such/folder/x"}}});
    EXPECT_FALSE(stream.power_on());
    EXPECT_EQ(stream.bench.failure(),
              "cannot open \"/no/such/folder/x\" for writing: No such file or directory");

    auto without_input = stream_bench<FileStream>(
        {{"path", output}, {"input", std::string{"/no/input"}}});
    EXPECT_FALSE(without_input.power_on());
    EXPECT_EQ(without_input.bench.failure(),
              "cannot open \"/no/input\" for reading: No such file or directory");
}

TEST_F(FileStreamTest, DoesNotWaitForTheReaderOfAPipe) {
    ASSERT_EQ(mkfifo(output.c_str(), 0600), 0);
    auto stream = stream_bench<FileStream>({{"path", output}});
    EXPECT_FALSE(stream.power_on());
    EXPECT_THAT(stream.bench.failure(), HasSubstr("No such device or address"));
}

TEST_F(FileStreamTest, GoesOnWithoutItsOutputWhenTheDiskIsFull) {
    auto stream = stream_bench<FileStream>({{"path", std::string{"/dev/full"}}});
    ASSERT_TRUE(stream.power_on());
    stream.send("lost");
    stream.bench.host().run_posted();
    EXPECT_TRUE(stream.logged("cannot write to \"/dev/full\": No space left on device"));
    EXPECT_EQ(stream.send(std::string(200'000, 'x')), 200'000u);
}

}  // namespace
}  // namespace backplane::character
