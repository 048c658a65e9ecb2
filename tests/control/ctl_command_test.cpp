// `backplane run --control` and the commands that talk to it, as a user has them.
#include "control/controlled_guest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace backplane::test {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

class Ctl : public ControlledGuest {
protected:
    using ControlledGuest::ControlledGuest;
    Ctl() = default;

    nlohmann::json counter() { return json("read-registers rbx")["registers"]["rbx"]; }
    // The power button works from then on.
    void wait_until_it_counts() {
        while (counter() == "0x0" && !session->exit_code(0s))
            std::this_thread::sleep_for(20ms);
    }
};

TEST_F(Ctl, StopsLooksAndGoesOn) {
    EXPECT_THAT(ctl("status"), AllOf(HasSubstr("state"), HasSubstr("running")));
    EXPECT_THAT(ctl("stop"), HasSubstr("paused"));
    const auto stopped = counter();
    EXPECT_EQ(counter(), stopped);
    ctl("write-register rbx 0x7000000000000000");
    ctl("cont");
    EXPECT_THAT(counter().get<std::string>(), ::testing::StartsWith("0x70000"));
    EXPECT_THAT(ctl("read-registers group=general"),
                AllOf(HasSubstr("cpu0 at 0x1000"), HasSubstr("rbx")));
    EXPECT_THAT(ctl("read-memory 0x1000200 10"), HasSubstr("66 ba 02 06 66 b8 00 01  66 ef"));
    EXPECT_THAT(ctl("read-memory 0x1000200 length=2 view=linear"), HasSubstr("66 ba"));
}

TEST_F(Ctl, ReplacesTheCodeThatRuns) {
    // The test of the button becomes one of a bit that is always clear, then none: it powers off.
    ctl("write-memory " + std::to_string(entry + 22) + " 9090");
    EXPECT_EQ(session->exit_code(), 0);
    EXPECT_THAT(session->unread(), HasSubstr("guest powered off (ACPI S5)"));
}

TEST_F(Ctl, PressesThePowerButton) {
    wait_until_it_counts();
    const auto pressed = json("power-button");
    EXPECT_EQ(pressed["device"], "acpi0");
    EXPECT_TRUE(pressed["interrupts"].get<bool>());
    EXPECT_EQ(session->exit_code(), 0);
    EXPECT_THAT(session->unread(), HasSubstr("guest powered off (ACPI S5)"));
    EXPECT_FALSE(std::filesystem::exists(socket));
}

TEST_F(Ctl, ShowsDevices) {
    EXPECT_THAT(ctl("list-devices"), AllOf(HasSubstr("pit0"), HasSubstr("chipset.pit8254")));
    for (const auto& device : json("list-devices")["devices"])
        ctl("inspect-device " + device["name"].get<std::string>());
    wait_until_it_counts();
    EXPECT_THAT(ctl("inspect-device acpi0"),
                AllOf(HasSubstr("PMEN"), HasSubstr("0x100"), HasSubstr("pic0.")));
    EXPECT_GT(json("statistics")["accesses"]["io"].size(), 5u);
}

struct CompilingCtl : Ctl {
    CompilingCtl() : Ctl{{"-p", "cpu0.type=cpu.llvmjit"}} {}
};

TEST_F(CompilingCtl, ShowsWhatWasCompiled) {
    const auto untranslated_executions = [&] {
        return json("statistics")["components"]["cpu0"]["statistics"]["jit.exit.untranslated_total"]
            .get<std::uint64_t>();
    };
    // The loop has an IN: it is in compiled code when that was left for one.
    while (untranslated_executions() < 1000 && !session->exit_code(0s))
        std::this_thread::sleep_for(20ms);
    const std::string jit = "jit dump " + socket + " ";
    // Two blocks: from the start, and the loop, which is hot. INC RBX as the guest's instruction
    // and as the host's.
    const Output dump = backplane(jit + "0x100020d");
    EXPECT_EQ(dump.code, 0) << dump.text;
    EXPECT_THAT(dump.text, ContainsRegex("\n100020a  inc rbx .*  inc rbx\n")) << dump.text;
    EXPECT_THAT(dump.text, HasSubstr("in ax, dx  (interpreted)"));
    EXPECT_EQ(backplane(jit + "physical:0x100020d --cpu cpu0").text, dump.text);
    const Output wrong = backplane(jit + "0x123456789abc");
    EXPECT_EQ(wrong.code, 2);
    EXPECT_EQ(wrong.text, "backplane: jit-block: 123456789abc is not mapped\n");

    const Output untranslated = backplane("jit untranslated " + socket);
    EXPECT_THAT(untranslated.text, ContainsRegex("\nin +[0-9]+ +[0-9]+\n"));
}

class CtlOfTheInterpreter : public Ctl {
protected:
    CtlOfTheInterpreter() : Ctl{{"-p", "cpu0.type=cpu.interp"}} {}
};

TEST_F(CtlOfTheInterpreter, HasNothingCompiled) {
    const Output dump = backplane("jit dump " + socket);
    EXPECT_EQ(dump.code, 2);
    EXPECT_EQ(dump.text, "backplane: this machine has no report 'jit-block'\n");
    const Output wrong = backplane("jit dunp " + socket);
    EXPECT_EQ(wrong.code, 2);
    EXPECT_EQ(wrong.text, "backplane: unknown subject 'dunp'; did you mean 'dump'?\n");
}

TEST_F(Ctl, EndsTheRunWithACode) {
    ctl("reset");
    ctl("quit 9");
    EXPECT_EQ(session->exit_code(), 9);
    EXPECT_THAT(session->unread(), HasSubstr("backplane: ended by a control client"));
}

TEST_F(Ctl, FollowsEventsToTheEnd) {
    std::atomic<bool> is_heard = false;
    std::jthread ender{[&] {
        const auto stop_and_go = [this] {
            return backplane("ctl " + socket + " stop").code == 0 &&
                   backplane("ctl " + socket + " cont").code == 0;
        };
        // What happens before it has subscribed is not told; what comes behind its first line is.
        while (!is_heard && stop_and_go())
            continue;
        stop_and_go();
        backplane("ctl " + socket + " quit");
    }};
    const Output events = backplane("ctl " + socket + " --follow subscribe",
                                    [&] { is_heard = true; });
    is_heard = true;
    EXPECT_EQ(events.code, 0);
    EXPECT_THAT(events.text, AllOf(HasSubstr("change paused"), HasSubstr("change powered-off")));
}

TEST_F(Ctl, SaysWhatIsWrong) {
    const auto refused = [&](const std::string& command) {
        const Output output = backplane("ctl " + socket + " " + command);
        EXPECT_EQ(output.code, 2) << command;
        return output.text;
    };
    EXPECT_THAT(refused("stauts"), HasSubstr("did you mean 'status'?"));
    EXPECT_THAT(refused("stop now"), HasSubstr("'now' is too much; expected: stop"));
    EXPECT_THAT(refused("read-memory"), HasSubstr("the argument 'address' is missing"));
    EXPECT_THAT(refused("read-memory 0 address=1"), HasSubstr("is there twice"));
    EXPECT_THAT(refused("read-memory 0xC0000000"), HasSubstr("nothing is mapped at 0xc0000000"));
    EXPECT_THAT(refused("read-memory 0xFEC00000"),
                HasSubstr("0xfec00000 is in ioapic0.registers, a device"));
    EXPECT_THAT(refused("--json read-memory 0xFEC00000"), HasSubstr("\"kind\":\"failed\""));
    EXPECT_THAT(refused("screenshot"), HasSubstr("this machine has no display"));
    const Output screenshot = backplane("screenshot " + socket + " /dev/null");
    EXPECT_EQ(screenshot.code, 2);
    EXPECT_THAT(screenshot.text, HasSubstr("this machine has no display"));
}

TEST_F(Ctl, LeavesNoSocketBehindWhenASignalEndsTheRun) {
    session->send_signal(SIGTERM);
    EXPECT_EQ(session->exit_code(), 128 + SIGTERM);
    EXPECT_FALSE(std::filesystem::exists(socket));
}

class CtlOfAPausedMachine : public Ctl {
protected:
    CtlOfAPausedMachine() : Ctl{{"-S"}} {}
};

TEST_F(CtlOfAPausedMachine, FindsItBeforeItsFirstInstruction) {
    EXPECT_EQ(json("status")["state"], "paused");
    EXPECT_EQ(json("status")["instructions"], 0);
    ctl("cont");
    EXPECT_EQ(json("status")["state"], "running");
}

class CtlOfADeterministicMachine : public Ctl {
protected:
    CtlOfADeterministicMachine()
        : Ctl{{"-p", "machine.clock=deterministic", "-p", "console.type=character.null"}} {}
};

TEST_F(CtlOfADeterministicMachine, SaysWhatMakesTheRunUnrepeatable) {
    ctl("read-registers");
    EXPECT_TRUE(json("status")["repeatable"].get<bool>());
    EXPECT_THAT(ctl("write-memory 0x5000 00"), HasSubstr("will not repeat"));
    EXPECT_FALSE(json("status")["repeatable"].get<bool>());
    ctl("quit");
    EXPECT_EQ(session->exit_code(), 0);
    EXPECT_THAT(session->unread(), HasSubstr("write-memory changes the guest from outside"));
}

TEST(ControlOption, PrintsThePortThatItPicked) {
    const std::string kernel = write_flat_kernel(temp_path("kernel"), counts_until_the_button);
    GuestSession session{"linux-serial",
                         {"--kernel", kernel, "--serial", "none", "--control", "tcp:127.0.0.1:0",
                          "--timeout", "120"},
                         Input::Null};
    ASSERT_TRUE(session.expect("control socket at "));
    ASSERT_TRUE(session.expect("\n"));
    EXPECT_EQ(backplane("ctl " + session.before + " quit 5").code, 0);
    EXPECT_EQ(session.exit_code(), 5);
}

TEST(ControlOption, IsRefusedBeforeTheGuestRuns) {
    const std::string kernel = write_flat_kernel(temp_path("kernel"), counts_until_the_button);
    for (const char* address : {"nonsense", "unix:", "tcp:1.2.3.4:5", "unix:/no/such/folder/x"}) {
        GuestSession session{
            "linux-serial",
            {"--kernel", kernel, "--serial", "none", "--control", address, "--timeout", "120"},
            Input::Null};
        EXPECT_EQ(session.exit_code(), 2) << address;
        EXPECT_THAT(session.unread(), HasSubstr(std::string{"--control "} + address));
    }
}

TEST(CtlCommand, ExplainsItselfWithoutAMachine) {
    EXPECT_THAT(backplane("ctl --help").text,
                AllOf(HasSubstr("read-memory"), HasSubstr("power-button")));
    EXPECT_THAT(backplane("ctl help read-memory").text,
                AllOf(HasSubstr("read-memory ADDRESS [LENGTH]"), HasSubstr("1 to 1048576")));
    EXPECT_EQ(backplane("ctl help nonsense").code, 2);
    const Output nobody = backplane("ctl /no/such/socket status");
    EXPECT_EQ(nobody.code, 2);
    EXPECT_THAT(nobody.text,
                HasSubstr("is `backplane run --control unix:/no/such/socket` running?"));
}

}  // namespace
}  // namespace backplane::test
