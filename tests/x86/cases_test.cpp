// Every case in cases/ on the semantics alone.
#include "support/isa_case.h"
#include "support/paths.h"
#include "support/system_machine.h"
#include "x86/disassembler.h"
#include "x86/instruction_set.h"
#include "x86/integer_forms.h"

#include <gtest/gtest.h>

namespace backplane::x86::testing {
namespace {

std::vector<std::byte> memory_of(const std::map<std::uint64_t, std::vector<std::byte>>& pieces,
                                 std::vector<std::byte> memory) {
    for (const auto& [address, bytes] : pieces)
        std::copy(bytes.begin(), bytes.end(), memory.begin() + address);
    return memory;
}

void run_case(const IsaCase& test) {
    std::vector<std::byte> memory = memory_of(test.memory_before,
                                              std::vector<std::byte>(IsaCase::memory_size));
    const std::vector<std::byte> expected_memory = memory_of(test.memory_after, memory);
    FakeServices services;
    SemanticsMachine m{0, memory};
    m.services = &services;
    m.state() = test.before;
    m.state().rip = IsaCase::instruction_address;
    m.absent = {IsaCase::absent_page};
    m.read_only = {IsaCase::read_only_page};

    Instruction instruction;
    const Decoder decoder{decoder_features(test.model)};
    ASSERT_EQ(decoder.decode(test.bytes, test.code_size, IsaCase::instruction_address, instruction),
              DecodeStatus::Complete);
    ASSERT_EQ(instruction.decoded.length, test.bytes.size());
    SCOPED_TRACE(disassemble(instruction));
    const auto outcome = has_instruction(test.model, instruction)
                             ? execute(m, integer_forms(), instruction)
                             : m.raise({.vector = Vector::InvalidOpcode});
    ASSERT_TRUE(outcome) << "no form";

    EXPECT_EQ(m.raised ? isa_case::fault_text(*m.raised) : "", test.fault);
    EXPECT_EQ(*outcome == Outcome::Fault, !test.fault.empty());
    const std::uint64_t next = test.fault.empty() ? instruction.next_ip() : instruction.ip;
    EXPECT_EQ(m.state().rip, test.rip.value_or(next));
    for (unsigned i = 0; i < 16; ++i)
        EXPECT_EQ(m.state().gpr[i], test.after.gpr[i]) << "register " << i;
    EXPECT_EQ(m.state().full_rflags() & ~test.undefined_flags,
              test.after.full_rflags() & ~test.undefined_flags);
    for (std::size_t i = 0; i < memory.size(); ++i)
        ASSERT_EQ(static_cast<unsigned>(memory[i]), static_cast<unsigned>(expected_memory[i]))
            << "address " << i;
}

TEST(IsaCases, BehaveAsTheirFilesSay) {
    const auto cases = load_isa_cases(std::filesystem::path{test::paths::source} /
                                      "tests/x86/cases");
    EXPECT_GE(cases.size(), 50u);
    for (const IsaCase& test : cases) {
        SCOPED_TRACE(test.name);
        run_case(test);
    }
}

}  // namespace
}  // namespace backplane::x86::testing
