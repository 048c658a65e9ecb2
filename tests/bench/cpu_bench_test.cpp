// Kernels run on each engine, and a kernel that computes or counts something else is told.
#include "bench/cpu_bench.h"
#include "bench/cpu_report.h"
#include "support/paths.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

namespace backplane::bench {

void PrintTo(const Kernel& kernel, std::ostream* out) { *out << kernel.name; }
void PrintTo(const EngineMode& mode, std::ostream* out) { *out << mode.name; }

namespace {

using ::testing::HasSubstr;

runtime::PluginRegistry& plugins() {
    static runtime::PluginRegistry registry{runtime::PluginSearchPath::standard(
        std::vector<std::filesystem::path>{test::paths::plugins})};
    return registry;
}

CpuBenchSettings short_time() { return {.time = std::chrono::milliseconds{5}}; }

const Kernel& kernel_named(std::string_view name) {
    return *std::ranges::find(kernels(), name, &Kernel::name);
}
const EngineMode& mode_named(std::string_view name) {
    return *std::ranges::find(engine_modes(), name, &EngineMode::name);
}

class CpuBench : public ::testing::TestWithParam<std::tuple<Kernel, EngineMode>> {};

TEST_P(CpuBench, ComputesWhatItMust) {
    const auto& [kernel, mode] = GetParam();
    const auto result = run_cpu_bench(kernel, mode, short_time(), plugins());
    ASSERT_TRUE(result) << result.error().what;
    EXPECT_EQ(result->observed_checksum, kernel.checksum(10'000));
    EXPECT_EQ(result->instructions_per_run, kernel.instructions(10'000));
    EXPECT_GE(result->mips.count(), 1u);
    EXPECT_GT(result->mips.min(), 0);
    EXPECT_LE(result->mips.min(), result->median());
    EXPECT_LE(result->median(), result->p95());
    EXPECT_LE(result->p95(), result->mips.max());
}

INSTANTIATE_TEST_SUITE_P(All, CpuBench,
                         ::testing::Combine(::testing::ValuesIn(kernels()),
                                            ::testing::ValuesIn(engine_modes())),
                         [](const auto& info) {
                             return std::string{std::get<0>(info.param).name} + "_" +
                                    std::string{std::get<1>(info.param).name};
                         });

TEST(CpuBenchRun, TakesAnyNumberOfIterations) {
    for (const std::uint64_t iterations : {1u, 2u, 777u, 100'000u})
        for (const char* name : {"mem_stride64", "branch_unpred32"}) {
            const auto result = run_cpu_bench(kernel_named(name), mode_named("jit_baseline"),
                                              {.single_run = iterations}, plugins());
            ASSERT_TRUE(result) << result.error().what;
            EXPECT_EQ(result->mips.count(), 1u);
            EXPECT_EQ(result->iterations_per_run, iterations);
            EXPECT_EQ(result->observed_checksum, kernel_named(name).checksum(iterations));
        }
}

// The kernel with one of its bytes changed.
struct Changed {
    std::vector<std::byte> code;
    Kernel kernel;

    Changed(const char* name, std::size_t at, std::uint8_t value)
        : code{kernel_named(name).code.begin(), kernel_named(name).code.end()},
          kernel{kernel_named(name)} {
        code[at] = std::byte{value};
        kernel.code = code;
    }
    Changed(const Changed&) = delete;
    Changed& operator=(const Changed&) = delete;
};

TEST(CpuBenchRun, TellsAWrongChecksum) {
    const Changed changed{"alu64", 2, 0xf1};  // the lowest byte of the first constant
    for (const EngineMode& mode : engine_modes()) {
        const auto result = run_cpu_bench(changed.kernel, mode, short_time(), plugins());
        ASSERT_FALSE(result);
        EXPECT_THAT(result.error().what, HasSubstr("alu64 in " + std::string{mode.name}));
        EXPECT_THAT(result.error().what,
                    HasSubstr("expected checksum 0xf935f9482b8f99b8, observed 0x"));
    }
}

TEST(CpuBenchRun, TellsAWrongCountOfInstructions) {
    Kernel kernel = kernel_named("alu32");
    for (const EngineMode& mode : engine_modes()) {
        kernel.instructions_once = 4;
        auto result = run_cpu_bench(kernel, mode, short_time(), plugins());
        ASSERT_FALSE(result);
        EXPECT_THAT(result.error().what,
                    HasSubstr("expected 70004 retired instructions, observed 70003"));
        kernel.instructions_once = 2;
        result = run_cpu_bench(kernel, mode, short_time(), plugins());
        ASSERT_FALSE(result);
        EXPECT_THAT(result.error().what,
                    HasSubstr("expected 70002 retired instructions, observed 70003"));
    }
}

TEST(CpuBenchRun, TellsOfAKernelThatDoesNotReturn) {
    const Changed changed{"alu32", 24, 0x90};  // NOP instead of RET, and zeros behind it
    const auto result = run_cpu_bench(changed.kernel, mode_named("interpreter"), short_time(),
                                      plugins());
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().what, HasSubstr("alu32 in interpreter, 10000 iterations: "));
    EXPECT_THAT(result.error().what, HasSubstr("expected 70003 retired instructions, observed"));
}

TEST(CpuBenchRun, TellsWhatIsWrongWithASetting) {
    CpuBenchSettings settings = short_time();
    settings.overrides.push_back(runtime::Override::assignment("cpu0.modle=486"));
    const auto result = run_cpu_bench(kernels()[0], engine_modes()[0], settings, plugins());
    ASSERT_FALSE(result);
    EXPECT_TRUE(result.error().is_bad_input);
    EXPECT_THAT(result.error().what, HasSubstr("modle"));
}

TEST(CpuBenchRun, TellsOfAMissingPlugin) {
    runtime::PluginRegistry none{runtime::PluginSearchPath{std::vector<runtime::PluginFolder>{}}};
    const auto result = run_cpu_bench(kernels()[0], engine_modes()[0], short_time(), none);
    ASSERT_FALSE(result);
    EXPECT_TRUE(result.error().plugin_failed);
}

TEST(JitFigures, AreThereForEnginesThatCompile) {
    const auto result = run_cpu_bench(kernel_named("mem_seq64"), mode_named("jit_opt"),
                                      short_time(), plugins());
    ASSERT_TRUE(result) << result.error().what;
    const auto json = result->jit.json();
    EXPECT_TRUE(json["enabled"]);
    EXPECT_GT(json["totals"]["tier1"]["blocks_compiled"], 0);
    EXPECT_GT(json["totals"]["tier1"]["compile_ms"], 0.0);
    EXPECT_GT(json["totals"]["cache"]["capacity_bytes"], 0);
    EXPECT_GT(json["totals"]["cache"]["used_bytes"], 0);
    EXPECT_GT(json["totals"]["cache"]["lookup_hit"], 0);
    EXPECT_EQ(json["totals"]["tier2"]["passes_ms"].count("const_fold"), 1u);
    EXPECT_EQ(json["totals"]["tier2"]["passes_ms"].count("dce"), 1u);
    EXPECT_EQ(json["totals"]["tier2"]["passes_ms"].count("regalloc"), 1u);
    EXPECT_THAT(cpu_report_lines(*result), HasSubstr("tier 1: "));
}

// LLVM compiles in a thread of its own, which a busy host may keep waiting.
TEST(JitFigures, HaveTheTimeOfEachPassOfTier2) {
    for (int attempt = 0; attempt < 10; ++attempt) {
        const auto result = run_cpu_bench(kernel_named("mem_seq64"), mode_named("jit_opt"),
                                          {.time = std::chrono::seconds{1}}, plugins());
        ASSERT_TRUE(result) << result.error().what;
        const auto tier2 = result->jit.json()["totals"]["tier2"];
        if (tier2["blocks_compiled"] == 0) continue;
        EXPECT_GT(tier2["compile_ms"], 0.0);
        for (const char* pass : {"const_fold", "dce", "regalloc"})
            EXPECT_GT(tier2["passes_ms"][pass], 0.0) << pass;
        return;
    }
    FAIL() << "tier 2 has compiled nothing";
}

// A loop over one page looks it up about never.
TEST(JitFigures, TellThatMemoryIsReachedDirectly) {
    const auto result = run_cpu_bench(kernel_named("mem_seq64"), mode_named("jit_baseline"),
                                      {.single_run = 100'000}, plugins());
    ASSERT_TRUE(result) << result.error().what;
    const auto json = result->jit.json();
    ASSERT_GT(json["guest_mem_ops"], 20'000u);
    EXPECT_LT(json["mmu_translate_calls"].get<double>(), json["guest_mem_ops"].get<double>() / 512);
}

TEST(JitFigures, AreZeroForTheInterpreter) {
    const auto result = run_cpu_bench(kernel_named("mem_seq64"), mode_named("interpreter"),
                                      short_time(), plugins());
    ASSERT_TRUE(result) << result.error().what;
    const auto json = result->jit.json();
    EXPECT_FALSE(json["enabled"]);
    const auto flat = json["totals"].flatten();
    for (const auto& [name, value] : flat.items())
        EXPECT_TRUE(value == 0 || value.is_null() || value.empty()) << name << " " << value;
    EXPECT_EQ(json["rolling"]["cache_hit_rate"], 0.0);
    EXPECT_EQ(json["rolling"]["compile_ms_per_s"], 0.0);
    EXPECT_EQ(json["rolling"]["blocks_compiled_per_s"], 0.0);
    EXPECT_THAT(cpu_report_lines(*result), ::testing::Not(HasSubstr("tier")));
}

}  // namespace
}  // namespace backplane::bench
