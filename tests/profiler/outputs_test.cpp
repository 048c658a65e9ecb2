// A recording in each of its forms.
#include "profile/firefox_profile.h"
#include "profile/flame_graph.h"
#include "profile/folded_stacks.h"
#include "profile/profile_export.h"
#include "profile/profile_report.h"
#include "support/paths.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <string>

namespace backplane::profile {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::uint64_t text = 0xffff'ffff'8100'0000;

class Outputs : public ::testing::Test {
protected:
    Outputs() {
        symbols.add(Space::Kernel, SymbolTable{"System.map",
                                               {{text, 0x100, "start_kernel"},
                                                {text + 0x100, 0x100, "do_work"},
                                                {text + 0x200, 0x100, "a<b>\"c\""}}});
        recording.settings.frequency = 1000;
        recording.settings.cpus = 2;
        recording.settings.host_time = 1'000'000;
        recording.is_complete = true;
        for (std::uint64_t i = 0; i < 400; ++i)
            add(0, i, i % 4 == 0 ? text + 0x201 : text + 0x104 + i % 2,
                i % 8 == 1 ? Activity::Device : Activity::CompiledCode);
        add(1, 3, 0, Activity::Idle);
        recording.samples.back().weight = 397;
        // add rax, rbx;  inc eax;  jmp -5
        recording.code.push_back({.address = text + 0x100,
                                  .address_space = 0,
                                  .code_size = 64,
                                  .bytes = {0x90, 0x90, 0x90, 0x90, 0xf8, 0x48, 0x01, 0xd8}});
    }

    void add(std::uint8_t cpu, std::uint64_t milliseconds, std::uint64_t pc, Activity activity) {
        Sample sample;
        sample.cpu = cpu;
        sample.host_time = 1'000'000 + milliseconds * 1'000'000;
        sample.instructions = milliseconds * 500'000;
        sample.thread_time = milliseconds * 900'000;
        sample.pc = pc;
        sample.activity = activity;
        sample.flags = Sample::exact;
        sample.tier = activity == Activity::CompiledCode ? 1 : 0;
        if (activity != Activity::Idle)
            sample.callers = {{text + 0x20, pc >= text + 0x200 ? text + 0x200 : text + 0x100}};
        recording.samples.push_back(sample);
    }

    Recording recording;
    Symbolizer symbols;
};

TEST_F(Outputs, FoldedStacksHaveALineForEachStack) {
    ProfileStacks stacks{recording, symbols};
    const auto folded = fold(stacks, IdleSamples::Drop);
    EXPECT_EQ(folded_text(stacks, folded), "start_kernel;a<b>\"c\" 100\n"
                                           "start_kernel;do_work 250\n"
                                           "start_kernel;do_work;[device] 50\n");
    EXPECT_THAT(folded_text(stacks, fold(stacks, IdleSamples::Keep)), HasSubstr("[idle] 397\n"));
}

TEST_F(Outputs, OnlyModulesThatAreNamedAreShown) {
    ProfileStacks stacks{recording, symbols, {"nothing"}};
    EXPECT_EQ(folded_text(stacks, fold(stacks, IdleSamples::Drop)), "[device] 50\n");
    ProfileStacks kernel{recording, symbols, {"kernel"}};
    EXPECT_THAT(folded_text(kernel, fold(kernel, IdleSamples::Drop)), HasSubstr("do_work 250"));
}

void expect_columns(const json& table, const std::string& where) {
    const auto length = table.at("length").get<std::size_t>();
    for (const auto& [name, column] : table.items())
        if (column.is_array()) EXPECT_EQ(column.size(), length) << where << '.' << name;
}

TEST_F(Outputs, FirefoxProfilesAreConsistent) {
    ProfileStacks stacks{recording, symbols};
    const json profile = json::parse(firefox_profile(stacks, "test"));
    const json& shared = profile.at("shared");
    for (const char* name :
         {"stackTable", "frameTable", "funcTable", "resourceTable", "nativeSymbols", "sources"})
        expect_columns(shared.at(name), name);
    const json& prefixes = shared["stackTable"]["prefix"];
    for (std::size_t i = 0; i < prefixes.size(); ++i)
        if (!prefixes[i].is_null()) EXPECT_LT(prefixes[i].get<std::size_t>(), i);
    const auto below = [](const json& column, std::size_t bound) {
        for (const json& value : column)
            if (!value.is_null() && value != -1) EXPECT_LT(value.get<std::size_t>(), bound);
    };
    below(shared["stackTable"]["frame"], shared["frameTable"]["length"]);
    below(shared["frameTable"]["func"], shared["funcTable"]["length"]);
    below(shared["frameTable"]["category"], profile["meta"]["categories"].size());
    below(shared["funcTable"]["name"], shared["stringArray"].size());
    below(shared["funcTable"]["resource"], shared["resourceTable"]["length"]);
    ASSERT_EQ(profile["threads"].size(), 2u);
    for (const json& thread : profile["threads"]) {
        expect_columns(thread["samples"], "samples");
        expect_columns(thread["markers"], "markers");
        below(thread["samples"]["stack"], shared["stackTable"]["length"]);
    }
    const json& samples = profile["threads"][0]["samples"];
    EXPECT_EQ(samples["length"], 400);
    EXPECT_EQ(samples["time"][7], 7.0);
    EXPECT_EQ(samples["threadCPUDelta"][7], 900.0) << "microseconds";
    EXPECT_EQ(profile["threads"][1]["samples"]["weight"][0], 397);
    EXPECT_EQ(profile["meta"]["interval"], 1.0);
}

TEST_F(Outputs, MarkersAreWithTheirProcessorAndThoseOfDisksApart) {
    const std::uint64_t start = recording.settings.host_time;
    recording.markers = {{.host_time = start + 1'000'000,
                          .duration = 500'000,
                          .cpu = 1,
                          .name = "Interrupt",
                          .text = "vector 0xec"},
                         {.host_time = start + 2'000'000,
                          .duration = 0,
                          .cpu = 0,
                          .name = "Page fault",
                          .text = "0x1000"},
                         {.host_time = start + 3'000'000,
                          .duration = 250'000,
                          .cpu = Marker::of_no_cpu,
                          .name = "Disk",
                          .text = "read"}};
    ProfileStacks stacks{recording, symbols};
    const json profile = json::parse(firefox_profile(stacks, "test"));
    const json& threads = profile.at("threads");
    ASSERT_EQ(threads.size(), 3u);
    EXPECT_EQ(threads[2]["name"], "devices");
    EXPECT_EQ(threads[2]["samples"]["length"], 0);
    expect_columns(threads[2]["samples"], "samples");
    const auto name_of = [&](const json& thread) {
        return profile["shared"]["stringArray"][thread["markers"]["name"][0].get<std::size_t>()];
    };
    for (const json& thread : threads) {
        expect_columns(thread["markers"], "markers");
        EXPECT_EQ(thread["markers"]["length"], 1);
    }
    EXPECT_EQ(name_of(threads[0]), "Page fault");
    EXPECT_EQ(threads[0]["markers"]["phase"][0], 0);
    EXPECT_EQ(name_of(threads[1]), "Interrupt");
    EXPECT_EQ(threads[1]["markers"]["startTime"][0], 1.0);
    EXPECT_EQ(threads[1]["markers"]["endTime"][0], 1.5);
    EXPECT_EQ(name_of(threads[2]), "Disk");
}

TEST_F(Outputs, FlameGraphsAreWholeAndNeedNothingElse) {
    ProfileStacks stacks{recording, symbols};
    const auto folded = fold(stacks, IdleSamples::Drop);
    const std::string svg = flame_graph_svg(stacks, folded, "A & B");
    EXPECT_THAT(svg,
                AllOf(HasSubstr("A &amp; B"), HasSubstr("a&lt;b&gt;&quot;c&quot; (100 samples"),
                      HasSubstr("all (400 samples, 100.00 %)"), Not(HasSubstr("href"))));
    const std::string html = flame_graph_html(stacks, folded, "A & B");
    EXPECT_TRUE(html.starts_with("<!DOCTYPE html>"));
    EXPECT_THAT(html, Not(HasSubstr("CDATA")));
    ProfileStacks none{recording, symbols};
    EXPECT_THAT(flame_graph_svg(none, {}, "empty"), HasSubstr("all (0 samples"));
}

TEST_F(Outputs, TheReportNamesFunctionsAndTheirInstructions) {
    ProfileStacks stacks{recording, symbols};
    const std::string report = profile_report(stacks, symbols, {});
    EXPECT_THAT(report, HasSubstr("797 samples, 397 of them idle; 100.0 %"));
    EXPECT_THAT(report, HasSubstr("87.5 %  compiled code"));
    EXPECT_THAT(report, HasSubstr("12.5 %  device"));
    EXPECT_THAT(report, HasSubstr("62.5 %  75.0 %      250  do_work  [System.map]"));
    EXPECT_THAT(report, HasSubstr("ffffffff81000105 +0x5  add rax, rbx"));
    EXPECT_THAT(report, HasSubstr("ffffffff81000104 +0x4  clc"));
    EXPECT_THAT(report, HasSubstr("66.7 %      200  add\n"));
}

// As much of JSON Schema as docs/profile.schema.json uses.
void expect_valid(const json& value, const json& schema, const std::string& where) {
    if (schema.contains("const")) EXPECT_EQ(value, schema["const"]) << where;
    if (schema.contains("type")) {
        const auto is_of = [&](const std::string& type) {
            if (type == "null") return value.is_null();
            if (type == "integer") return value.is_number_integer();
            if (type == "number") return value.is_number();
            return std::string{value.type_name()} == type;
        };
        bool fits = false;
        const json& types = schema["type"];
        for (const json& type : types.is_array() ? types : json::array({types}))
            fits |= is_of(type);
        EXPECT_TRUE(fits) << where << ": " << value;
    }
    for (const json& name : schema.value("required", json::array()))
        EXPECT_TRUE(value.contains(name.get<std::string>())) << where << " lacks " << name;
    if (value.is_array())
        for (const json& item : value)
            expect_valid(item, schema.at("items"), where + "[]");
    if (!value.is_object()) return;
    for (const auto& [name, member] : value.items()) {
        const json known = schema.value("properties", json::object());
        const json others = schema.value("additionalProperties", json(true));
        if (known.contains(name))
            expect_valid(member, known[name], where + '.' + name);
        else if (others.is_object())
            expect_valid(member, others, where + '.' + name);
        else
            EXPECT_TRUE(others.get<bool>()) << where << " may not have " << name;
    }
}

TEST_F(Outputs, TheExportIsAsItsSchemaSays) {
    const json schema = json::parse(
        std::ifstream{std::string{test::paths::source} + "/docs/profile.schema.json"});
    ProfileStacks stacks{recording, symbols};
    expect_valid(profile_export(stacks, {}), schema, "");
    Recording empty;
    ProfileStacks nothing{empty, symbols};
    expect_valid(profile_export(nothing, {}), schema, "");
}

TEST_F(Outputs, TheExportHasTotalsRollingValuesAndNulls) {
    ProfileStacks stacks{recording, symbols};
    const json exported = profile_export(stacks, {});
    EXPECT_EQ(exported["totals"]["samples"], 797);
    EXPECT_EQ(exported["totals"]["instructions_executed"], 399 * 500'000);
    EXPECT_NEAR(exported["totals"]["mips_avg"].get<double>(), 500, 1);
    EXPECT_NEAR(exported["rolling"]["mips_avg"].get<double>(), 500, 1);
    EXPECT_NEAR(exported["rolling"]["mips_p95"].get<double>(), 500, 1);
    EXPECT_EQ(exported["settings"]["instructions"], nullptr);
    EXPECT_EQ(exported["time_split"]["device"]["percent"], 12.5);
    EXPECT_EQ(exported["time_split"]["device"]["target_percent"], 15);
    EXPECT_EQ(exported["opcodes"], (json{{{"mnemonic", "add"}, {"samples", 200}},
                                         {{"mnemonic", "clc"}, {"samples", 100}}}));
    ASSERT_EQ(exported["hotspots"].size(), 3u);
    EXPECT_EQ(exported["hotspots"][0]["hits"], nullptr) << "blocks were not counted";
    recording.blocks.push_back({.pc = 0x1000, .physical = 0, .hits = 5, .instructions = 75});
    recording.blocks.push_back({.pc = 0x2000, .physical = 0, .hits = 25, .instructions = 25});
    ProfileStacks counted{recording, symbols};
    const json hot = profile_export(counted, {})["hotspots"];
    EXPECT_EQ(hot[0], (json{{"pc", "0x1000"},
                            {"hits", 5},
                            {"instructions", 75},
                            {"samples", nullptr},
                            {"error", 0},
                            {"percent_of_total", 75.0}}));
    Recording empty;
    ProfileStacks nothing{empty, symbols};
    EXPECT_EQ(profile_export(nothing, {})["totals"]["mips_avg"], nullptr);
    EXPECT_EQ(profile_export(nothing, {})["rolling"]["mips_p95"], nullptr);
}

}  // namespace
}  // namespace backplane::profile
