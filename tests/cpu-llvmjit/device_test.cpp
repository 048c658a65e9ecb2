// cpu.llvmjit as a device: what it tells of compiled code to whoever looks from outside.
#include "compiled_processor.h"
#include "interp/interpreted_processor.h"

#include <backplane/testing/device_bench.h>
#include <backplane/testing/fake_connections.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace backplane::jit::testing {
namespace {

using backplane::testing::DeviceBench, backplane::testing::FakeInterruptController,
    backplane::testing::FlatMemory, backplane::testing::Setting;
using ::testing::AllOf, ::testing::HasSubstr, ::testing::MatchesRegex;

std::ptrdiff_t count_of(const std::string& text, const std::string& part) {
    std::ptrdiff_t found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++found;
    return found;
}

// Everything that the requirements name (P12 to P22, M4, M5), and nothing else that begins so.
const std::set<std::string> required{
    "jit.tier1.compile_time_total",
    "jit.tier2.compile_time_total",
    "jit.tier2.pass.const_fold.time_total",
    "jit.tier2.pass.dce.time_total",
    "jit.tier2.pass.regalloc.time_total",
    "jit.tier1.blocks_compiled_total",
    "jit.tier2.blocks_compiled_total",
    "jit.cache.capacity_bytes",
    "jit.cache.used_bytes",
    "jit.cache.lookup_hit_total",
    "jit.cache.lookup_miss_total",
    "jit.cache.install_total",
    "jit.cache.evict_total",
    "jit.cache.invalidate_total",
    "jit.cache.stale_install_reject_total",
    "jit.cache.compile_request_total",
    "jit.deopt_total",
    "jit.guard_fail_total",
    "mmu_translate_calls",
    "jit_exit_mmio_calls",
};

std::set<std::string> statistics(const backplane_device_type* type) {
    std::set<std::string> names;
    for (std::uint32_t i = 0; i < type->statistic_count; ++i)
        names.insert(type->statistics[i].name);
    return names;
}

bool is_about_compiled_code(const std::string& name) {
    return name.starts_with("jit") || name == "mmu_translate_calls";
}

constexpr std::uint64_t sampled = 1'000'000;  // times of a loop that are enough for tier 2

// Long mode without page tables does not exist, so this is the shortest way to 64-bit code: an
// identity map made here.
struct Bench {
    static constexpr std::uint64_t code = 0x10'0000, tables = 0x20'0000;

    explicit Bench(std::vector<Setting> settings = {})
        : device{Declaration<CompiledProcessor>::device_type(), std::move(settings)} {
        device.connect("memory", memory)
            .connect("io", io)
            .connect("interrupt-controller", controller);
        started = device.power_on();
        if (!started) return;
        cpu = device.service<backplane_cpu>("cpu");
        reports = device.service<backplane_reports>("reports");
    }

    // Loops `times` times and halts.
    void run_loop(std::uint64_t times) {
        // again: add rbx, rcx;  dec rcx;  jnz again;  hlt
        constexpr std::uint8_t program[]{0x48, 0x01, 0xcb, 0x48, 0xff, 0xc9, 0x75, 0xf8, 0xf4};
        std::copy(std::begin(program), std::end(program), memory.bytes.begin() + code);
        run(code, times);
    }

    // Until something has happened in another thread, for which the host may take its time.
    template <class Condition, class Action>
    static void try_until(Condition has_happened, Action action) {
        using Clock = std::chrono::steady_clock;
        const auto deadline = Clock::now() + std::chrono::minutes{2};
        while (!has_happened() && Clock::now() < deadline)
            action();
    }
    template <class Condition>
    void loop_until(Condition has_happened) {
        try_until(has_happened, [this] { run_loop(4 * sampled); });
    }

    // Until HLT.
    void run(std::uint64_t from, std::uint64_t rcx = 0) {
        const auto put = [&](std::uint64_t at, std::uint64_t value) {
            std::memcpy(&memory.bytes[at], &value, sizeof value);
        };
        put(tables, (tables + 0x1000) | 7);
        put(tables + 0x1000, (tables + 0x2000) | 7);
        put(tables + 0x2000, 0x87);
        put(tables + 0x2008, 0x20'0087);
        device.reset();
        set("cr4", 0x620);
        set("cr3", tables);
        set("efer", 0x500);
        set("cr0", 0x8000'0031);
        set("cs.attributes", 0xa09b);
        set("cs.base", 0);
        set("rip", from);
        set("rcx", rcx);
        EXPECT_EQ(cpu.call<&backplane_cpu::run>(std::int64_t{1'000'000'000}),
                  BACKPLANE_CPU_HALTED_FOR_GOOD);
    }

    std::uint64_t get(std::string_view name) {
        std::uint64_t value = 0;
        for (std::uint32_t i = 0; i < cpu.call<&backplane_cpu::register_count>(); ++i)
            if (name == cpu.call<&backplane_cpu::register_info>(i)->name)
                cpu.call<&backplane_cpu::get_register>(i, static_cast<void*>(&value));
        return value;
    }

    void set(std::string_view name, std::uint64_t value) {
        for (std::uint32_t i = 0; i < cpu.call<&backplane_cpu::register_count>(); ++i)
            if (name == cpu.call<&backplane_cpu::register_info>(i)->name)
                EXPECT_TRUE(
                    cpu.call<&backplane_cpu::set_register>(i, static_cast<const void*>(&value)))
                    << name;
    }

    // "error: " and why, where there is none.
    std::string report(std::uint32_t index, const std::string& argument) {
        std::string text;
        const auto status = reports.call<&backplane_reports::write>(
            index, argument.c_str(),
            +[](void* user, const char* piece, std::uint64_t length) {
                static_cast<std::string*>(user)->append(piece, length);
            },
            static_cast<void*>(&text));
        return (status == BACKPLANE_OK ? "" : "error: ") + text;
    }
    std::string dump(const std::string& argument) { return report(0, argument); }

    FlatMemory memory{std::size_t{16} << 20}, io{0x10000};
    FakeInterruptController controller;
    DeviceBench device;
    bool started = false;
    Connection<backplane_cpu> cpu;
    Connection<backplane_reports> reports;
};

TEST(JitStatistics, HaveTheNamesOfTheRequirements) {
    const auto names = statistics(Declaration<CompiledProcessor>::device_type());
    for (const std::string& name : required)
        EXPECT_TRUE(names.contains(name)) << name;
}

TEST(JitStatistics, DoNotExistForTheInterpreter) {
    const auto interpreted = statistics(Declaration<interp::InterpretedProcessor>::device_type());
    for (const std::string& name : interpreted)
        EXPECT_FALSE(is_about_compiled_code(name)) << name;
    // And besides them the two engines count the same.
    auto compiled = statistics(Declaration<CompiledProcessor>::device_type());
    std::erase_if(compiled, is_about_compiled_code);
    EXPECT_EQ(compiled, interpreted);
}

TEST(JitStatistics, GrowWithWhatIsCompiled) {
    Bench bench;
    ASSERT_TRUE(bench.started) << bench.device.failure();
    EXPECT_EQ(bench.device.statistic("jit.cache.capacity_bytes"), 256u << 20);
    EXPECT_EQ(bench.device.statistic("jit.tier1.blocks_compiled_total"), 0u);
    bench.run_loop(1000);
    EXPECT_EQ(bench.device.statistic("jit.tier1.blocks_compiled_total"), 1u) << "HLT is not hot";
    EXPECT_EQ(bench.device.statistic("jit.cache.install_total"), 1u);
    EXPECT_EQ(bench.device.statistic("jit.cache.compile_request_total"), 1u);
    EXPECT_GT(bench.device.statistic("jit.tier1.compile_time_total"), 0u);
    EXPECT_EQ(bench.device.statistic("jit.tier2.compile_time_total"), 0u);
    // Of the loop ten executions, ten more until others are compiled with it, and one of HLT.
    EXPECT_EQ(bench.device.statistic("jit.cache.lookup_miss_total"), 21u);
    EXPECT_EQ(bench.device.statistic("jit.cache.lookup_hit_total"), 0u)
        << "the way back to its start is known";
}

TEST(JitEvents, TellOfEachBlock) {
    Bench bench;
    ASSERT_TRUE(bench.started);
    std::vector<BlockCompiled> compiled;
    std::vector<BlockInvalidated> invalidated;
    const Subscription<BlockCompiled> first{
        *bench.device.host().functions(),
        [&](const BlockCompiled& event) { compiled.push_back(event); }};
    const Subscription<BlockInvalidated> second{
        *bench.device.host().functions(),
        [&](const BlockInvalidated& event) { invalidated.push_back(event); }};
    bench.run_loop(1000);
    ASSERT_EQ(compiled.size(), 1u);
    EXPECT_EQ(compiled[0].linear, Bench::code);
    EXPECT_EQ(compiled[0].physical, Bench::code);
    EXPECT_EQ(compiled[0].tier, 1u);
    EXPECT_EQ(compiled[0].instructions, 3u);
    EXPECT_EQ(compiled[0].guest_bytes, 8u);
    EXPECT_EQ(compiled[0].untranslated, 0u);
    EXPECT_EQ(compiled[0].code_bytes, bench.device.statistic("jit.tier1.code_bytes_total"));
    EXPECT_EQ(compiled[0].cold_code_bytes,
              bench.device.statistic("jit.tier1.cold_code_bytes_total"));
    // mov byte [abs 100000h], 48h;  hlt
    constexpr std::uint8_t writes[]{0xc6, 0x04, 0x25, 0x00, 0x00, 0x10, 0x00, 0x48, 0xf4};
    std::copy(std::begin(writes), std::end(writes), bench.memory.bytes.begin() + 0x10'1000);
    bench.run(0x10'1000);
    ASSERT_EQ(invalidated.size(), 1u);
    EXPECT_EQ(invalidated[0].physical, Bench::code);
}

// ---- Tier 2 ----

// Compiled as soon as it was sampled a few times, and kept in any case.
const std::vector<Setting> eager{
    {"tier2-threshold", 1000}, {"tier2-instructions", 500'000}, {"tier2-keeps-all", true}};

TEST(Tier2, CompilesLoops) {
    Bench bench{eager};
    ASSERT_TRUE(bench.started) << bench.device.failure();
    std::vector<BlockCompiled> compiled;
    const Subscription<BlockCompiled> watch{*bench.device.host().functions(),
                                            [&](const BlockCompiled& event) {
                                                if (event.tier == 2) compiled.push_back(event);
                                            }};
    bench.loop_until(
        [&] { return bench.device.statistic("jit.tier2.blocks_compiled_total") != 0; });
    ASSERT_EQ(bench.device.statistic("jit.tier2.blocks_compiled_total"), 1u);
    EXPECT_EQ(bench.get("rbx"), 4 * sampled * (4 * sampled + 1) / 2);
    bench.run_loop(1001);
    EXPECT_EQ(bench.get("rbx"), 1001u * 501);
    ASSERT_EQ(compiled.size(), 1u);
    EXPECT_EQ(compiled[0].linear, Bench::code);
    EXPECT_EQ(compiled[0].physical, Bench::code);
    EXPECT_EQ(compiled[0].instructions, 3u);
    EXPECT_EQ(compiled[0].guest_bytes, 8u);
    EXPECT_GT(compiled[0].code_bytes, 0u);
    for (const char* name : {"jit.tier2.compile_time_total", "jit.tier2.pass.const_fold.time_total",
                             "jit.tier2.pass.dce.time_total", "jit.tier2.pass.regalloc.time_total",
                             "jit.tier2.pass.codegen.time_total"})
        EXPECT_GT(bench.device.statistic(name), 0u) << name;
    EXPECT_THAT(bench.dump("0x100000"), AllOf(HasSubstr("tier 2: 3 instructions of 1 blocks, "),
                                              HasSubstr("define preserve_nonecc void @region"),
                                              HasSubstr("tier 2, code:\n+0000  ")));
}

TEST(Tier2, IsMeasuredAndTakenOutAgainWhereTier1IsFaster) {
    Bench bench{{{"tier2-threshold", 1000}, {"tier2-instructions", 500'000}}};
    ASSERT_TRUE(bench.started);
    const auto judged = [&] {
        return bench.device.statistic("jit.tier2.kept_total") +
               bench.device.statistic("jit.tier2.taken_out_total");
    };
    bench.loop_until([&] { return judged() != 0; });
    EXPECT_EQ(judged(), 1u);
    const bool is_kept = bench.device.statistic("jit.tier2.kept_total") == 1;
    EXPECT_THAT(bench.dump("0x100000"), HasSubstr(is_kept ? "ticks of the host's clock, in tier 1 "
                                                          : "tier 2: not compiled"));
    bench.run_loop(1001);
    EXPECT_EQ(bench.get("rbx"), 1001u * 501);
}

TEST(Tier2, IsNotThereUnlessWanted) {
    Bench bench;
    ASSERT_TRUE(bench.started);
    bench.run_loop(20 * sampled);
    EXPECT_EQ(bench.device.statistic("jit.tier2.compile_time_total"), 0u);
    Bench none{{{"tier1-threshold", 0}, {"tier2-threshold", 0}}};
    EXPECT_FALSE(none.started);
    EXPECT_THAT(none.device.failure(), HasSubstr("both 0"));
}

TEST(Tier2, WorksAlone) {
    Bench bench{{{"tier1-threshold", 0}, {"tier2-threshold", 5}}};
    ASSERT_TRUE(bench.started);
    bench.run_loop(1001);
    EXPECT_EQ(bench.get("rbx"), 1001u * 501);
    EXPECT_EQ(bench.device.statistic("jit.tier1.blocks_compiled_total"), 0u);
    EXPECT_EQ(bench.device.statistic("jit.tier2.blocks_compiled_total"), 1u);
}

// mov byte [abs 100000h], 48h;  hlt
constexpr std::uint8_t writes_loop[]{0xc6, 0x04, 0x25, 0x00, 0x00, 0x10, 0x00, 0x48, 0xf4};

TEST(Tier2, ForgetsWhatChangesWhileItIsCompiled) {
    Bench bench{eager};
    ASSERT_TRUE(bench.started);
    std::copy(std::begin(writes_loop), std::end(writes_loop),
              bench.memory.bytes.begin() + 0x10'1000);
    // LLVM mostly takes longer than what is left of the loop when it is asked.
    const auto rejected = [&] {
        return bench.device.statistic("jit.cache.stale_install_reject_total");
    };
    Bench::try_until([&] { return rejected() != 0; },
                     [&] {
                         bench.run_loop(220'000);
                         bench.run(0x10'1000);
                     });
    EXPECT_GT(rejected(), 0u);
    bench.run_loop(1001);
    EXPECT_EQ(bench.get("rbx"), 1001u * 501);
}

TEST(Tier2, LeavesCodeThatChanges) {
    Bench bench{eager};
    ASSERT_TRUE(bench.started);
    std::vector<BlockInvalidated> invalidated;
    const Subscription<BlockInvalidated> watch{*bench.device.host().functions(),
                                               [&](const BlockInvalidated& event) {
                                                   if (event.tier == 2)
                                                       invalidated.push_back(event);
                                               }};
    bench.loop_until(
        [&] { return bench.device.statistic("jit.tier2.blocks_compiled_total") != 0; });
    std::copy(std::begin(writes_loop), std::end(writes_loop),
              bench.memory.bytes.begin() + 0x10'1000);
    bench.run(0x10'1000);
    ASSERT_EQ(invalidated.size(), 1u);
    EXPECT_EQ(invalidated[0].physical, Bench::code);
    EXPECT_THAT(bench.dump("0x100000"), HasSubstr("no block has code"));
    bench.run_loop(1001);
    EXPECT_EQ(bench.get("rbx"), 1001u * 501);
}

TEST(JitReports, ShowGuestAndHostCodeSideBySide) {
    Bench bench;
    ASSERT_TRUE(bench.started);
    bench.run_loop(1000);
    const std::string text = bench.dump("0x100000");
    EXPECT_THAT(text, HasSubstr("block 100000, physical 100000: 3 instructions, 8 bytes, 64-bit "
                                "code, supervisor\n"));
    EXPECT_THAT(text, HasSubstr("tier 2: not compiled\n"));
    std::istringstream lines{text};
    bool found = false;
    for (std::string line; std::getline(lines, line);)
        found |= line.starts_with("100003  dec rcx  ") && line.ends_with("  dec rcx");
    EXPECT_TRUE(found) << text;
    EXPECT_THAT(text, HasSubstr("100006  jnz 0x0000000000100000  "));
    EXPECT_THAT(text, HasSubstr("  jnz +00")) << "to its own start";
    EXPECT_THAT(text, HasSubstr("  jmp -> leave: edge\n"));
    EXPECT_THAT(text, HasSubstr("  sub r12, 0x03  ; budget\n"));
    EXPECT_EQ(bench.dump("physical:0x100003"), text) << "in the middle of it";
    EXPECT_THAT(
        bench.dump("0x100008"),
        AllOf(HasSubstr("100008  hlt\n"), HasSubstr("not compiled yet: at the latest after 9")));
    EXPECT_THAT(bench.dump(""), HasSubstr("error: no block has code at 100009"))
        << "the next instruction";
}

TEST(JitReports, FindTheGuestsInstructionForTheHosts) {
    Bench bench;
    ASSERT_TRUE(bench.started);
    BlockCompiled block{};
    const Subscription<BlockCompiled> watch{*bench.device.host().functions(),
                                            [&](const BlockCompiled& event) { block = event; }};
    bench.run_loop(1000);
    std::vector<std::uint64_t> addresses;
    for (std::uint64_t i = 0; i < block.code_bytes; ++i)
        addresses.push_back(block.code + i);
    for (std::uint64_t i = 0; i < block.cold_code_bytes; ++i)
        addresses.push_back(block.cold_code + i);
    std::set<std::string> parts;
    for (const std::uint64_t at : addresses) {
        const std::string text = bench.dump("host:" + std::to_string(at));
        const std::string found = "the address is in: ";
        const std::size_t place = text.find(found) + found.size();
        parts.insert(text.substr(place, text.find('\n', place) - place));
        EXPECT_EQ(std::ranges::count(text, '>') - count_of(text, "->"), 1);
    }
    EXPECT_THAT(parts, ::testing::IsSupersetOf({"entry", "100000  add rbx, rcx", "100003  dec rcx",
                                                "on to another block"}));
    EXPECT_THAT(bench.dump("host:" + std::to_string(block.code + (1 << 20))),
                HasSubstr("error: there is no code of a block at "));
}

TEST(JitReports, SayWhatTheyCannotFind) {
    Bench bench;
    ASSERT_TRUE(bench.started);
    bench.run_loop(1);
    EXPECT_EQ(bench.dump("rip"), "error: 'rip' is no address, such as 0x1000");
    EXPECT_EQ(bench.dump("host:"), "error: '' is no address, such as 0x1000");
    EXPECT_EQ(bench.dump("0x10000000000000000"),
              "error: '0x10000000000000000' is no address, such as 0x1000");
    EXPECT_EQ(bench.dump("0x800000"), "error: 800000 is not mapped");
    EXPECT_THAT(bench.dump("0x180000"), HasSubstr("error: no block has code at 180000"));
}

TEST(JitReports, ListWhatIsNotTranslated) {
    Bench bench{{{"tier1-threshold", 1}}};
    ASSERT_TRUE(bench.started);
    bench.run_loop(2);
    bench.run_loop(2);
    std::istringstream lines{bench.report(1, "")};
    std::string heading, first;
    std::getline(lines, heading);
    std::getline(lines, first);
    EXPECT_THAT(heading, MatchesRegex("instruction +exits in front +compiled"));
    EXPECT_THAT(first, MatchesRegex("hlt +2 +1"));
}

std::string perf_map_path() { return "/tmp/perf-" + std::to_string(getpid()) + ".map"; }

// Lines of the map that begin at or behind where this process's map was.
std::vector<std::string> perf_map() {
    std::ifstream file{perf_map_path()};
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);)
        lines.push_back(line);
    return lines;
}

TEST(PerfMap, NamesEachBlockOfAllProcessors) {
    const std::string path = perf_map_path();
    std::ofstream{path} << "from another process of this number\n";
    {
        Bench bench{{{"perf-map", true}}}, other{{{"perf-map", true}}};
        ASSERT_TRUE(bench.started) << bench.device.failure();
        ASSERT_TRUE(other.started) << other.device.failure();
        std::string expected;
        const Subscription<BlockCompiled> watch{
            *bench.device.host().functions(), [&](const BlockCompiled& event) {
                std::ostringstream line;
                line << std::hex << event.code << ' ' << event.code_bytes
                     << " guest_100000_at_100000_tier1";
                expected = line.str();
            }};
        bench.run_loop(100);
        other.run_loop(100);
        const auto lines = perf_map();
        ASSERT_EQ(lines.size(), 6u);
        EXPECT_THAT(lines[0], MatchesRegex("[0-9a-f]+ [0-9a-f]+ backplane_jit_ways"));
        EXPECT_EQ(lines[2], expected);
        EXPECT_THAT(lines[3],
                    MatchesRegex("[0-9a-f]+ [0-9a-f]+ guest_100000_at_100000_tier1_cold"));
        EXPECT_THAT(lines[4], MatchesRegex("[0-9a-f]+ [0-9a-f]+ guest_100000_at_100000_tier1"));
        EXPECT_NE(lines[4], expected);
    }
    EXPECT_EQ(perf_map().size(), 6u) << "perf reads it later";
    unlink(path.c_str());
}

TEST(PerfMap, IsNotWrittenUnlessWanted) {
    unlink(perf_map_path().c_str());  // another process of this number may have left one
    Bench bench;
    ASSERT_TRUE(bench.started);
    bench.run_loop(100);
    EXPECT_TRUE(perf_map().empty());
}

}  // namespace
}  // namespace backplane::jit::testing
