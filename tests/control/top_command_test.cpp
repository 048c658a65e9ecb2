// `backplane top`, as people and programs have it.
#include "control/controlled_guest.h"
#include "support/json_schema.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <functional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace backplane::test {
namespace {

using Json = nlohmann::json;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

// Of the loop that the guest is in: INC RBX, and behind JZ.
constexpr std::uint64_t loop = entry + 10, loop_end = entry + 24;

std::vector<Json> lines_of(const std::string& text) {
    std::vector<Json> lines;
    std::istringstream stream{text};
    for (std::string line; std::getline(stream, line);)
        lines.push_back(Json::parse(line));
    return lines;
}

class Top : public ControlledGuest {
protected:
    explicit Top(std::vector<std::string> more = {"-p", "cpu0.type=cpu.interp"})
        : ControlledGuest{std::move(more)} {}

    // All as the schema says.
    std::vector<Json> refreshes(const std::string& options) {
        const Output output = backplane("top " + socket + " --json " + options);
        EXPECT_EQ(output.code, 0) << output.text;
        std::vector<Json> lines = lines_of(output.text);
        const Json schema = read_schema("top.schema.json");
        for (const Json& line : lines)
            expect_valid(line, schema, "");
        return lines;
    }
    // Again and again until these are enough: where others want the host's processors too, the
    // guest or what samples it may have had none meanwhile.
    template <class Enough>
    std::vector<Json> refreshes(const std::string& options, Enough are_enough) {
        for (;;) {
            std::vector<Json> lines = refreshes(options);
            if (are_enough(lines) || session->exit_code(0s)) return lines;
        }
    }
};

bool have_speed(const std::vector<Json>& lines) { return lines.back()["mips"]["avg"] > 0.0; }
bool have_samples(const std::vector<Json>& lines) { return lines.back()["time"]["samples"] > 0; }

// The guest has run all the time.
bool are_undisturbed(const std::vector<Json>& lines) {
    const Json& last = lines.back();
    return std::ranges::adjacent_find(lines, std::ranges::greater_equal{},
                                      [](const Json& line) {
                                          return line["instructions_executed"].get<std::uint64_t>();
                                      }) == lines.end() &&
           last["time"]["samples"] > 10 && !last["tiers_percent"].empty() &&
           !last["devices"].empty() && last["devices"][0]["reads_per_s"] > 1000.0;
}

void expect_zero(const Json& figures, const std::string& where) {
    for (const auto& [name, value] : figures.items())
        if (value.is_object())
            expect_zero(value, where + '.' + name);
        else if (name != "window_ms")
            EXPECT_EQ(value, value.is_boolean() ? Json(false) : Json(0)) << where << '.' << name;
}

TEST_F(Top, PrintsALineOfJsonForEachRefresh) {
    const auto lines = refreshes("--count 12 --interval 0.15", are_undisturbed);
    ASSERT_EQ(lines.size(), 12u);
    EXPECT_EQ(lines[0]["mips"]["avg"], nullptr) << "one instant has no speed";
    EXPECT_EQ(lines[0]["elapsed_ms"], 0.0);
    EXPECT_EQ(lines[0]["time"]["samples"], 0);
    for (std::size_t i = 1; i < lines.size(); ++i)
        EXPECT_GT(lines[i]["instructions_executed"], lines[i - 1]["instructions_executed"]);
    const Json& last = lines.back();
    EXPECT_EQ(last["state"], "running");
    EXPECT_EQ(last["machine"], "linux-serial");
    EXPECT_GE(last["elapsed_ms"], 1000.0);
    EXPECT_GT(last["mips"]["avg"], 0.0);
    EXPECT_GE(last["mips"]["p95"], last["mips"]["avg"].get<double>() / 2);
    EXPECT_GE(last["mips"]["window_ms"], 1000.0 - 1);
    EXPECT_EQ(last["time"]["why_none"], nullptr);
    EXPECT_GT(last["time"]["samples"], 10);
    double sum = 0;
    for (const Json& part : last["time"]["time_split_percent"])
        sum += part.get<double>();
    EXPECT_NEAR(sum, 100, 0.001);
    EXPECT_EQ(last["tiers_percent"], (Json{{"0", 100.0}})) << "the interpreter";

    // All its time goes to one block, which reads a port of the power management's.
    ASSERT_FALSE(last["hotspots"].empty());
    const Json& hot = last["hotspots"][0];
    EXPECT_GT(hot["percent_of_total"], 90.0);
    EXPECT_EQ(std::stoull(hot["end"].get<std::string>(), nullptr, 16), loop_end);
    EXPECT_GE(std::stoull(hot["pc"].get<std::string>(), nullptr, 16), loop);
    ASSERT_FALSE(last["devices"].empty());
    EXPECT_THAT(last["devices"][0]["window"].get<std::string>(), HasSubstr("acpi0"));
    EXPECT_EQ(last["devices"][0]["space"], "io");
    EXPECT_GT(last["devices"][0]["reads_per_s"], 1000.0);
    EXPECT_EQ(last["devices"][0]["writes_per_s"], 0.0);
    expect_zero(last["jit"], "jit");
    // Somebody else may look next, and a while later.
    EXPECT_TRUE(have_samples(refreshes("--count 3", have_samples)));
}

TEST_F(Top, FollowsAMachineThatIsStopped) {
    ctl("stop");
    const auto paused = refreshes("--count 3 --interval 0.1", [](const std::vector<Json>& lines) {
        return !lines.back()["time"]["idle_percent"].is_null();
    });
    EXPECT_EQ(paused.back()["state"], "paused");
    EXPECT_EQ(paused.back()["mips"]["avg"], 0.0);
    EXPECT_EQ(paused.back()["time"]["idle_percent"], 100.0);
    EXPECT_TRUE(paused.back()["hotspots"].empty());
    ctl("cont");
    EXPECT_TRUE(have_speed(refreshes("--count 3 --interval 0.1", have_speed)));
}

TEST_F(Top, EndsWithTheMachine) {
    const Output output = backplane("top " + socket + " --json --interval 0.1",
                                    [this] { ctl("quit"); });
    EXPECT_EQ(output.code, 0);
    EXPECT_THAT(output.text, HasSubstr("\nbackplane: the machine has ended\n"));
}

TEST_F(Top, PrintsLinesWhereThereIsNoTerminal) {
    Output output;
    do
        output = backplane("top " + socket + " --count 4 --interval 0.1");
    while (!output.text.contains(" hot ") && !session->exit_code(0s));
    EXPECT_EQ(output.code, 0);
    EXPECT_THAT(output.text, Not(HasSubstr("\x1b")));
    EXPECT_EQ(std::ranges::count(output.text, '\n'), 4);
    EXPECT_THAT(output.text, ContainsRegex("running  MIPS [0-9.]+ \\(p95 [0-9.]+\\)  idle "));
    EXPECT_THAT(output.text, HasSubstr("-0x1000218 kernel"));
    EXPECT_THAT(output.text, HasSubstr("JIT none"));
}

TEST_F(Top, SaysWhatIsWrong) {
    const auto refused = [&](const std::string& options) {
        const Output output = backplane("top " + socket + " " + options);
        EXPECT_EQ(output.code, 2) << options;
        return output.text;
    };
    EXPECT_THAT(refused("--interval 0"), HasSubstr("--interval 0: 0.05 to 3600 seconds were"));
    EXPECT_THAT(refused("--interval nan"), HasSubstr("--interval"));
    EXPECT_THAT(refused("--count 0"), HasSubstr("--count 0: 1 or more was expected"));
    EXPECT_THAT(refused("--hot 1001"), HasSubstr("--hot 1001: 0 to 1000 was expected"));
    EXPECT_THAT(refused("--json --plain"), HasSubstr("exclude each other"));
    // What it says shall not go there, too.
    refused("--json --count 1 >/dev/full #");
    const Output nobody = backplane("top /no/such/socket");
    EXPECT_EQ(nobody.code, 2);
    EXPECT_THAT(nobody.text, HasSubstr("/no/such/socket"));
}

class TopOfACompiler : public Top {
protected:
    TopOfACompiler() : Top{{"-p", "cpu0.type=cpu.llvmjit"}} {}
};

TEST_F(TopOfACompiler, TellsOfCompiling) {
    const auto have_all = [](const std::vector<Json>& lines) {
        return lines.back()["jit"]["totals"]["tier1"]["blocks_compiled"] > 0 &&
               lines.back()["time"]["samples"] > 10;
    };
    const Json last = refreshes("--count 8", have_all).back();
    EXPECT_EQ(last["jit"]["enabled"], true);
    EXPECT_GT(last["jit"]["totals"]["tier1"]["blocks_compiled"], 0);
    EXPECT_GT(last["jit"]["totals"]["cache"]["capacity_bytes"], 0);
    EXPECT_LT(last["jit"]["rolling"]["blocks_compiled_per_s"], 100.0) << "not again and again";
    EXPECT_GT(last["time"]["samples"], 10);
}

class TopOfAProfiledMachine : public Top {
protected:
    TopOfAProfiledMachine() : Top{{"--profile", temp_path("profiled.data")}} {}
};

TEST_F(TopOfAProfiledMachine, LeavesTheSamplesToItsProfiler) {
    const Json last = refreshes("--count 3", have_speed).back();
    EXPECT_EQ(last["time"]["why_none"], "cpu0 has another profiler");
    EXPECT_EQ(last["time"]["samples"], 0);
    EXPECT_EQ(last["time"]["idle_percent"], nullptr);
    EXPECT_GT(last["mips"]["avg"], 0.0) << "what is counted is there all the same";
    EXPECT_THAT(ctl("report hot-blocks"), HasSubstr("samples"));
}

class TopOfADeterministicMachine : public Top {
protected:
    TopOfADeterministicMachine()
        : Top{{"-p", "machine.clock=deterministic", "-p", "console.type=character.null"}} {}
};

TEST_F(TopOfADeterministicMachine, DisturbsNothing) {
    EXPECT_TRUE(have_samples(refreshes("--count 4", have_samples)));
    EXPECT_TRUE(json("status")["repeatable"].get<bool>());
}

// `backplane top` on a terminal of its own.
class OnATerminal : public Top {
protected:
    void start(const std::string& options, unsigned short rows = 30, unsigned short columns = 100) {
        winsize size{.ws_row = rows, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
        int slave = -1;
        ASSERT_EQ(openpty(&master, &slave, nullptr, nullptr, &size), 0);
        tcgetattr(slave, &before);
        child = fork();
        if (child == 0) {
            setsid();
            ioctl(slave, TIOCSCTTY, 0);
            for (const int descriptor : {0, 1, 2})
                dup2(slave, descriptor);
            setenv("TERM", "xterm", 1);
            const std::string command = std::string{"exec "} + paths::program + " top " + socket +
                                        " " + options;
            execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
            _exit(127);
        }
        terminal = slave;
    }
    ~OnATerminal() override {
        if (child > 0 && waitpid(child, nullptr, WNOHANG) == 0) {
            kill(child, SIGKILL);
            waitpid(child, nullptr, 0);
        }
        close(master);
        close(terminal);
    }
    // What it draws until this comes.
    bool expect(std::string_view wanted) {
        const auto deadline = std::chrono::steady_clock::now() + GuestSession::patience;
        while (drawn.find(wanted) == std::string::npos) {
            pollfd input{master, POLLIN, 0};
            if (std::chrono::steady_clock::now() > deadline) return false;
            if (poll(&input, 1, 100) <= 0) continue;
            char bytes[4096];
            const ssize_t count = read(master, bytes, sizeof bytes);
            if (count <= 0) return false;
            drawn.append(bytes, static_cast<std::size_t>(count));
        }
        const std::size_t at = drawn.find(wanted);
        last = drawn.substr(0, at);
        drawn.erase(0, at + wanted.size());
        return true;
    }
    int exit_code() {
        int status = 0;
        waitpid(child, &status, 0);
        child = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }
    void expect_as_before() {
        termios now{};
        tcgetattr(terminal, &now);
        EXPECT_EQ(now.c_lflag, before.c_lflag);
        EXPECT_EQ(now.c_iflag, before.c_iflag);
    }
    int master = -1, terminal = -1;
    pid_t child = -1;
    termios before{};
    std::string drawn, last;
};

constexpr std::string_view enters = "\x1b[?1049h", leaves = "\x1b[?1049l";

TEST_F(OnATerminal, DrawsTheScreenAndGivesItBack) {
    start("");
    ASSERT_TRUE(expect(enters));
    ASSERT_TRUE(expect("-0x1000218 kernel"));
    EXPECT_THAT(last,
                AllOf(HasSubstr("backplane top: linux-serial, running, 1 CPU"), HasSubstr("MIPS"),
                      HasSubstr("Tiers"), HasSubstr("JIT none"), HasSubstr("Hot blocks")));
    ASSERT_TRUE(expect("acpi0"));
    ASSERT_EQ(write(master, "q", 1), 1);
    ASSERT_TRUE(expect(leaves));
    EXPECT_EQ(exit_code(), 0);
    expect_as_before();
}

TEST_F(OnATerminal, GivesTheScreenBackAfterCtrlC) {
    start("--interval 30");
    ASSERT_TRUE(expect("Devices"));
    ASSERT_EQ(write(master, "\x03", 1), 1);
    ASSERT_TRUE(expect(leaves)) << "at once, and not at the next refresh";
    EXPECT_EQ(exit_code(), 0);
    expect_as_before();
}

TEST_F(OnATerminal, GivesTheScreenBackAfterASignal) {
    start("");
    ASSERT_TRUE(expect("Devices"));
    kill(child, SIGTERM);
    ASSERT_TRUE(expect(leaves));
    EXPECT_EQ(exit_code(), 128 + SIGTERM);
    expect_as_before();
}

TEST_F(OnATerminal, DrawsAsMuchAsFits) {
    start("--interval 30", 40, 120);
    ASSERT_TRUE(expect("writes/s"));
    const winsize small{.ws_row = 3, .ws_col = 16, .ws_xpixel = 0, .ws_ypixel = 0};
    ASSERT_EQ(ioctl(master, TIOCSWINSZ, &small), 0);
    // Drawn anew at once: three lines, each cut.
    ASSERT_TRUE(expect("\x1b[Hbackplane top: l\x1b[K"));
    ASSERT_TRUE(expect("\x1b[J"));
    EXPECT_EQ(std::ranges::count(last, '\n'), 2);
    EXPECT_THAT(last, AllOf(HasSubstr("MIPS"), HasSubstr("Time   idle")));
}

TEST_F(OnATerminal, EndsWithTheMachine) {
    start("--interval 0.1");
    ASSERT_TRUE(expect("Devices"));
    backplane("ctl " + socket + " quit");
    ASSERT_TRUE(expect(leaves));
    ASSERT_TRUE(expect("backplane: the machine has ended"));
    expect_as_before();
}

}  // namespace
}  // namespace backplane::test
