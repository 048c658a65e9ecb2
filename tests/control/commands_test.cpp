// What each command does to a small machine.
#include "control/talk.h"
#include "runtime/control/hex.h"

#include <gmock/gmock.h>

namespace backplane::runtime::control {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

class Commands : public ::testing::Test {
protected:
    std::string memory(std::uint64_t address, unsigned length, const char* view = "physical") {
        return talk.ask("read-memory",
                        {{"address", address}, {"length", length}, {"view", view}})["data"];
    }

    // Codes of keys as they were pressed (positive) and released.
    std::vector<int> keys() {
        const MachineGuard guard{talk.small.machine->lock()};
        std::vector<int> codes;
        for (const auto& event : SmallInput::events)
            codes.push_back(event.value != 0 ? event.code : -event.code);
        return codes;
    }

    Talk talk;
};

TEST_F(Commands, StopsAndGoesOn) {
    EXPECT_EQ(talk.ask("status")["state"], "running");
    EXPECT_EQ(talk.ask("stop")["state"], "paused");
    const auto status = talk.ask("status");
    EXPECT_EQ(status["state"], "paused");
    EXPECT_EQ(status["why"], "stopped by a control client");
    EXPECT_EQ(talk.ask("stop")["state"], "paused") << "stopping twice is fine";
    const auto time = status["guest_nanoseconds"];
    std::this_thread::sleep_for(5ms);
    EXPECT_EQ(talk.ask("status")["guest_nanoseconds"], time) << "guest time stands still";
    EXPECT_EQ(talk.ask("cont")["state"], "running");
    EXPECT_EQ(talk.ask("cont")["state"], "running");
    // The machine's controller starts it a moment after the reply perhaps.
    while (talk.ask("status")["guest_nanoseconds"] == time)
        continue;
    EXPECT_GT(talk.ask("status")["guest_nanoseconds"], time);
}

TEST_F(Commands, ResetsARunningAndAStoppedMachine) {
    const int before = SmallCpu::resets;
    EXPECT_EQ(talk.ask("reset")["state"], "running");
    EXPECT_EQ(SmallCpu::resets, before + 1);
    talk.ask("stop");
    EXPECT_EQ(talk.ask("reset")["state"], "paused");
    EXPECT_EQ(SmallCpu::resets, before + 2);
}

TEST_F(Commands, EndsTheRun) {
    EXPECT_TRUE(talk.ask("quit", {{"exit-code", 42}}).empty());
    EXPECT_EQ(talk.small.end().exit_code, 42);
}

TEST_F(Commands, PressesThePowerButton) {
    EXPECT_EQ(talk.ask("power-button")["device"], "button0");
    EXPECT_EQ(SmallButton::presses, 1);
    EXPECT_FALSE(talk.ask("power-button", {{"device", "button0"}})["interrupts"]);
    EXPECT_THAT(talk.refusal("power-button", {{"device", "buton0"}}),
                HasSubstr("there is no power button 'buton0'; did you mean 'button0'?"));
}

TEST_F(Commands, ChangesTheMediumOfADrive) {
    SmallMedium::is_locked = false;
    const auto reply = talk.ask("change-medium", {{"file", "other.iso"}});
    EXPECT_EQ(reply["device"], "cdrom0-image");
    EXPECT_EQ(reply["bytes"], 9);
    SmallMedium::is_locked = true;
    EXPECT_THAT(talk.refusal("change-medium", {{"device", "cdrom0-image"}}),
                HasSubstr("cdrom0-image: it was refused: the guest has locked"));
    EXPECT_EQ(talk.ask("change-medium", {{"force", true}})["bytes"], 0);
    SmallMedium::is_locked = false;
    EXPECT_THAT(talk.refusal("change-medium", {{"device", "cdrom1-image"}}),
                HasSubstr("there is no image 'cdrom1-image'"));
}

TEST_F(Commands, ReadsAndWritesPhysicalMemory) {
    EXPECT_EQ(memory(0x10, 4), "00000000");
    EXPECT_EQ(talk.ask("write-memory", {{"address", 0x10}, {"data", "0a0B 0c"}})["written"], 3);
    EXPECT_EQ(memory(0xf, 6), "000a0b0c0000");
    EXPECT_EQ(memory(0x8000, 2), "0000") << "ROM can be read";
}

TEST_F(Commands, ReadsAndWritesLinearMemory) {
    const std::uint64_t base = SmallCpu::linear_base;
    talk.ask("write-memory", {{"address", base + 0xffe}, {"data", "01020304"}, {"view", "linear"}});
    EXPECT_EQ(memory(0xffe, 4), "01020304");
    EXPECT_EQ(memory(base + 0xffe, 4, "linear"), "01020304") << "across a page";
    EXPECT_THAT(
        talk.refusal("read-memory",
                     {{"address", base + SmallCpu::mapped - 1}, {"length", 2}, {"view", "linear"}}),
        HasSubstr("no page is mapped at the linear address 0xffff800000002000"));
    EXPECT_THAT(talk.refusal("read-memory",
                             {{"address", ~std::uint64_t{0}}, {"length", 2}, {"view", "linear"}}),
                HasSubstr("go beyond the highest address"));
}

TEST_F(Commands, RefusesWhatIsNotMemory) {
    const auto write = [&](std::uint64_t address, const char* data) {
        return talk.refusal("write-memory", {{"address", address}, {"data", data}});
    };
    EXPECT_EQ(write(0x8000, "00"), "failed: 0x8000 is in memory0.rom, which is read-only");
    EXPECT_EQ(write(SmallMemory::size - 1, "ffff"), "failed: nothing is mapped at 0x4000");
    EXPECT_EQ(memory(SmallMemory::size - 1, 1), "00") << "all or nothing";
    EXPECT_THAT(write(0, "0"), HasSubstr("two hexadecimal digits"));
    EXPECT_THAT(write(0, "zz"), HasSubstr("two hexadecimal digits"));
    EXPECT_THAT(write(0, " "), HasSubstr("at least one byte"));
    EXPECT_THAT(talk.refusal("read-memory", {{"address", memory_space_size - 1}, {"length", 2}}),
                HasSubstr("beyond the highest address, 0xfffffffffffff"));
}

TEST_F(Commands, AccessesBusesAsAProcessorDoes) {
    talk.ask("write-bus", {{"space", "io"}, {"address", 0x40}, {"value", 0x81}});
    const auto read = [&](std::uint64_t address, const char* space, const char* size) {
        return talk.ask("read-bus",
                        {{"space", space}, {"address", address}, {"size", size}})["value"];
    };
    EXPECT_EQ(read(0x40, "io", "1"), "0x81");
    EXPECT_EQ(read(0x41, "io", "1"), "0x7") << "COUNT";
    EXPECT_EQ(read(0x41, "io", "1"), "0x0") << "which is cleared by reading";
    EXPECT_EQ(read(0x9000'0000, "memory", "8"), "0xffffffffffffffff");
    talk.ask("write-bus", {{"address", 0x20}, {"value", "0x12345678"}, {"size", "4"}});
    EXPECT_EQ(memory(0x20, 4), "78563412");
    EXPECT_THAT(talk.refusal("write-bus", {{"address", 0}, {"value", 256}}),
                HasSubstr("0x100 does not fit into 1 byte(s)"));
    EXPECT_THAT(talk.refusal("read-bus", {{"space", "io"}, {"address", 0xffff}, {"size", "2"}}),
                HasSubstr("io ends at 0xffff"));
}

TEST_F(Commands, ListsWindows) {
    const auto windows = talk.ask("list-windows")["windows"];
    ASSERT_EQ(windows.size(), 3u);
    EXPECT_EQ(windows[1]["window"], "memory0.rom");
    EXPECT_EQ(windows[1]["base"], "0x8000");
    EXPECT_EQ(windows[2]["window"], "chip0.placed") << "by the device itself";
    EXPECT_EQ(windows[2]["base"], "0xc000");
    EXPECT_EQ(talk.ask("list-windows", {{"space", "io"}})["windows"][0]["window"],
              "chip0.registers");
}

TEST_F(Commands, ReadsAndWritesRegisters) {
    EXPECT_EQ(talk.ask("read-registers")["registers"],
              ordered_json({{"rax", "0x1234"}, {"rip", "0xffff800000000000"}, {"xmm0", "0x0"}}));
    const std::string wide = "0x100000000000000000000000000000ff";
    EXPECT_EQ(talk.ask("write-register", {{"register", "xmm0"}, {"value", wide}})["value"], wide);
    EXPECT_EQ(talk.ask("read-registers", {{"group", "vector"}})["registers"],
              ordered_json({{"xmm0", wide}}));
    talk.ask("write-register", {{"register", "rax"}, {"value", "18446744073709551615"}});
    EXPECT_EQ(talk.ask("read-registers", {{"register", "rax"}, {"cpu", "cpu0"}})["registers"],
              ordered_json({{"rax", "0xffffffffffffffff"}}));
    EXPECT_EQ(talk.ask("read-registers", {{"group", "x87"}})["registers"], ordered_json::object());
}

TEST_F(Commands, RefusesRegistersAndValuesThatThereAreNot) {
    EXPECT_EQ(talk.refusal("read-registers", {{"register", "raxx"}}),
              "bad-argument: cpu0 has no register 'raxx'; did you mean 'rax'?");
    EXPECT_THAT(talk.refusal("read-registers", {{"cpu", "cpu1"}}),
                HasSubstr("there is no CPU 'cpu1'; did you mean 'cpu0'?"));
    const auto write = [&](const char* name, const char* value) {
        return talk.refusal("write-register", {{"register", name}, {"value", value}});
    };
    EXPECT_THAT(write("rax", "0x10000000000000000"), HasSubstr("does not fit into 8 bytes"));
    EXPECT_THAT(write("rax", "0xfg"), HasSubstr("is not a number"));
    EXPECT_THAT(write("rax", "-1"), HasSubstr("is negative"));
    EXPECT_THAT(write("rip", "5"), HasSubstr("rip cannot be 0x5"));
}

TEST_F(Commands, ListsAndInspectsDevices) {
    const auto devices = talk.ask("list-devices")["devices"];
    ASSERT_EQ(devices.size(), 8u);
    EXPECT_EQ(
        devices[2],
        ordered_json({{"name", "chip0"}, {"type", "test.chip"}, {"summary", "Has registers"}}));
    for (const auto& device : devices)
        talk.ask("inspect-device", {{"device", device["name"]}});

    const auto chip = talk.ask("inspect-device", {{"device", "chip0"}});
    EXPECT_EQ(chip["properties"][0]["value"], "1 kHz");
    EXPECT_EQ(chip["connections"][0], ordered_json({{"port", "button"},
                                                    {"interface", BACKPLANE_POWER_BUTTON},
                                                    {"to", "button0.button"}}));
    EXPECT_EQ(chip["windows"][0]["base"], "0xc000") << "placed by the device";
    EXPECT_EQ(chip["windows"][1]["base"], "0x40");
    EXPECT_THAT(talk.refusal("inspect-device", {{"device", "chip1"}}),
                HasSubstr("there is no device 'chip1'; did you mean 'chip0'?"));
}

TEST_F(Commands, ShowsRegistersWithoutReadingThem) {
    talk.ask("write-bus", {{"space", "io"}, {"address", 0x40}, {"value", 0x85}});
    for (int i = 0; i < 2; ++i) {
        const auto registers = talk.ask("inspect-device", {{"device", "chip0"}})["registers"];
        EXPECT_EQ(registers[0]["value"], "0x85");
        EXPECT_EQ(registers[0]["fields"][1],
                  ordered_json({{"name", "ENABLE"}, {"bits", "7"}, {"value", "0x1"}}));
        EXPECT_EQ(registers[1]["value"], "0x7") << "not cleared";
        EXPECT_FALSE(registers[2].contains("value")) << "computed when it is read";
    }
}

TEST_F(Commands, ShowsSavedState) {
    const auto state = talk.ask("inspect-device", {{"device", "chip0"}})["state"];
    EXPECT_EQ(state[0]["value"], ordered_json({1, 2, 3}));
    EXPECT_EQ(state[1]["value"], -5);
    EXPECT_FALSE(state[2].contains("value"));
    EXPECT_EQ(state[2]["size"], 8192) << "too long to show";
}

TEST_F(Commands, CountsAsTheReportAtTheEndDoes) {
    const auto statistics = talk.ask("statistics");
    EXPECT_EQ(statistics["machine"], "small");
    EXPECT_TRUE(statistics["components"].contains("chip0"));
}

TEST_F(Commands, TellsWhatKeepsTheMachineBusy) {
    talk.ask("write-bus", {{"space", "io"}, {"address", 0x40}, {"value", 0x85}});
    const auto activity = talk.ask("activity");
    EXPECT_EQ(activity["state"], "running");
    EXPECT_EQ(activity["cpus"], 1);
    EXPECT_EQ(activity["statistics"], ordered_json({{"instructions", 0}}));
    EXPECT_EQ(activity["windows"],
              ordered_json::array(
                  {{{"window", "chip0.registers"}, {"space", "io"}, {"reads", 0}, {"writes", 1}}}));
    EXPECT_EQ(activity["samples"]["why"], "cpu0 cannot be sampled");
    EXPECT_TRUE(activity["samples"]["places"].empty());
    EXPECT_GE(talk.ask("activity", {{"since", 7}})["host_nanoseconds"],
              activity["host_nanoseconds"]);
}

TEST_F(Commands, GivesTheReportsOfDevices) {
    const auto list = talk.ask("list-reports")["reports"];
    ASSERT_EQ(list.size(), 2u);
    EXPECT_EQ(list[0], ordered_json({{"device", "reporter0"},
                                     {"report", "echo"},
                                     {"argument", "WORD"},
                                     {"doc", "What it was asked about"}}));
    const auto report = talk.ask("report", {{"report", "echo"}, {"argument", "hello"}});
    EXPECT_EQ(report["device"], "reporter0");
    EXPECT_EQ(report["text"], "hello\n?") << "as one line each, fit for a terminal";
    EXPECT_EQ(talk.ask("report", {{"report", "echo"}, {"device", "reporter0"}})["text"], "\n?");
}

TEST_F(Commands, SayWhyThereIsNoReport) {
    EXPECT_EQ(talk.refusal("report", {{"report", "secret"}}), "failed: secret: it is one");
    EXPECT_EQ(talk.refusal("report", {{"report", "ecko"}}),
              "not-available: this machine has no report 'ecko'; did you mean 'echo'?");
    EXPECT_EQ(talk.refusal("report", {{"report", "echo"}, {"device", "chip0"}}),
              "not-available: chip0 has no report 'echo'");
    EXPECT_THAT(talk.refusal("report", {{"report", "echo"}, {"device", "chip1"}}),
                HasSubstr("there is no device 'chip1'"));
}

TEST_F(Commands, TakesAPictureOfTheScreen) {
    SmallScreen::shows_text = false;
    const auto picture = talk.ask("screenshot");
    EXPECT_EQ(picture["device"], "vga0");
    EXPECT_EQ(picture["width"], 16);
    const auto png = parse_base64(picture["png"].get<std::string>());
    ASSERT_TRUE(png);
    EXPECT_EQ(hex_text(std::span{*png}.first(8)), "89504e470d0a1a0a");
    EXPECT_FALSE(talk.ask("screen-text").contains("rows"));
}

TEST_F(Commands, ReadsTheTextOnTheScreen) {
    const auto text = talk.ask("screen-text");
    EXPECT_EQ(text["mode"], "text");
    EXPECT_EQ(text["rows"], ordered_json({"hello", "world"}));
}

TEST_F(Commands, WaitsForTextOnTheScreen) {
    EXPECT_EQ(talk.ask("wait-for-text", {{"text", "orl"}})["row"], 1);
    EXPECT_EQ(talk.refusal("wait-for-text", {{"text", "goodbye"}, {"timeout", "10 ms"}}),
              "failed: wait-for-text: the screen of vga0 does not show 'goodbye'");
    SmallScreen::shows_text = false;
    std::jthread guest{[] {
        std::this_thread::sleep_for(30ms);
        SmallScreen::shows_text = true;
    }};
    EXPECT_EQ(talk.ask("wait-for-text", {{"text", "hello"}})["row"], 0);
}

TEST_F(Commands, PressesKeysAndHoldsThem) {
    EXPECT_EQ(talk.ask("send-key", {{"keys", "ctrl-alt-del a"}, {"hold", "1 ms"}})["keys"], 2);
    EXPECT_EQ(keys(), (std::vector{29, 56, 111, -111, -56, -29, 30, -30}));
    EXPECT_THAT(talk.refusal("send-key", {{"keys", "retrun"}}), HasSubstr("bad-argument"));
    EXPECT_THAT(talk.refusal("send-key", {{"keys", " "}}), HasSubstr("the name of a key"));
}

TEST_F(Commands, TypesAsFastAsTheGuestReads) {
    EXPECT_EQ(talk.ask("type", {{"text", "aB\n"}, {"between", "1 ms"}})["keys"], 3);
    EXPECT_EQ(keys(), (std::vector{30, -30, 42, 48, -48, -42, 28, -28}));

    SmallInput::free = 0;
    std::jthread guest{[] {
        std::this_thread::sleep_for(30ms);
        SmallInput::free = 4;
    }};
    EXPECT_EQ(talk.ask("type", {{"text", "B"}, {"patience", "600 s"}})["keys"], 1);
    EXPECT_THAT(talk.refusal("type", {{"text", "\xc3\xa9"}}), HasSubstr("US keyboard"));
}

TEST_F(Commands, GivesUpOnAGuestThatDoesNotReadItsKeyboard) {
    SmallInput::free = 3;
    EXPECT_EQ(talk.refusal("type", {{"text", "aB"}, {"patience", "20 ms"}, {"between", "0 s"}}),
              "failed: typing: the guest does not read its keyboard; 1 of 2 keys were typed");
    EXPECT_EQ(keys(), (std::vector{30, -30, 42, -42})) << "no key stays pressed";
}

TEST_F(Commands, ReleasesKeysOfAClientThatGoesAway) {
    {
        Session gone{talk.context, [](const std::string&) {}};
        gone.receive(line_of(
            {{"execute", "send-key"}, {"arguments", {{"keys", "shift-a"}, {"hold", "50 s"}}}}));
        while (gone.step() == Session::Step::Wait && gone.pause() < 1s)
            continue;
        EXPECT_EQ(keys(), (std::vector{42, 30}));
    }
    EXPECT_EQ(keys(), (std::vector{42, 30, -30, -42}));
}

TEST_F(Commands, MovesPointers) {
    talk.ask("move-pointer", {{"x", -3}, {"wheel", 1}});
    talk.ask("place-pointer", {{"x", 0x7fff}, {"y", 0}});
    talk.ask("press-button", {{"button", "middle"}});
    std::vector<backplane_input_event> events;
    {
        const MachineGuard guard{talk.small.machine->lock()};
        events = SmallInput::events;
    }
    ASSERT_EQ(events.size(), 6u);
    EXPECT_EQ(events[0].type, BACKPLANE_INPUT_RELATIVE);
    EXPECT_EQ(events[0].value, -3);
    EXPECT_EQ(events[1].code, BACKPLANE_RELATIVE_WHEEL);
    EXPECT_EQ(events[2].type, BACKPLANE_INPUT_ABSOLUTE);
    EXPECT_EQ(events[2].value, 0x7fff);
    EXPECT_EQ(events[4].code, BACKPLANE_BUTTON_MIDDLE);
    EXPECT_EQ(events[4].value, 1);
    EXPECT_EQ(events[5].value, 0);
    EXPECT_THAT(talk.refusal("place-pointer", {{"x", 0x8000}, {"y", 0}}),
                HasSubstr("expected 0 to 32767"));
    EXPECT_THAT(talk.refusal("move-pointer", {{"x", -10'001}}), HasSubstr("is out of range"));
}

TEST_F(Commands, DescribesAllThatThereIs) {
    const auto schema = talk.ask("query-schema")["schema"];
    EXPECT_EQ(schema["commands"].size(), commands().size());
    const auto requests = talk.ask("query-schema", {{"format", "json-schema"}})["schema"];
    EXPECT_EQ(requests["properties"]["execute"]["enum"].size(), commands().size());
}

// ---- Deterministic machines ----

class DeterministicCommands : public ::testing::Test {
protected:
    DeterministicCommands() {
        while (talk.ask("status")["instructions"] == 0)
            continue;
    }

    Talk talk{ClockMode::Deterministic};
};

TEST_F(DeterministicCommands, MayLookWithoutDisturbingTheRun) {
    talk.ask("read-memory", {{"address", 0}});
    talk.ask("inspect-device", {{"device", "chip0"}});
    talk.ask("report", {{"report", "echo"}});
    talk.ask("activity");
    talk.ask("stop");
    talk.ask("cont");
    const auto status = talk.ask("status");
    EXPECT_TRUE(status["repeatable"]);
    EXPECT_FALSE(status.contains("first_change"));
}

TEST_F(DeterministicCommands, AreToldThatAChangeMakesTheRunUnrepeatable) {
    const auto told = talk.reply("write-memory", {{"address", 0}, {"data", "00"}});
    ASSERT_TRUE(told.contains("changed_at"));
    EXPECT_FALSE(talk.reply("status").contains("changed_at"));
    const auto status = talk.ask("status");
    EXPECT_FALSE(status["repeatable"]);
    EXPECT_EQ(status["first_change"], told["changed_at"]);
    EXPECT_GE(talk.reply("reset")["changed_at"]["instructions"],
              told["changed_at"]["instructions"]);
    EXPECT_EQ(talk.ask("status")["first_change"], told["changed_at"]);
}

TEST_F(DeterministicCommands, ArriveBetweenTwoInstructionsOfAStoppedMachine) {
    talk.ask("stop");
    const auto instructions = talk.ask("status")["instructions"];
    EXPECT_EQ(
        talk.reply("write-memory", {{"address", 0}, {"data", "00"}})["changed_at"]["instructions"],
        instructions);
}

// ---- A machine that has nothing of the kind ----

TEST(CommandsOfABareMachine, SayWhatTheMachineLacks) {
    Talk talk;
    MachineDescription description;
    description.name = "bare";
    auto& cpu = description.components.emplace_back();
    cpu.name = "cpu0";
    cpu.type = Declaration<SmallCpu>::device_type();
    Diagnostics diagnostics;
    const auto bare = Machine::build(description, diagnostics);
    Context context{*bare, description, [](const ordered_json&) {}};
    std::string last;
    Session session{context, [&](std::string line) { last = std::move(line); }};
    for (const char* command :
         {"screenshot", "screen-text", "power-button", "move-pointer", "press-button"}) {
        session.receive(line_of({{"execute", command}}));
        session.step();
        EXPECT_THAT(last, HasSubstr("not-available")) << command;
        EXPECT_THAT(last, HasSubstr("this machine has no ")) << command;
    }
}

}  // namespace
}  // namespace backplane::runtime::control
