// The differential test: generated cases on the processor under the tests and in the interpreter.
//
// The environment makes a longer run of it (tools/oracle sets these):
//   BACKPLANE_ORACLE_CASES     how many cases, otherwise 2000000, of a slow engine 100000
//   BACKPLANE_ORACLE_SECONDS   run that long instead
//   BACKPLANE_ORACLE_SEED      another sequence of cases
//   BACKPLANE_ORACLE_FEATURES  more features than the engines advertise, by name
//   BACKPLANE_ORACLE_REPORT    where the coverage goes as JSON
//   BACKPLANE_ORACLE_FAILURES  where failing cases go, shrunk, in the format of case_file.h
#include "case_file.h"
#include "coverage.h"
#include "exemptions.h"
#include "oracle.h"
#include "shrink.h"
#include "support/paths.h"
#include "test_engine.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace backplane::oracle {
namespace {

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 0) : otherwise;
}

std::string name_of(const Oracle& oracle, const Failure& failure) {
    if (failure.form < 0) return "bytes that are no instruction";
    return oracle.forms().forms()[static_cast<std::size_t>(failure.form)].text;
}

void write_file(const char* variable, const std::string& text) {
    if (const char* path = std::getenv(variable)) std::ofstream{path} << text;
}

std::string shrunk_failures(Oracle& oracle) {
    std::string text;
    const std::vector<Failure> failures = oracle.failures();
    for (const Failure& failure : failures)
        text += case_text(name_of(oracle, failure), shrink(oracle, failure.test));
    return text;
}

void run(Oracle& oracle) {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    const std::uint64_t wanted = setting("BACKPLANE_ORACLE_CASES",
                                         interp::testing::is_engine_slow() ? 100'000 : 2'000'000);
    const std::chrono::seconds duration{setting("BACKPLANE_ORACLE_SECONDS", 0)};
    const bool timed = duration.count() != 0;
    while (timed ? Clock::now() - start < duration : oracle.cases() < wanted)
        oracle.run_batch();
    // Some forms complete only with luck.
    constexpr unsigned rounds = 40;
    for (unsigned round = 0; round < rounds; ++round)
        for (const std::size_t form : uncovered_forms(oracle))
            oracle.run_form(form);
    const std::chrono::duration<double> seconds = Clock::now() - start;
    std::printf("%lu cases in %.1f s, %lu failures\n", oracle.cases(), seconds.count(),
                oracle.failed());
}

TEST(Oracle, TheEngineDoesAsTheProcessorDoes) {
    const std::uint64_t seed = setting("BACKPLANE_ORACLE_SEED", 1);
    const auto oracle = std::make_unique<Oracle>(seed);
    if (!oracle->problem().empty()) GTEST_SKIP() << oracle->problem();
    run(*oracle);

    RecordProperty("seed", std::to_string(seed));
    RecordProperty("cases", std::to_string(oracle->cases()));
    for (const Failure& failure : oracle->failures())
        ADD_FAILURE() << name_of(*oracle, failure) << "\n" << failure.text;
    for (const std::size_t form : uncovered_forms(*oracle))
        ADD_FAILURE() << "never completed: " << oracle->forms().forms()[form].text << ", code size "
                      << static_cast<int>(oracle->forms().forms()[form].code_size);
    write_file("BACKPLANE_ORACLE_REPORT", coverage_json(*oracle, seed));
    if (!oracle->failures().empty())
        write_file("BACKPLANE_ORACLE_FAILURES", shrunk_failures(*oracle));
}

TEST(Oracle, WhatOnceFailedAgrees) {
    const auto oracle = std::make_unique<Oracle>(1);
    if (!oracle->problem().empty()) GTEST_SKIP() << oracle->problem();
    unsigned replayed = 0;
    const std::filesystem::path folder{std::filesystem::path{test::paths::source} /
                                       "tests/oracle/cases"};
    for (const auto& file : std::filesystem::directory_iterator{folder})
        for (const NamedCase& entry : load_cases(file.path())) {
            if (entry.test.code_size == x86::CodeSize::Bits16 && !oracle->has_code16()) continue;
            Result native, engine;
            const auto differences = oracle->run_one(entry.test, native, engine);
            const auto instruction = decode(oracle->decoder(), entry.test);
            EXPECT_TRUE(differences.empty())
                << entry.name << "\n"
                << describe(entry.test, instruction ? &*instruction : nullptr, native, engine,
                            differences);
            ++replayed;
        }
    EXPECT_GE(replayed, 10u);
}

TEST(Oracle, EveryExemptionHasATestElsewhere) {
    for (const Exemption& entry : exemptions())
        EXPECT_TRUE(
            std::filesystem::exists(std::filesystem::path{test::paths::source} / entry.covered_by))
            << ZydisMnemonicGetString(entry.mnemonic) << ": " << entry.covered_by;
}

}  // namespace
}  // namespace backplane::oracle
