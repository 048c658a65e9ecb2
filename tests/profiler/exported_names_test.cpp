// Every name under which figures of the profiler's requirements (P1 to P79) are exported: there,
// not 0 where the machine did something, and 0 or null where it cannot have. Those that have no
// name here, or no meaning, are listed with the reason.
#include "control/controlled_guest.h"
#include "support/json_schema.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace backplane::test {
namespace {

using Json = nlohmann::json;

// A hot loop of arithmetic and stack, then a REP instruction, a device, and again.
constexpr std::uint8_t busy_program[] = {
    0xbc, 0x00, 0x30, 0x00, 0x01,  // mov esp, 0x1003000
    0xb9, 0x40, 0x42, 0x0f, 0x00,  // outer: mov ecx, 1000000
    0x48, 0x01, 0xc8,              // inner: add rax, rcx
    0x50, 0x5a,                    // push rax; pop rdx
    0x48, 0x31, 0xd3,              // xor rbx, rdx
    0xff, 0xc9,                    // dec ecx
    0x75, 0xf4,                    // jnz inner
    0xbf, 0x00, 0x20, 0x00, 0x01,  // mov edi, 0x1002000
    0xb9, 0x40, 0x00, 0x00, 0x00,  // mov ecx, 64
    0xf3, 0xaa,                    // rep stosb
    0x66, 0xba, 0x00, 0x06,        // mov dx, 0x600
    0x66, 0xed,                    // in ax, dx
    0xeb, 0xdb,                    // jmp outer
};

// Where a figure is exported.
enum class Document {
    Profile,  // profile export, of samples
    Counted,  // the same, of blocks that were counted
    Stats,    // run --stats
    Top,      // top --Json
};
constexpr std::array document_names{"profile export", "profile export of counted blocks",
                                    "run --stats", "top --json"};

enum class Is { Positive, Number, Zero, Null, Text, True, False, Absent };

struct Exported {
    const char* row;
    Document document;
    const char* pointer;
    Is compiling, interpreting;  // what it is when the engine does so
};

using enum Document;
using enum Is;

constexpr const char* cpu_statistic = "/components/cpu0/statistics/";

const std::vector<Exported> exported{
    // ---- Instructions and speed ----
    {"P1", Profile, "/totals/instructions_executed", Positive, Positive},
    {"P1", Stats, "/instructions", Positive, Positive},
    {"P1", Top, "/instructions_executed", Positive, Positive},
    {"P2", Profile, "/totals/rep_iterations", Positive, Positive},
    {"P2", Stats, "/rep_iterations", Positive, Positive},
    {"P2", Top, "/rep_iterations", Positive, Positive},
    {"P5", Profile, "/totals/mips_avg", Positive, Positive},
    {"P5", Profile, "/rolling/mips_avg", Positive, Positive},
    {"P5", Profile, "/rolling/mips_p95", Positive, Positive},
    {"P5", Stats, "/mips/average", Positive, Positive},
    {"P5", Stats, "/mips/p95", Positive, Positive},
    {"P5", Top, "/mips/avg", Positive, Positive},
    {"P5", Top, "/mips/p95", Positive, Positive},
    {"P10", Profile, "/settings/instructions", Null, Null},  // samples by time
    {"P10", Profile, "/opcode_profile/count", Null, Null},   // blocks were not counted
    {"P10", Profile, "/opcode_profile/memory_bytes/peak", Null, Null},
    {"P10", Profile, "/hotspots/0/hits", Null, Null},
    // ---- Compiling ----
    {"P12", Profile, "/jit/totals/tier1/compile_ms", Positive, Zero},
    {"P12", Stats, "jit.tier1.compile_time_total", Positive, Absent},
    {"P13", Profile, "/jit/totals/tier2/compile_ms", Positive, Zero},
    {"P13", Stats, "jit.tier2.compile_time_total", Positive, Absent},
    {"P14", Profile, "/jit/totals/tier2/passes_ms/const_fold", Positive, Zero},
    {"P14", Profile, "/jit/totals/tier2/passes_ms/dce", Positive, Zero},
    {"P14", Profile, "/jit/totals/tier2/passes_ms/regalloc", Positive, Zero},
    {"P14", Stats, "jit.tier2.pass.const_fold.time_total", Positive, Absent},
    {"P14", Stats, "jit.tier2.pass.dce.time_total", Positive, Absent},
    {"P14", Stats, "jit.tier2.pass.regalloc.time_total", Positive, Absent},
    {"P15", Profile, "/jit/totals/tier1/blocks_compiled", Positive, Zero},
    {"P15", Stats, "jit.tier1.blocks_compiled_total", Positive, Absent},
    {"P16", Profile, "/jit/totals/tier2/blocks_compiled", Positive, Zero},
    {"P16", Stats, "jit.tier2.blocks_compiled_total", Positive, Absent},
    {"P17", Profile, "/jit/totals/cache/capacity_bytes", Positive, Zero},
    {"P17", Stats, "jit.cache.capacity_bytes", Positive, Absent},
    {"P18", Profile, "/jit/totals/cache/used_bytes", Positive, Zero},
    {"P18", Stats, "jit.cache.used_bytes", Positive, Absent},
    {"P19", Profile, "/jit/totals/cache/lookup_hit", Positive, Zero},
    {"P19", Stats, "jit.cache.lookup_hit_total", Positive, Absent},
    {"P20", Profile, "/jit/totals/cache/lookup_miss", Positive, Zero},
    {"P20", Stats, "jit.cache.lookup_miss_total", Positive, Absent},
    // A loop that holds its assumptions needs none of these.
    {"P21", Profile, "/jit/totals/deopt/count", Number, Zero},
    {"P21", Stats, "jit.deopt_total", Number, Absent},
    {"P22", Profile, "/jit/totals/deopt/guard_fail", Number, Zero},
    {"P22", Stats, "jit.guard_fail_total", Number, Absent},
    {"P23", Profile, "/jit/rolling/cache_hit_rate", Number, Zero},
    {"P23", Top, "/jit/rolling/cache_hit_rate", Number, Zero},
    {"P24", Profile, "/jit/rolling/compile_ms_per_s", Number, Zero},
    {"P24", Top, "/jit/rolling/compile_ms_per_s", Number, Zero},
    {"P25", Profile, "/jit/rolling/blocks_compiled_per_s", Number, Zero},
    {"P25", Top, "/jit/rolling/blocks_compiled_per_s", Number, Zero},
    {"P26", Profile, "/jit/rolling/window_ms", Positive, Positive},
    {"P26", Top, "/jit/rolling/window_ms", Positive, Positive},
    {"P27", Profile, "/jit/totals/cache/install", Positive, Zero},
    {"P27", Profile, "/jit/totals/cache/evict", Number, Zero},
    {"P27", Profile, "/jit/totals/cache/invalidate", Number, Zero},
    {"P27", Profile, "/jit/totals/cache/stale_install_reject", Number, Zero},
    {"P27", Profile, "/jit/totals/cache/compile_request", Positive, Zero},
    {"P31", Top, "/jit/totals/tier1/blocks_compiled", Positive, Zero},
    {"P32", Profile, "/jit/enabled", True, False},
    {"P32", Stats, "/jit/enabled", True, False},
    {"P32", Stats, "/jit/totals/tier1/compile_ms", Positive, Zero},
    {"P32", Top, "/jit/enabled", True, False},
    // ---- Hot blocks: nothing is compiled while they are counted ----
    {"P34", Counted, "/hotspots/0/hits", Positive, Positive},
    {"P34", Counted, "/hotspots/0/instructions", Positive, Positive},
    {"P35", Counted, "/hotspots/0/error", Number, Number},
    {"P36", Top, "/hotspots/0/samples", Positive, Positive},
    {"P37", Counted, "/hotspots/0/pc", Text, Text},
    {"P37", Counted, "/hotspots/0/percent_of_total", Positive, Positive},
    {"P37", Profile, "/hotspots/0/samples", Positive, Positive},
    {"P38", Top, "/hotspots/0/pc", Text, Text},
    {"P38", Top, "/hotspots/0/percent_of_total", Positive, Positive},
    // ---- Guest profiles ----
    {"P47", Profile, "/settings/started_unix_ms", Positive, Positive},
    {"P48", Profile, "/totals/samples", Positive, Positive},
    {"P53", Profile, "/functions/0/name", Text, Text},
    {"P53", Profile, "/functions/0/module", Null, Null},  // nobody gave symbols
    // ---- Opcodes ----
    {"P58", Profile, "/totals/seconds", Positive, Positive},
    {"P59", Counted, "/opcodes/0/count", Positive, Positive},
    {"P59", Counted, "/opcodes/0/time_ms", Positive, Positive},
    {"P59", Profile, "/opcodes/0/time_ms", Positive, Positive},
    {"P59", Profile, "/opcodes/0/count", Null, Null},
    {"P60", Counted, "/opcode_profile/memory_bytes/current", Positive, Positive},
    {"P60", Counted, "/opcode_profile/memory_bytes/peak", Positive, Positive},
    {"P61", Counted, "/opcode_profile/stack_depth/current", Positive, Positive},
    {"P61", Counted, "/opcode_profile/stack_depth/peak", Positive, Positive},
    {"P65", Counted, "/opcode_profile/mode", Text, Text},
    {"P66", Counted, "/opcodes/0/time_percent", Positive, Positive},
    {"P66", Counted, "/opcodes/0/count_percent", Positive, Positive},
    // ---- The sampler ----
    {"P73", Profile, "/settings/frequency_hz", Positive, Positive},
    {"P74", Profile, "/totals/samples_lost", Number, Number},
};

const std::map<std::string, std::string> not_exported{
    {"P3", "how counters are kept: in plain numbers, published at the end of a slice"},
    {"P4", "how compiled code counts: a block subtracts its length from the budget"},
    {"P6", "frames of a display, which come with the GPU"},
    {"P7", "frames of a display; instructions and REP iterations are P1 and P2"},
    {"P8", "frames of a display"},
    {"P9", "frames of a display; avg_mips is P5"},
    {"P11", "a purpose"},
    {"P28", "units: all that ends with _ms is of nanoseconds that were added up"},
    {"P29", "where time is taken: around passes, never within"},
    {"P30", "a demonstration: backplane bench cpu --modes jit_opt"},
    {"P33", "a rule for schemas, which all documents here are held against"},
    {"P39", "core/measure, which all of these use"},
    {"P40", "frames of a display: measure::FrameTimes has it"},
    {"P41", "likewise"},
    {"P42", "likewise"},
    {"P43", "likewise"},
    {"P44", "likewise; of benchmarks it is mips_stddev"},
    {"P45", "the documents of this test are these surfaces"},
    {"P46", "a feature to build in: a plugin, which is there or not"},
    {"P49", "a file for profiler.firefox.com: outputs_test.cpp"},
    {"P50", "which frames are shown: outputs_test.cpp"},
    {"P51", "frames of that file"},
    {"P52", "how addresses are looked up: symbol_table_test.cpp"},
    {"P54", "limits of samplers of WebAssembly"},
    {"P55", "likewise"},
    {"P56", "what a file may tell of the host: it has guest addresses only"},
    {"P57", "wishes; host and guest are told apart by time_split"},
    {"P62", "a struct of an interpreter of bytecode"},
    {"P63", "its functions"},
    {"P64", "where it calls them"},
    {"P67", "what it is good for"},
    {"P68", "a feature to build in"},
    {"P69", "where an interpreter keeps its PC: a signal asks for it here"},
    {"P70", "what is sampled: all CPUs of the machine"},
    {"P71", "how the sampling thread works: sampling_profiler_test.cpp"},
    {"P72", "how the recording thread works: likewise"},
    {"P75", "the recording's file, of any name"},
    {"P76", "code is recorded around samples: likewise"},
    {"P77", "CPUs are connected by the machine file"},
    {"P78", "how it stops: likewise"},
    {"P79", "its state"},
};

Json read_json(const std::string& file) { return Json::parse(std::ifstream{file}); }

bool is(Is wanted, const Json* value) {
    switch (wanted) {
    case Positive: return value && value->is_number() && value->get<double>() > 0;
    case Number: return value && value->is_number();
    case Zero: return value && value->is_number() && value->get<double>() == 0;
    case Null: return value && value->is_null();
    case Text: return value && value->is_string() && !value->get_ref<const std::string&>().empty();
    case True: return value && *value == true;
    case False: return value && *value == false;
    case Absent: return value == nullptr;
    }
    return false;
}

const Json* find(const Json& document, const std::string& pointer) {
    // Names of statistics have dots, and no slashes.
    const Json::json_pointer place{pointer.starts_with('/') ? pointer : cpu_statistic + pointer};
    return document.contains(place) ? &document.at(place) : nullptr;
}

class ExportedNames : public ControlledGuest {
protected:
    ExportedNames(std::vector<std::string> engine, const std::string& opcodes)
        : ControlledGuest{arguments(std::move(engine), opcodes), busy_program} {}
    ~ExportedNames() override {
        std::filesystem::remove(recording_file());
        std::filesystem::remove(stats_file());
    }
    static std::vector<std::string> arguments(std::vector<std::string> engine,
                                              const std::string& opcodes) {
        engine.insert(engine.end(), {"--profile", recording_file(), "--opcodes", opcodes, "--stats",
                                     stats_file()});
        return engine;
    }
    static std::string recording_file() { return temp_path("names.data"); }
    static std::string stats_file() { return temp_path("names.json"); }

    Json top_line(const std::string& options) {
        const Output output = backplane("top " + socket + " --json --count 1 " + options);
        EXPECT_EQ(output.code, 0) << output.text;
        return Json::parse(output.text);
    }
    // Behind the heading of the report.
    bool has_hot_blocks() { return std::ranges::count(ctl("report hot-blocks"), '\n') > 1; }
    // Runs on until there is something to tell, and ends.
    void run_until(const auto& is_enough) {
        for (int i = 0; i < 300 && !(is_enough(top_line("")) && has_hot_blocks()); ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds{200});
        ctl("quit");
        EXPECT_EQ(session->exit_code(), 0) << session->unread();
    }
    Json exported_profile() {
        const Output output = backplane("profile export " + recording_file());
        EXPECT_EQ(output.code, 0) << output.text;
        Json profile = Json::parse(output.text);
        expect_valid(profile, read_schema("profile.schema.json"), "");
        return profile;
    }
    static void expect_names(Document document, const Json& told, bool is_compiling) {
        for (const Exported& each : exported) {
            if (each.document != document) continue;
            const Json* value = find(told, each.pointer);
            EXPECT_TRUE(is(is_compiling ? each.compiling : each.interpreting, value))
                << each.row << ": " << document_names[static_cast<std::size_t>(document)] << ' '
                << each.pointer << " is " << (value ? value->dump() : "not there");
        }
    }
};

class NamesOfACompiler : public ExportedNames {
protected:
    // Tier 2 does not wait for long.
    NamesOfACompiler()
        : ExportedNames{{"-p", "cpu0.type=cpu.llvmjit", "-p", "cpu0.tier2-threshold=1000", "-p",
                         "cpu0.tier2-instructions=1000000"},
                        "p2"} {}
};
class NamesOfAnInterpreter : public ExportedNames {
protected:
    NamesOfAnInterpreter() : ExportedNames{{"-p", "cpu0.type=cpu.interp"}, "p2"} {}
};
class NamesOfCountedBlocks : public ExportedNames {
protected:
    NamesOfCountedBlocks() : ExportedNames{{"-p", "cpu0.type=cpu.llvmjit"}, "p3"} {}
};

TEST_F(NamesOfACompiler, AreThereAndNotZero) {
    std::this_thread::sleep_for(std::chrono::milliseconds{1500});
    run_until([](const Json& line) {
        return line["jit"]["totals"]["tier2"]["compile_ms"] > 0.0 &&
               line["jit"]["totals"]["tier2"]["passes_ms"]["regalloc"] > 0.0;
    });
    expect_names(Profile, exported_profile(), true);
    expect_names(Stats, read_json(stats_file()), true);
}

TEST_F(NamesOfAnInterpreter, AreZeroWhereTheyAreOfACompiler) {
    // Long enough for speeds over a second.
    std::this_thread::sleep_for(std::chrono::milliseconds{1500});
    run_until([](const Json& line) { return line["rep_iterations"] > 0; });
    const Json profile = exported_profile(), stats = read_json(stats_file());
    expect_names(Profile, profile, false);
    expect_names(Stats, stats, false);
    for (const Json* jit : {&profile["jit"], &stats["jit"]})
        for (const auto& [name, value] : jit->flatten().items())
            if (name != "/rolling/window_ms" && name != "/enabled")
                EXPECT_TRUE(is(Zero, &value)) << name << " is " << value;
    for (const auto& [name, value] : stats["components"]["cpu0"]["statistics"].items())
        EXPECT_FALSE(name.starts_with("jit")) << name << " is " << value;
}

TEST_F(NamesOfCountedBlocks, AreThereAndNotZero) {
    // Memory is looked at once a second.
    std::this_thread::sleep_for(std::chrono::milliseconds{1500});
    run_until([](const Json& line) { return line["rep_iterations"] > 0; });
    expect_names(Counted, exported_profile(), true);
}

// The profiler has the processor in the others.
class NamesOfALiveView : public ControlledGuest {
protected:
    explicit NamesOfALiveView(const std::string& engine)
        : ControlledGuest{{"-p", "cpu0.type=" + engine}, busy_program} {}

    void expect_names(bool is_compiling) {
        // Where others want the host's processors too, there may have been nothing to tell.
        std::string missing = "all";
        for (int i = 0; i < 60 && !missing.empty(); ++i) {
            const Output output = backplane("top " + socket + " --json --count 6");
            const Json last = Json::parse(
                output.text.substr(output.text.rfind('\n', output.text.size() - 2) + 1));
            expect_valid(last, read_schema("top.schema.json"), "");
            missing.clear();
            for (const Exported& each : exported) {
                const Json* value = find(last, each.pointer);
                if (each.document != Top ||
                    is(is_compiling ? each.compiling : each.interpreting, value))
                    continue;
                missing += std::string{each.row} + ": " + each.pointer + " is " +
                           (value ? value->dump() : "not there") + '\n';
            }
        }
        EXPECT_EQ(missing, "");
    }
};
class LiveCompiler : public NamesOfALiveView {
protected:
    LiveCompiler() : NamesOfALiveView{"cpu.llvmjit"} {}
};
class LiveInterpreter : public NamesOfALiveView {
protected:
    LiveInterpreter() : NamesOfALiveView{"cpu.interp"} {}
};
TEST_F(LiveCompiler, HasAllNames) { expect_names(true); }
TEST_F(LiveInterpreter, HasAllNames) { expect_names(false); }

TEST(ExportedNamesTable, HasEveryRowOnceOrTheReasonWhyNot) {
    std::set<std::string> rows;
    for (const Exported& each : exported)
        rows.insert(each.row);
    constexpr int last_row = 79;
    for (int number = 1; number <= last_row; ++number) {
        const std::string row = "P" + std::to_string(number);
        EXPECT_NE(rows.contains(row), not_exported.contains(row)) << row;
    }
    EXPECT_EQ(rows.size() + not_exported.size(), static_cast<std::size_t>(last_row));
}

}  // namespace
}  // namespace backplane::test
