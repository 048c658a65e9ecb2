// Cases become plain, and survive their file.
#include "case_file.h"
#include "shrink.h"
#include "support/temp_path.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>

namespace backplane::oracle {
namespace {

// A case with something in every field.
Case busy_case() {
    Case test;
    test.code_size = x86::CodeSize::Bits64;
    test.before = plain_state(test.code_size);
    const std::uint8_t bytes[] = {0x2e, 0x67, 0x48, 0x01, 0x18};  // cs add [eax], rbx
    std::memcpy(test.bytes.data(), bytes, sizeof bytes);
    test.length = sizeof bytes;
    test.single_step = false;
    test.engine_steps = true;
    test.before.rip = code_address + 0x123;
    for (unsigned i = 0; i < 16; ++i) {
        test.before.gpr[i] = 0x1111 * (i + 1);
        test.before.vector.xmm[i] = {i + 1, i + 2};
        test.before.vector.ymm_high[i] = {i + 3, i + 4};
    }
    for (unsigned i = 0; i < 8; ++i)
        test.before.vector.st[i] = {std::uint64_t{1} << 63 | i, static_cast<std::uint16_t>(i), {}};
    test.before.rflags = 0xad7;
    test.before.fs_base = 0x1000;
    test.before.gs_base = 0x2000;
    test.before.vector.control = 0x27f;
    test.before.vector.status = 0x3800;
    test.before.vector.valid = 0xf0;
    test.before.vector.mxcsr = 0x9fc0;
    for (std::size_t i = 0; i < data_bytes; i += 97)
        test.memory[i] = static_cast<std::uint8_t>(i);
    return test;
}

TEST(Shrink, KeepsWhatTheFailureNeedsAndNothingElse) {
    const x86::Decoder decoder;
    const Case test = busy_case();
    constexpr std::size_t place = 97 * 5;
    const Failing failing = [&](const Case& candidate) -> std::string {
        const bool fails = candidate.before.gpr[x86::RBX] != 0 && candidate.memory[place] != 0 &&
                           (candidate.before.rflags & x86::rflags::cf) &&
                           candidate.bytes[candidate.length - 2] == 0x01;
        return fails ? "wrong" : "";
    };
    const Case small = shrink(decoder, failing, test);
    EXPECT_EQ(failing(small), "wrong");
    EXPECT_EQ(small.before.gpr[x86::RBX], test.before.gpr[x86::RBX]);
    EXPECT_EQ(small.before.gpr[x86::RAX], 0u);
    EXPECT_EQ(small.before.rflags & x86::rflags::arithmetic, x86::rflags::cf);
    EXPECT_EQ(small.length, 2) << "no prefix is needed";
    EXPECT_EQ(small.before.vector.xmm[3][0], 0u);
    EXPECT_EQ(small.before.vector.mxcsr, 0x1f80u);
    EXPECT_EQ(small.before.fs_base, 0u);
    EXPECT_EQ(small.memory[place], test.memory[place]);
    EXPECT_EQ(small.memory[97 * 40], 0) << "other memory is cleared";
}

TEST(Shrink, LeavesACaseThatDoesNotFail) {
    const x86::Decoder decoder;
    const Case test = busy_case();
    const Case same = shrink(decoder, [](const Case&) { return std::string{}; }, test);
    EXPECT_EQ(same.before.gpr, test.before.gpr);
    EXPECT_EQ(same.length, test.length);
}

TEST(CaseFile, GivesBackEverythingThatIsWritten) {
    const Case test = busy_case();
    const std::filesystem::path path{test::temp_path("case.yaml")};
    std::ofstream{path} << case_text("a busy one", test);
    const auto loaded = load_cases(path);
    std::filesystem::remove(path);
    ASSERT_EQ(loaded.size(), 1u);
    EXPECT_EQ(loaded[0].name, "a busy one");
    const Case& again = loaded[0].test;
    EXPECT_EQ(again.code_size, test.code_size);
    EXPECT_EQ(again.single_step, test.single_step);
    EXPECT_EQ(again.engine_steps, test.engine_steps);
    EXPECT_EQ(again.length, test.length);
    EXPECT_EQ(again.bytes, test.bytes);
    EXPECT_EQ(again.memory, test.memory);
    EXPECT_EQ(std::memcmp(&again.before.vector, &test.before.vector, sizeof(VectorState)), 0);
    EXPECT_EQ(again.before.gpr, test.before.gpr);
    EXPECT_EQ(again.before.rflags, test.before.rflags);
    EXPECT_EQ(again.before.selectors, test.before.selectors);
    EXPECT_EQ(again.before.rip, test.before.rip);
    EXPECT_EQ(again.before.fs_base, test.before.fs_base);
}

TEST(CaseFile, RefusesWhatItDoesNotKnow) {
    const std::filesystem::path path{test::temp_path("bad.yaml")};
    for (const char* state : {"{rxx: 1}", "{xmm99: \"1 2\"}", "{st0: \"1\"}"}) {
        std::ofstream{path} << "- name: bad\n  code: 64\n  bytes: 90\n  ip: 0x10000800\n  state: "
                            << state << "\n";
        EXPECT_ANY_THROW(load_cases(path)) << state;
    }
    std::filesystem::remove(path);
}

}  // namespace
}  // namespace backplane::oracle
