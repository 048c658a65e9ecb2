#include "core/small_catalog.h"
#include "runtime/explain.h"
#include "runtime/machine_check.h"

#include <backplane/abi/host.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <map>

namespace backplane::test {
namespace {

using namespace backplane::runtime;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Machine files in memory, as if they lay in /machines.
class MachineFile : public testing::Test {
protected:
    void read(const std::string& text) { files_["/machines/main.yaml"] = text; }
    void also(const std::string& name, const std::string& text) {
        files_["/machines/" + name] = text;
    }
    void set(const std::string& assignment) {
        overrides_.push_back(Override::assignment(assignment));
    }
    void set(Override setting) { overrides_.push_back(std::move(setting)); }

    MachineDocument document() {
        const FileReader reader =
            [&](const std::filesystem::path& path) -> std::expected<std::string, std::string> {
            const auto file = files_.find(path.string());
            if (file == files_.end()) return std::unexpected{"no such file"};
            ++reads_[path.string()];
            return file->second;
        };
        return read_machine_file("/machines/main.yaml", overrides_, diagnostics_, reader);
    }
    // The machine, which must be without errors.
    MachineDescription machine() {
        auto machine = check_machine(document(), types_, diagnostics_);
        EXPECT_THAT(diagnostics_.text(), IsEmpty());
        return machine ? std::move(*machine) : MachineDescription{};
    }
    std::string errors() {
        EXPECT_FALSE(check_machine(document(), types_, diagnostics_));
        return diagnostics_.text();
    }
    std::string explained() {
        const MachineDocument read = document();
        const auto machine = check_machine(read, types_, diagnostics_);
        EXPECT_THAT(diagnostics_.text(), IsEmpty());
        return machine ? explain_text(explain(read, *machine, types_)) : "";
    }

    std::map<std::string, int> reads_;

private:
    std::map<std::string, std::string> files_;
    std::vector<Override> overrides_;
    Diagnostics diagnostics_;
    SmallCatalog types_;
};

const ComponentDescription& component(const MachineDescription& machine, const std::string& name) {
    for (const ComponentDescription& each : machine.components)
        if (each.name == name) return each;
    throw std::runtime_error{"no component " + name};
}

std::vector<std::string> names(const MachineDescription& machine) {
    std::vector<std::string> result;
    for (const ComponentDescription& each : machine.components)
        result.push_back(each.name);
    return result;
}

TEST_F(MachineFile, DescribesSettingsOfTheWholeMachine) {
    read(R"(
machine: {name: demo, description: "A: demo", clock: deterministic, frequency: 2.5 GHz, log: warning}
plugins: [chipset, ./lib/libexample.so, chipset]
devices: {console: {type: test.console, log: trace}, other: {type: test.console}}
)");
    const MachineDescription demo = machine();
    EXPECT_EQ(demo.name, "demo");
    EXPECT_EQ(demo.description, "A: demo");
    EXPECT_EQ(demo.clock, ClockMode::Deterministic);
    EXPECT_EQ(demo.frequency, 2'500'000'000u);
    EXPECT_EQ(demo.log_level, BACKPLANE_LOG_WARNING);
    EXPECT_EQ(component(demo, "console").log_level, BACKPLANE_LOG_TRACE);
    EXPECT_EQ(component(demo, "other").log_level, BACKPLANE_LOG_WARNING);
    ASSERT_THAT(demo.plugins, SizeIs(2));
    EXPECT_EQ(demo.plugins[0].name, "chipset");
    EXPECT_EQ(demo.plugins[1].path, "/machines/lib/libexample.so");
}

TEST_F(MachineFile, HasSensibleSettingsWhenItSaysNothing) {
    read("devices: {console: {type: test.console}}");
    const MachineDescription silent = machine();
    EXPECT_EQ(silent.name, "main");
    EXPECT_EQ(silent.clock, ClockMode::Realtime);
    EXPECT_EQ(silent.log_level, BACKPLANE_LOG_INFO);
}

TEST_F(MachineFile, GivesPropertiesInDeclaredOrderWithDefaultsForTheRest) {
    read(R"(
devices:
  console: {type: test.console}
  serial0: {type: test.serial, registers: io@0x3f8, label: 8250, parity: odd}
  cpu0: {type: test.cpu, offset: -3}
)");
    const MachineDescription demo = machine();
    const PropertyValues& serial = component(demo, "serial0").values;
    ASSERT_EQ(serial.size(), 3u);
    EXPECT_EQ(serial[0].u, 2u);
    EXPECT_STREQ(serial[1].text,
                 "8250");  // text stays as it is written, also when it looks like a number
    EXPECT_EQ(serial[2].u, 1u);
    EXPECT_EQ(component(demo, "cpu0").values[0].u, 1u);
    EXPECT_EQ(component(demo, "cpu0").values[1].i, -3);
}

TEST_F(MachineFile, TakesPathsRelativeToTheFileThatSaysThem) {
    also("common/file.yaml", "devices: {inner: {type: test.file, path: out/log.txt}}");
    read("include: common/file.yaml\ndevices: {outer: {type: test.file, path: ../log.txt}, home: "
         "{type: test.file, path: ~/a}}");
    setenv("HOME", "/home/somebody", 1);
    const MachineDescription demo = machine();
    EXPECT_STREQ(component(demo, "inner").values[0].text, "/machines/common/out/log.txt");
    EXPECT_STREQ(component(demo, "outer").values[0].text, "/log.txt");
    EXPECT_STREQ(component(demo, "home").values[0].text, "/home/somebody/a");
}

TEST_F(MachineFile, MapsWindowsAlsoInPartsAndSeveralTimes) {
    read(R"(
devices:
  ram0: {type: test.ram, size: 1 MiB, low: memory@0, high: memory@4 GiB}
  ioapic0:
    type: test.ioapic
    registers: [memory@0xFEC00000, {at: memory@0xE_0000, priority: -1, offset: 0x100, size: 256 B}]
)");
    const MachineDescription demo = machine();
    EXPECT_EQ(component(demo, "ram0").windows[1].base, std::uint64_t{1} << 32);
    const auto& windows = component(demo, "ioapic0").windows;
    ASSERT_THAT(windows, SizeIs(2));
    EXPECT_EQ(windows[0].base, 0xFEC00000u);
    EXPECT_EQ(windows[0].size, 0u);
    EXPECT_EQ(windows[1].space, "memory");
    EXPECT_EQ(windows[1].base, 0xE0000u);
    EXPECT_EQ(windows[1].priority, -1);
    EXPECT_EQ(windows[1].offset, 0x100u);
    EXPECT_EQ(windows[1].size, 256u);
}

TEST_F(MachineFile, ConnectsByComponentElementAndPort) {
    read(R"(
devices:
  cpu0: {type: test.cpu}
  pic0: {type: test.pic, registers: io@0x20, intr: cpu0.intr}
  ioapic0: {type: test.ioapic, registers: memory@0xFEC00000}
  timer0: {type: test.timer, registers: memory@0xFED10000, irq: [pic0.3, ioapic0.input.2, cpu0.nmi.0]}
  router0: {type: test.router, out: {2: pic0.1, 0: [pic0.0, ioapic0.0]}}
)");
    const MachineDescription demo = machine();
    const auto& cpu = component(demo, "cpu0").links;
    ASSERT_THAT(cpu, SizeIs(2));  // its defaults
    EXPECT_EQ(cpu[0].target, "memory");
    EXPECT_EQ(cpu[1].target, "io");
    EXPECT_FALSE(cpu[0].place);
    const auto& timer = component(demo, "timer0").links;
    ASSERT_THAT(timer, SizeIs(3));
    EXPECT_EQ(timer[0].target_port, 1u);
    EXPECT_EQ(timer[0].target_element, 3u);
    EXPECT_EQ(timer[1].target, "ioapic0");
    EXPECT_EQ(timer[1].target_element, 2u);
    EXPECT_EQ(timer[2].target_port, 1u);
    EXPECT_EQ(timer[2].place.line, 6u);
    const auto& router = component(demo, "router0").links;
    ASSERT_THAT(router, SizeIs(3));
    EXPECT_EQ(router[0].element, 2u);
    EXPECT_EQ(router[1].element, 0u);
    EXPECT_EQ(router[2].target, "ioapic0");
}

TEST_F(MachineFile, IsMergedOverWhatItIncludesKeyByKey) {
    also("base.yaml", R"(
machine: {name: base, log: debug}
plugins: [chipset]
devices:
  console: {type: test.console}
  ram0: {type: test.ram, size: 1 MiB, low: {at: memory@0, priority: 3}}
  cpu0: {type: test.cpu, stepping: 2, offset: 1}
)");
    read(R"(
include: base.yaml
machine: {name: main}
plugins: [storage]
devices:
  timer0: {type: test.timer, registers: memory@0xFED10000, irq: cpu0.nmi}
  ram0: {low: {at: memory@1 MiB}}
  cpu0: {stepping: 3, offset: null}
  console: null
)");
    const MachineDescription demo = machine();
    EXPECT_THAT(names(demo), ElementsAre("ram0", "cpu0", "timer0"));
    EXPECT_EQ(demo.name, "main");
    EXPECT_EQ(demo.log_level, BACKPLANE_LOG_DEBUG);
    ASSERT_THAT(demo.plugins, SizeIs(2));  // plugins add up: what was included needs its own
    EXPECT_EQ(component(demo, "ram0").windows[0].base, 1u << 20);
    EXPECT_EQ(component(demo, "ram0").windows[0].priority, 3);
    EXPECT_EQ(component(demo, "cpu0").values[0].u, 3u);
    EXPECT_EQ(component(demo, "cpu0").values[1].i, 0);  // null: back to the default
}

TEST_F(MachineFile, CountsAFileThatSeveralIncludeOnce) {
    also("base.yaml", "devices: {cpu0: {type: test.cpu, stepping: 1}}");
    also("left.yaml", "include: base.yaml\ndevices: {cpu0: {stepping: 2}}");
    also("right.yaml", "include: ./base.yaml\ndevices: {cpu0: {offset: 4}}");
    read("include: [left.yaml, right.yaml]");
    EXPECT_EQ(component(machine(), "cpu0").values[0].u, 2u);
    EXPECT_EQ(reads_["/machines/base.yaml"], 1);
}

TEST_F(MachineFile, MergesMapsNamedByMergeKeysUnderItsOwn) {
    read(R"(
x-cpu: &cpu {type: test.cpu, stepping: 4, offset: 5}
x-slow: &slow {stepping: 1}
devices:
  cpu0: {<<: *cpu, offset: 6}
  cpu1: {<<: [*slow, *cpu]}
)");
    const MachineDescription demo = machine();
    EXPECT_EQ(component(demo, "cpu0").values[0].u, 4u);
    EXPECT_EQ(component(demo, "cpu0").values[1].i, 6);
    EXPECT_EQ(component(demo, "cpu1").values[0].u, 1u);
}

TEST_F(MachineFile, IsOverriddenByTheCommandLine) {
    read("devices: {console: {type: test.console}, cpu0: {type: test.cpu, stepping: 1}}");
    set("cpu0.stepping=0x3");
    set("cpu0.stepping=4");
    set("machine.clock=deterministic");
    set("serial0={type: test.serial, registers: io@0x3f8, label: \"a, b\"}");
    set("timer0.type=test.timer");
    set("timer0.registers=memory@0xFED10000");
    set("timer0.irq=cpu0.nmi");
    set("plugins=[storage]");
    set(Override::option("--label [x]", "serial0.label", "[x] # y: z"));
    const MachineDescription demo = machine();
    EXPECT_EQ(component(demo, "cpu0").values[0].u, 4u);
    EXPECT_EQ(demo.clock, ClockMode::Deterministic);
    EXPECT_STREQ(component(demo, "serial0").values[1].text, "[x] # y: z");
    EXPECT_EQ(component(demo, "timer0").links[0].target, "cpu0");
    EXPECT_EQ(demo.plugins[0].name, "storage");
}

TEST_F(MachineFile, TakesValuesOfTheCommandLineAsTheyAreUnlessTheyStartLikeYaml) {
    read("devices: {console: {type: test.console}, serial0: {type: test.serial, registers: "
         "io@0x3f8}}");
    set("serial0.label=console=ttyS0 # not: a comment *here");
    EXPECT_STREQ(component(machine(), "serial0").values[1].text,
                 "console=ttyS0 # not: a comment *here");
}

TEST_F(MachineFile, RemovesADeviceFromTheCommandLine) {
    read("devices: {console: {type: test.console}, other: {type: test.console}}");
    set("other=null");
    EXPECT_THAT(names(machine()), ElementsAre("console"));
}

TEST_F(MachineFile, DropsSettingsThatANewTypeDoesNotKnow) {
    also("base.yaml", "devices: {cpu0: {type: test.cpu, stepping: 3, offset: 1, io: io}}");
    read("include: base.yaml");
    set("cpu0.type=test.fast-cpu");
    set("cpu0.cache=1 MiB");
    const std::string text = explained();
    EXPECT_THAT(text, HasSubstr("dropped: test.fast-cpu does not know it (type changed by -p "
                                "cpu0.type=test.fast-cpu)"));
    EXPECT_EQ(component(machine(), "cpu0").values[0].u, 1u << 20);
}

TEST_F(MachineFile, KeepsSettingsThatANewTypeKnowsAndRefusesNewOnesItDoesNot) {
    read("devices: {stream: {type: test.console}}");
    set("stream.path=/dev/null");
    set("stream.type=test.file");
    EXPECT_STREQ(component(machine(), "stream").values[0].text, "/dev/null");
    set("stream.speed=9600");
    EXPECT_THAT(errors(), HasSubstr("stream: test.file has no setting 'speed'"));
}

TEST_F(MachineFile, IsExplainedSettingBySetting) {
    also("base.yaml", "devices:\n  cpu0: {type: test.cpu, stepping: 2}\n");
    read("include: base.yaml\ndevices:\n  cpu0:\n    stepping: 3\n");
    set("cpu0.offset=7");
    const std::string text = explained();
    EXPECT_THAT(text, HasSubstr("cpu0.type      test.cpu  /machines/base.yaml:2\n"));
    EXPECT_THAT(
        text,
        HasSubstr(
            "cpu0.stepping  3         /machines/main.yaml:4  replaces 2 (/machines/base.yaml:2)"));
    EXPECT_THAT(text, HasSubstr("cpu0.offset    7         -p cpu0.offset=7\n"));
    EXPECT_THAT(text, HasSubstr("cpu0.memory    memory    default of test.cpu\n"));
    EXPECT_THAT(text, HasSubstr("machine.clock  realtime  default\n"));
}

TEST_F(MachineFile, ReportsErrorsOfAllStepsTogetherInOrder) {
    also("base.yaml", "machin: {}\ndevices:\n  cpu0: {type: test.cpu, stepping: 99}\n");
    read(
        "include: base.yaml\nplugins: [a b]\ndevices:\n  Cpu1: {}\n  timer0: {type: test.timer}\n");
    set("cpu0.offset=x");
    const std::string text = errors();
    std::vector<std::size_t> at;
    for (const char* part : {"base.yaml:1:1", "base.yaml:3:36", "main.yaml:2:11", "main.yaml:4:3",
                             "main.yaml:5:18", "-p cpu0.offset=x: error"})
        at.push_back(text.find(part));
    EXPECT_TRUE(std::ranges::is_sorted(at)) << text;
    EXPECT_NE(at.back(), text.npos) << text;
}

TEST_F(MachineFile, StaysQuietAboutTypesOfPluginsThatFailed) {
    read("devices: {disk0: {type: storage.disk}, cpu0: {type: test.cpu, stepping: 99}}");
    MachineDocument read = document();
    read.plugins_missing = true;
    Diagnostics diagnostics;
    EXPECT_FALSE(check_machine(read, SmallCatalog{}, diagnostics));
    EXPECT_EQ(diagnostics.count(Severity::Error), 1u) << diagnostics.text();
}

TEST_F(MachineFile, MayHaveCarriageReturnsAndAByteOrderMark) {
    read("\xef\xbb\xbf"
         "devices:\r\n  console:\r\n    type: test.consol\r\n");
    EXPECT_THAT(
        errors(),
        HasSubstr("main.yaml:3:11: error: console.type: no loaded plugin offers 'test.consol'\n"
                  "    3 |     type: test.consol\n      |           ^~~~~~~~~~~ did you mean"));
}

TEST_F(MachineFile, SurvivesValuesThatAliasesMakeEndless) {
    std::string text = "x-a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 60; ++i) {
        const std::string before = "*a" + std::to_string(i - 1);
        text += "x-a" + std::to_string(i) + ": &a" + std::to_string(i) + " {a: " + before +
                ", b: " + before + "}\n";
    }
    read(text + "devices: {console: {type: test.console, log: *a59}, other: *a59}\n");
    EXPECT_THAT(errors(), HasSubstr("console.log: expected a level, and this is a map"));
}

// Found by fuzzing: a command line is any bytes at all.
TEST_F(MachineFile, ShowsLongCommandLinesThatAreNotUtf8) {
    read("devices: {console: {type: test.console}}");
    set(std::string(300, '\xbf') + "." + std::string(200, '\xbf') + "=1");
    EXPECT_THAT(errors(), HasSubstr("is not a path of a setting"));
}

TEST(Diagnostics, AreAlsoJson) {
    Diagnostics diagnostics;
    auto source = std::make_shared<Source>();
    source->name = "a.yaml";
    source->text = "one\ntwo\n";
    diagnostics.error({source, 2, 1, 3}, "wrong \x1b[0m\xff\nmore", "do this")
        .notes.push_back({{}, "why"});
    const auto json = nlohmann::json::parse(diagnostics.json().dump());
    EXPECT_EQ(json[0]["place"]["line"], 2);
    EXPECT_EQ(json[0]["message"], "wrong ?[0m?\nmore");
    EXPECT_EQ(diagnostics.text(), "a.yaml:2:1: error: wrong ?[0m?\n    2 | two\n      | ^~~ do "
                                  "this\n      more\n      note: why\n");
}

}  // namespace
}  // namespace backplane::test
