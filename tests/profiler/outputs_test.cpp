// A recording in each of its forms.
#include "profile/firefox_profile.h"
#include "profile/flame_graph.h"
#include "profile/folded_stacks.h"
#include "profile/opcode_report.h"
#include "profile/profile_export.h"
#include "profile/profile_report.h"
#include "support/json_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <map>
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

TEST_F(Outputs, TheExportIsAsItsSchemaSays) {
    const json schema = test::read_schema("profile.schema.json");
    ProfileStacks stacks{recording, symbols};
    test::expect_valid(profile_export(stacks, {}), schema, "");
    Recording empty;
    ProfileStacks nothing{empty, symbols};
    test::expect_valid(profile_export(nothing, {}), schema, "");
    recording.statistics = {.names = {"instructions", "jit.tier1.blocks_compiled_total"},
                            .samples = {{.host_time = 0, .values = {0, 0}},
                                        {.host_time = 1'000'000'000, .values = {5, 9}}}};
    ProfileStacks compiling{recording, symbols};
    test::expect_valid(profile_export(compiling, {}), schema, "");
}

TEST_F(Outputs, TheExportHasWhatCompilingWasLikeInTheLastSecond) {
    recording.statistics.names = {"jit.tier1.blocks_compiled_total", "rep_iterations"};
    for (std::uint64_t tenth = 0; tenth <= 30; ++tenth)
        recording.statistics.samples.push_back(
            {.host_time = tenth * 100'000'000, .values = {tenth < 5 ? 0 : 2 * tenth, 7 * tenth}});
    ProfileStacks stacks{recording, symbols};
    const json exported = profile_export(stacks, {});
    EXPECT_EQ(exported["totals"]["rep_iterations"], 210);
    EXPECT_EQ(exported["jit"]["enabled"], true);
    EXPECT_EQ(exported["jit"]["totals"]["tier1"]["blocks_compiled"], 60);
    EXPECT_EQ(exported["jit"]["rolling"]["window_ms"], 1000.0);
    EXPECT_EQ(exported["jit"]["rolling"]["blocks_compiled_per_s"], 20.0);
    EXPECT_THAT(profile_report(stacks, symbols, {}), HasSubstr("blocks 60 (+20.0/s)"));
}

// add rax, rbx; inc eax; jmp -7, at physical 0x5000, and a block whose code is another by now.
TEST_F(Outputs, OpcodesAreCountedFromBlocks) {
    recording.code.push_back({.address = 0x5000,
                              .address_space = CodeBytes::physical,
                              .code_size = 64,
                              .bytes = {0x48, 0x01, 0xd8, 0xff, 0xc0, 0xeb, 0xf9}});
    const auto add_block = [&](std::uint64_t physical, std::uint32_t length, std::uint32_t bytes,
                               std::uint64_t hits, std::uint64_t left_out) {
        recording.blocks.push_back({.pc = text,
                                    .physical = physical,
                                    .hits = hits,
                                    .instructions = hits * length - left_out,
                                    .length = length,
                                    .bytes = bytes});
    };
    add_block(0x5000, 3, 7, 1000, 4);
    add_block(0x5000, 2, 5, 10, 0);  // the same code, as far as it goes
    add_block(0x5000, 2, 4, 100, 0);
    add_block(0x6000, 5, 9, 7, 0);
    recording.statistics = {.names = {"guest_memory_committed_bytes"},
                            .samples = {{.host_time = 0, .values = {100}},
                                        {.host_time = 1, .values = {300}},
                                        {.host_time = 2, .values = {200}}}};
    ProfileStacks stacks{recording, symbols};
    const json exported = profile_export(stacks, {});
    test::expect_valid(exported, test::read_schema("profile.schema.json"), "");
    std::map<std::string, json> by_name;
    for (const json& opcode : exported["opcodes"])
        by_name[opcode["mnemonic"]] = opcode;
    EXPECT_EQ(by_name["add"]["count"], 1010);
    EXPECT_EQ(by_name["inc"]["count"], 1010);
    EXPECT_EQ(by_name["jmp"]["count"], 1000);
    EXPECT_EQ(by_name["jmp"]["samples"], 0);
    EXPECT_EQ(by_name["clc"]["count"], 0);
    EXPECT_DOUBLE_EQ(by_name["add"]["count_percent"], 100 * 1010.0 / 3020);
    EXPECT_DOUBLE_EQ(by_name["add"]["ns_each"], 200e6 / 1010);
    EXPECT_EQ(by_name["clc"]["ns_each"], nullptr);
    const json& summary = exported["opcode_profile"];
    EXPECT_EQ(summary["mode"], "p3");
    EXPECT_EQ(summary["count"], 3020);
    EXPECT_EQ(summary["count_unknown"], 2 * 100 + 5 * 7);
    EXPECT_EQ(summary["count_left_out"], 4);
    EXPECT_EQ(summary["memory_bytes"], (json{{"current", 200}, {"peak", 300}}));
    const std::string report = opcode_report(stacks);
    EXPECT_THAT(report, HasSubstr("Mode p3: "));
    EXPECT_THAT(report, HasSubstr("Memory in bytes: 200 at the end, 300 at most."));
    EXPECT_THAT(report,
                ::testing::ContainsRegex(" 200\\.0 +66\\.67 +1010 +33\\.444 +198019\\.80  add\n"));
    EXPECT_LT(report.find("  add\n"), report.find("  clc\n")) << "most time first";
    EXPECT_LT(report.find("  clc\n"), report.find("  inc\n")) << "and then by count";
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
    EXPECT_EQ(exported["totals"]["rep_iterations"], nullptr) << "statistics were not recorded";
    EXPECT_EQ(exported["jit"]["enabled"], nullptr);
    EXPECT_EQ(exported["time_split"]["device"]["percent"], 12.5);
    EXPECT_EQ(exported["time_split"]["device"]["target_percent"], 15);
    EXPECT_EQ(exported["opcodes"][0], (json{{"mnemonic", "add"},
                                            {"samples", 200},
                                            {"time_ms", 200.0},
                                            {"time_percent", 100 * 200.0 / 300},
                                            {"count", nullptr},
                                            {"count_percent", nullptr},
                                            {"ns_each", nullptr}}));
    EXPECT_EQ(exported["opcodes"][1]["mnemonic"], "clc");
    EXPECT_EQ(exported["opcodes"].size(), 2u);
    EXPECT_EQ(exported["opcode_profile"],
              (json{{"mode", "p2"},
                    {"count", nullptr},
                    {"count_unknown", nullptr},
                    {"count_left_out", nullptr},
                    {"stack_depth", {{"current", 2}, {"peak", 2}}},
                    {"memory_bytes", {{"current", nullptr}, {"peak", nullptr}}}}));
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
