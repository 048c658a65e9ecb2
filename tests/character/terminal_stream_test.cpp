#include "host_end.h"
#include "program_on_terminal.h"
#include "stream_bench.h"
#include "support/temp_path.h"
#include "terminal_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace backplane::character {
namespace {

using namespace testing;
using ::testing::HasSubstr;

// A guest that greets, repeats what is typed in brackets, and says when it gets a break. Typed
// letters: E ends the program without stopping the stream, A aborts it, S makes it fault.
int run_echo_guest() {
    auto stream = stream_bench<TerminalStream>();
    if (!stream.power_on()) return 90;
    stream.send("ready\n");
    while (!stream.bench.host().power_off) {
        stream.bench.host().run_posted();
        if (stream.received == "E") std::exit(7);
        if (stream.received == "A") std::abort();
        if (stream.received == "S") raise(SIGSEGV);
        if (!stream.received.empty()) stream.send("[" + std::exchange(stream.received, {}) + "]\n");
        if (std::exchange(stream.breaks, 0) != 0) stream.send("break!\n");
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    stream.send("$ ");  // a prompt, say
    return stream.bench.host().power_off->exit_code;
}

class TerminalStreamTest : public ::testing::Test {
protected:
    ProgramOnTerminal program{run_echo_guest};
};

TEST_F(TerminalStreamTest, GivesEveryKeyToTheGuestAtOnce) {
    ASSERT_TRUE(program.shows("ready"));
    EXPECT_TRUE(program.is_raw());
    program.type("a");
    EXPECT_TRUE(program.shows("[a]"));
    program.type("\x03");
    EXPECT_TRUE(program.shows("[\x03]"));  // Ctrl-C
    program.type("\x1a");
    EXPECT_TRUE(program.shows("[\x1a]"));  // Ctrl-Z
    program.type("\x01\x01");
    EXPECT_TRUE(program.shows("[\x01]"));
}

TEST_F(TerminalStreamTest, KeepsLinesOfOutputAtTheLeft) { ASSERT_TRUE(program.shows("ready\r\n")); }

TEST_F(TerminalStreamTest, QuitsOnCtrlAXAndLeavesTheTerminalAsItWas) {
    ASSERT_TRUE(program.shows("ready"));
    program.type("\x01x");
    EXPECT_TRUE(program.exited_with(0));
    EXPECT_TRUE(program.is_as_before());
    EXPECT_TRUE(program.screen().ends_with("$ \r\r\n"))
        << "the next output begins on a line of its own";
}

TEST_F(TerminalStreamTest, HelpsAndHints) {
    ASSERT_TRUE(program.shows("ready"));
    program.type("\x01h");
    EXPECT_TRUE(program.shows("Ctrl-A X       quit"));
    program.type("\x01q");
    EXPECT_TRUE(program.shows("Ctrl-A H shows"));
    program.type("\x01"
                 "b");
    EXPECT_TRUE(program.shows("break!"));
}

TEST_F(TerminalStreamTest, RestoresTheTerminalWhenTheProgramExitsWithoutStopping) {
    ASSERT_TRUE(program.shows("ready"));
    program.type("E");
    EXPECT_TRUE(program.exited_with(7));
    EXPECT_TRUE(program.is_as_before());
}

TEST_F(TerminalStreamTest, RestoresTheTerminalWhenTheProgramAborts) {
    ASSERT_TRUE(program.shows("ready"));
    program.type("A");
    EXPECT_TRUE(program.died_of(SIGABRT));
    EXPECT_TRUE(program.is_as_before());
}

#if !defined(__SANITIZE_ADDRESS__) && !__has_feature(address_sanitizer)
TEST_F(TerminalStreamTest, RestoresTheTerminalWhenTheProgramFaults) {
    ASSERT_TRUE(program.shows("ready"));
    program.type("S");
    EXPECT_TRUE(program.died_of(SIGSEGV));
    EXPECT_TRUE(program.is_as_before());
}
#endif

TEST_F(TerminalStreamTest, BecomesRawAgainAfterAShellHadTheTerminal) {
    ASSERT_TRUE(program.shows("ready"));
    termios cooked = program.mode();
    cooked.c_lflag |= ICANON | ECHO | ISIG;
    program.set_mode(cooked);
    ASSERT_FALSE(program.is_raw());
    program.type("line\n");
    EXPECT_TRUE(program.shows("[line"));
    EXPECT_TRUE(program.soon([&] { return program.is_raw(); }));
}

TEST(TerminalStreamInTheBackground, RunsWithoutTouchingTheTerminal) {
    ProgramOnTerminal program{[] {
                                  auto stream = stream_bench<TerminalStream>();
                                  if (!stream.power_on()) return 90;
                                  stream.send("in the background\n");
                                  stream.run_briefly();
                                  return 5;
                              },
                              true};
    EXPECT_TRUE(program.shows("in the background"));
    EXPECT_FALSE(program.is_raw());
    EXPECT_TRUE(program.exited_with(5));
    EXPECT_TRUE(program.is_as_before());
}

// Runs the stream in a child whose standard input and output are what `arrange` makes them. Exit
// code 0: `check` held.
int run_redirected(const std::function<void()>& arrange,
                   const std::function<bool(StreamBench&)>& check) {
    const pid_t child = fork();
    if (child == 0) {
        arrange();
        int code = 1;
        {
            auto stream = stream_bench<TerminalStream>();
            if (stream.power_on() && check(stream)) code = 0;
        }
        _exit(code);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return status;
}

class RedirectedTerminalStreamTest : public ::testing::Test {
protected:
    RedirectedTerminalStreamTest() { std::ofstream{input, std::ios::binary} << text; }

    // Takes all of the input, a little at a time.
    bool receives_text(StreamBench& stream) const {
        return stream.run_until([&] {
            stream.make_room(256);
            return stream.received.size() == text.size();
        }) && stream.received == text;
    }

    static void redirect(int fd, const char* path, int flags) {
        dup2(open(path, flags | O_CREAT | O_TRUNC * (flags != O_RDONLY), 0600), fd);
    }

    const std::string text = "\x01x\x01" + numbered_text(100'000);  // Ctrl-A X is no command here
    const std::string input = test::temp_path("terminal_stream_input");
    const std::string output = test::temp_path("terminal_stream_output");
};

TEST_F(RedirectedTerminalStreamTest, ReadsAFileWholeAndUnchanged) {
    EXPECT_EQ(run_redirected([&] { redirect(STDIN_FILENO, input.c_str(), O_RDONLY); },
                             [&](StreamBench& s) { return receives_text(s); }),
              0);
}

TEST_F(RedirectedTerminalStreamTest, ReadsAPipeWholeAndWithoutChangingIt) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    std::thread writer{[&] {
        write_all(ends[1], text);
        close(ends[1]);
    }};
    EXPECT_EQ(run_redirected(
                  [&] {
                      dup2(ends[0], STDIN_FILENO);
                      close(ends[1]);
                  },
                  [&](StreamBench& s) { return receives_text(s); }),
              0);
    writer.join();
    EXPECT_FALSE(fcntl(ends[0], F_GETFL) & O_NONBLOCK);
    close(ends[0]);
}

TEST_F(RedirectedTerminalStreamTest, DoesWithoutInput) {
    const auto prints = [&](StreamBench& stream) {
        stream.send("printed");
        stream.run_briefly();
        return stream.received.empty();
    };
    EXPECT_EQ(run_redirected(
                  [&] {
                      redirect(STDIN_FILENO, "/dev/null", O_RDONLY);
                      redirect(STDOUT_FILENO, output.c_str(), O_WRONLY);
                  },
                  prints),
              0);
    EXPECT_EQ(file_content(output), "printed");
    EXPECT_EQ(run_redirected(
                  [&] {
                      close(STDIN_FILENO);
                      redirect(STDOUT_FILENO, output.c_str(), O_WRONLY);
                  },
                  prints),
              0);
}

TEST_F(RedirectedTerminalStreamTest, LeavesAFileOfTheProgramAloneThatGotTheNumberOfAClosedInput) {
    const auto open_in_place_of_input = [&] {
        close(STDIN_FILENO);
        ASSERT_EQ(open(input.c_str(), O_RDONLY | O_CLOEXEC), STDIN_FILENO);
    };
    const auto reads_nothing = [](StreamBench& stream) {
        stream.run_briefly();
        return stream.received.empty();
    };
    EXPECT_EQ(run_redirected(open_in_place_of_input, reads_nothing), 0);
}

TEST_F(RedirectedTerminalStreamTest, SurvivesWithoutOutput) {
    const auto prints_for_nobody = [](StreamBench& stream) {
        for (int i = 0; i < 3; ++i) {
            stream.send(std::string(50'000, 'x'));
            stream.run_briefly();
        }
        return stream.send(std::string(100'000, 'x')) == 100'000;
    };
    EXPECT_EQ(run_redirected([] { close(STDOUT_FILENO); }, prints_for_nobody), 0);
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    close(ends[0]);
    EXPECT_EQ(run_redirected(
                  [&] {
                      std::signal(SIGPIPE, SIG_DFL);
                      dup2(ends[1], STDOUT_FILENO);
                  },
                  prints_for_nobody),
              0);
    close(ends[1]);
}

TEST_F(RedirectedTerminalStreamTest, LosesNoOutputToASlowReader) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    std::string seen;
    std::thread reader{[&] {
        char bytes[1000];
        for (ssize_t count; (count = read(ends[0], bytes, sizeof bytes)) > 0;) {
            seen.append(bytes, static_cast<std::size_t>(count));
            if (seen.size() < 20'000) std::this_thread::sleep_for(std::chrono::milliseconds{5});
        }
    }};
    const std::string long_text = numbered_text(600'000);
    EXPECT_EQ(run_redirected(
                  [&] {
                      dup2(ends[1], STDOUT_FILENO);
                      close(ends[0]);
                      close(ends[1]);
                  },
                  [&](StreamBench& stream) {
                      std::string_view rest = long_text;
                      return stream.run_until([&] {
                          rest.remove_prefix(stream.send(rest));
                          return rest.empty();
                      });
                  }),
              0);
    close(ends[1]);
    reader.join();
    EXPECT_TRUE(seen == long_text) << seen.size();
    close(ends[0]);
}

TEST_F(RedirectedTerminalStreamTest, IsOneForTheWholeProgram) {
    EXPECT_EQ(
        run_redirected(
            [] {},
            [](StreamBench&) {
                auto second = stream_bench<TerminalStream>();
                return !second.power_on() &&
                       second.bench.failure() ==
                           "standard input and output are in use by another character.terminal";
            }),
        0);
}

}  // namespace
}  // namespace backplane::character
