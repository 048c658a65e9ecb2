// The real GDB with a machine: tests/gdb/modes.S, from real mode to 64-bit code.
#include "support/flat_kernel.h"
#include "support/guest_session.h"
#include "support/paths.h"
#include "support/temp_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace backplane::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// What GDB says to these commands, behind `target remote`.
std::string run_gdb(const std::string& endpoint, const std::vector<std::string>& commands) {
    const std::string script = temp_path("commands.gdb");
    std::ofstream file{script};
    // GDB gives up on a machine that does not answer within two seconds, unless told otherwise.
    file << "set pagination off\nset confirm off\nset width 0\nset tcp connect-timeout 60\n"
         << "set remotetimeout 60\nfile " << paths::debugged_guest << ".elf\ntarget remote "
         << endpoint << "\n";
    for (const std::string& command : commands)
        file << command << '\n';
    file.close();
    const std::string line = "timeout -k 5 300 gdb --batch -nx -x " + script + " 2>&1";
    FILE* output = popen(line.c_str(), "r");
    std::string text;
    std::array<char, 4096> bytes{};
    while (const std::size_t count = fread(bytes.data(), 1, bytes.size(), output))
        text.append(bytes.data(), count);
    pclose(output);
    std::remove(script.c_str());
    return text;
}

// Where the machine waits for GDB.
std::string endpoint_of(GuestSession& session) {
    EXPECT_TRUE(session.expect("target remote ")) << session.unread();
    EXPECT_TRUE(session.expect("\n"));
    return session.before;
}

class GdbTest : public ::testing::TestWithParam<const char*> {
protected:
    // The machine waits for GDB before its first instruction.
    GdbTest()
        : session_{"../tests/gdb/machine",
                   {"-S", "--gdb", "0", "--timeout", "600", "-p",
                    "rom0.image=" + std::string{paths::debugged_guest} + ".bin", "-p",
                    std::string{"machine.clock="} + GetParam()},
                   Input::Null},
          endpoint_{endpoint_of(session_)} {}

    std::string gdb(const std::vector<std::string>& commands) {
        return run_gdb(endpoint_, commands);
    }

    GuestSession session_;
    std::string endpoint_;
};

TEST_P(GdbTest, FollowsAMachineThroughItsModes) {
    const std::string said = gdb({
        "info registers rip cs_base",
        "monitor info pc",
        "monitor info registers",
        "hbreak real_loop",
        "continue",
        "continue",
        "info registers ecx",
        "monitor disassemble f0000 2",
        "delete",
        "break protected_mark",
        "continue",
        "set var $rbx = 0x55667788",
        "stepi",
        "x/wx 0x600",
        "tbreak long_mark",
        "continue",
        "info registers r9 cr0 efer",
        "kill",
    });
    EXPECT_THAT(said, HasSubstr("rip            0xfffffff0"));
    EXPECT_THAT(said, HasSubstr("cs_base        0xffff0000"));
    EXPECT_THAT(said, HasSubstr("\n0xfffffff0 = f000:fff0: jmp far 0xF000:0x0000"));
    EXPECT_THAT(said, HasSubstr("at 0xfffffff0 = f000:fff0: jmp far 0xF000:0x0000"));
    EXPECT_THAT(said, HasSubstr("ecx            0x2"));
    EXPECT_THAT(said, HasSubstr("0xf0001: xor ax, ax"));
    EXPECT_THAT(said, HasSubstr("in protected_mark ()"));
    EXPECT_THAT(said, HasSubstr("0x600:\t0x55667788"));
    EXPECT_THAT(said, HasSubstr("in long_mark ()"));
    EXPECT_THAT(said, HasSubstr("r9             0x123456789abcdef0"));
    EXPECT_THAT(said, HasSubstr("[ PE ET NW CD PG ]"));
    EXPECT_THAT(said, HasSubstr("[ LME LMA ]"));
    EXPECT_EQ(session_.exit_code(), 0);
    EXPECT_THAT(session_.unread(), HasSubstr("ended by the debugger"));
}

TEST_P(GdbTest, StepsOutOfAFunctionInOneGo) {
    const std::string said = gdb({
        "tbreak long_mark",
        "continue",
        "set debug remote 1",
        "next",
        "set debug remote 0",
        "p $pc == (unsigned long)long_loop",
        "p $rcx",
        "kill",
    });
    EXPECT_THAT(said, AllOf(HasSubstr("vCont;r"), HasSubstr("$1 = 1\n"), HasSubstr("$2 = 0\n")));
    EXPECT_EQ(session_.exit_code(), 0);
}

TEST_P(GdbTest, WatchesMemoryWrittenAndRead) {
    const std::string said = gdb({
        "watch *(int*)0x604",
        "continue",
        "delete",
        "watch *(long*)0x708",
        "continue",
        "continue",
        "p $rcx",
        "delete",
        "rwatch *(long*)0x700",
        "continue",
        "x/i $pc",
        "delete",
        "watch *(long*)0x708 if *(long*)0x708 == 20",
        "continue",
        "p $rcx",
        "kill",
    });
    EXPECT_THAT(said, AllOf(HasSubstr("in protected_function ()"), HasSubstr("New value = 2\n"),
                            HasSubstr("$1 = 2\n"), HasSubstr("Value = 1311768467463790320\n"),
                            HasSubstr("jmp    0x"), HasSubstr("New value = 20\n"),
                            HasSubstr("$2 = 20\n")));
    EXPECT_EQ(session_.exit_code(), 0);
}

TEST_P(GdbTest, ChangesRegistersAndMemory) {
    const std::string said = gdb({
        "tbreak long_loop",
        "continue",
        "set var $rcx = 100",
        "set var $ymm1.v4_int64[3] = 77",
        "set var $xmm1.v2_int64[0] = 5",
        "stepi",
        "p $rcx",
        "p $ymm1.v4_int64",
        "set var *(int*)0x900 = 0x1234",
        "p/x *(int*)0x900",
        "maint packet Qqemu.PhyMemMode:1",
        "p/x *(int*)0x900000",
        "maint packet Qqemu.PhyMemMode:0",
        "p/x *(int*)0x900000",
    });
    EXPECT_THAT(said, AllOf(HasSubstr("$1 = 101\n"), HasSubstr("$2 = {5, 0, 0, 77}"),
                            HasSubstr("$3 = 0x1234\n"), HasSubstr("$4 = 0x0\n"),
                            HasSubstr("Cannot access memory at address 0x900000")));
}

TEST_P(GdbTest, LetsTheMachineGoOnAndComesBack) {
    EXPECT_THAT(gdb({"tbreak long_mark", "continue", "break long_loop", "detach"}),
                HasSubstr("detached"));
    // The breakpoint is gone with its debugger; GDB finds the machine running, and stops it.
    const std::string said = gdb({
        "python import os, signal, threading",
        "python interrupt = lambda: os.kill(os.getpid(), signal.SIGINT)",
        "python soon = lambda event: threading.Timer(1, interrupt).start()",
        "python gdb.events.cont.connect(soon)",
        "continue",
        // It may have had no processor yet.
        "while $pc < (unsigned long)long_loop || $rcx <= 1000",
        "continue",
        "end",
        "python gdb.events.cont.disconnect(soon)",
        "p $pc >= (unsigned long)long_loop",
        "p $rcx > 1000",
        "monitor reset",
        "tbreak real_done",
        "continue",
        "info threads",
        "kill",
    });
    EXPECT_THAT(said, AllOf(HasSubstr("$1 = 1\n"), HasSubstr("Interrupt"), HasSubstr("$2 = 1\n"),
                            HasSubstr("in real_done ()"), HasSubstr("Thread 1 (cpu0)")));
    EXPECT_EQ(session_.exit_code(), 0);
}

TEST_P(GdbTest, ShowsATripleFault) {
    const std::string said = gdb({
        "tbreak long_mark",
        "continue",
        "set var $rip = 0x900000",
        "continue",
        "p $rip",
        "kill",
    });
    EXPECT_THAT(said, AllOf(HasSubstr("cpu0: shutdown (triple fault)"), HasSubstr("SIGSEGV"),
                            HasSubstr("$1 = (void (*)()) 0x900000")));
}

TEST_P(GdbTest, HearsHowTheMachineEnded) {
    const std::filesystem::path goes_on = temp_path("goes-on");
    std::filesystem::remove(goes_on);
    std::atomic<bool> is_over = false;
    std::thread ends{[&] {
        const auto wait_until = [&](auto is_there) {
            while (!is_there() && !is_over)
                std::this_thread::sleep_for(std::chrono::milliseconds{20});
        };
        wait_until([&] { return std::filesystem::exists(goes_on); });
        // A machine that runs uses the processor.
        const auto runs = session_.cpu_time() + std::chrono::milliseconds{200};
        wait_until([&] { return session_.cpu_time() > runs; });
        session_.send_signal(SIGTERM);
    }};
    const std::string said = gdb({"shell touch " + goes_on.string(), "continue"});
    is_over = true;
    ends.join();
    std::filesystem::remove(goes_on);
    EXPECT_THAT(said, HasSubstr("exited with code 0217")) << "128 + 15, in octal";
    EXPECT_EQ(session_.exit_code(), 128 + SIGTERM);
}

INSTANTIATE_TEST_SUITE_P(Clocks, GdbTest, ::testing::Values("realtime", "deterministic"),
                         [](const auto& info) { return std::string{info.param}; });

TEST(GdbOption, RefusesWhatIsNoAddress) {
    GuestSession session{"../tests/gdb/machine", {"--gdb", "0.0.0.0:1234"}, Input::Null};
    EXPECT_EQ(session.exit_code(), 2);
    EXPECT_THAT(session.unread(), HasSubstr("--gdb 0.0.0.0:1234: expected a port"));
}

// All but the first wait for a STARTUP.
TEST(GdbOption, ShowsSeveralCpusAsThreads) {
    constexpr std::array<std::uint8_t, 5> counts{0x48, 0xff, 0xc0, 0xeb, 0xfb};  // inc rax; jmp
    const std::string kernel = write_flat_kernel(temp_path("kernel"), counts);
    GuestSession session{"linux-serial-smp",
                         {"-S", "--gdb", "0", "--timeout", "600", "--kernel", kernel},
                         Input::Null};
    const std::string said = run_gdb(endpoint_of(session), {
                                                               "info threads",
                                                               "p $pc",
                                                               "stepi",
                                                               "stepi",
                                                               "stepi",
                                                               "p $pc",
                                                               "p $rax",
                                                               "thread 3",
                                                               "p $rax",
                                                               "hbreak *0x1000200",
                                                               "continue",
                                                               "thread",
                                                               "kill",
                                                           });
    for (const char* cpu :
         {"Thread 1 (cpu0)", "Thread 2 (cpu1)", "Thread 3 (cpu2)", "Thread 4 (cpu3)"})
        EXPECT_THAT(said, HasSubstr(cpu));
    EXPECT_THAT(said, AllOf(HasSubstr("$1 = (void (*)()) 0x1000200\n"),
                            HasSubstr("$2 = (void (*)()) 0x1000203\n"), HasSubstr("$3 = 2\n"),
                            HasSubstr("$4 = 0\n"), HasSubstr("Current thread is 1")));
    EXPECT_EQ(session.exit_code(), 0);
}

}  // namespace
}  // namespace backplane::test
