// Every case in tests/x86/cases on the whole engine: block, address micro-op, dispatch, TLB.
#include "support/isa_case.h"
#include "support/paths.h"
#include "test_processor.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace backplane::interp::testing {
namespace {

using x86::testing::IsaCase;

// The cases' 64 KiB are mapped to themselves, with an absent and a read-only page among them; the
// tables lie behind. Real mode has no paging and no such pages.
class CaseProcessor {
public:
    explicit CaseProcessor(const IsaCase& test) : cpu{bus, arena, test.model} {
        for (const auto& [address, bytes] : test.memory_before)
            std::memcpy(&bus.ram[address], bytes.data(), bytes.size());
        x86::CpuState& state = cpu.state;
        state = test.before;
        const bool code64 = test.code_size == x86::CodeSize::Bits64;
        const std::uint64_t base = code64 ? 0 : state.segments[x86::CS].base;
        std::memcpy(&bus.ram[base + IsaCase::instruction_address], test.bytes.data(),
                    test.bytes.size());
        state.rip = IsaCase::instruction_address;
        state.idtr.limit = 0;  // the first exception ends the case
        if (code64) map_long();
        if (test.code_size == x86::CodeSize::Bits32) map_legacy();
        cpu.on_exception = [this](const x86::Fault& found) {
            if (fault) return;
            fault = found;
            state_then = cpu.state;
            memory_then = memory();
        };
        cpu.state_replaced();
    }

    std::vector<std::uint8_t> memory() const {
        return {bus.ram.begin(), bus.ram.begin() + IsaCase::memory_size};
    }

    TestBus bus;
    TestInterpreter cpu;
    std::optional<x86::Fault> fault;
    x86::CpuState state_then;
    std::vector<std::uint8_t> memory_then;

private:
    static constexpr std::uint64_t tables = 0x10'0000;
    static constexpr std::size_t arena = std::size_t{1} << 20;

    static std::uint64_t entry(std::uint64_t page) {
        if (page == IsaCase::absent_page) return 0;
        return page << 12 | (page == IsaCase::read_only_page ? 5 : 7);
    }

    template <class T>
    void put(std::uint64_t address, T value) {
        std::memcpy(&bus.ram[address], &value, sizeof value);
    }

    void map_long() {
        for (std::uint64_t level = 0; level < 3; ++level)
            put<std::uint64_t>(tables + level * 0x1000, (tables + (level + 1) * 0x1000) | 7);
        for (std::uint64_t page = 0; page < 16; ++page)
            put<std::uint64_t>(tables + 0x3000 + page * 8, entry(page));
        enable(0x20);
    }

    void map_legacy() {
        put<std::uint32_t>(tables, (tables + 0x1000) | 7);
        for (std::uint64_t page = 0; page < 16; ++page)
            put<std::uint32_t>(tables + 0x1000 + page * 4, static_cast<std::uint32_t>(entry(page)));
        enable(0);
    }

    void enable(std::uint64_t cr4) {
        cpu.state.cr3 = tables;
        cpu.state.cr4 = cr4;
        cpu.state.cr0 |= 0x8001'0000;  // PG and WP
    }
};

void run_case(const IsaCase& test) {
    CaseProcessor processor{test};
    std::vector<std::uint8_t> expected_memory = processor.memory();
    for (const auto& [address, bytes] : test.memory_after)
        std::memcpy(&expected_memory[address], bytes.data(), bytes.size());

    const RunResult result = processor.cpu.run(1);
    if (!processor.fault) {
        EXPECT_EQ(result, RunResult::Budget);
        processor.state_then = processor.cpu.state;
        processor.memory_then = processor.memory();
    }
    EXPECT_EQ(processor.fault ? x86::testing::isa_case::fault_text(*processor.fault) : "",
              test.fault);
    const x86::CpuState& state = processor.state_then;
    const std::uint64_t next = IsaCase::instruction_address +
                               (test.fault.empty() ? test.bytes.size() : 0);
    EXPECT_EQ(state.rip, test.rip.value_or(next));
    for (unsigned i = 0; i < 16; ++i)
        EXPECT_EQ(state.gpr[i], test.after.gpr[i]) << "register " << i;
    // RF ends with the instruction; the semantics alone do not know that.
    const std::uint64_t compared = ~(test.undefined_flags | x86::rflags::rf);
    EXPECT_EQ(state.full_rflags() & compared, test.after.full_rflags() & compared);
    for (std::size_t i = 0; i < expected_memory.size(); ++i)
        ASSERT_EQ(processor.memory_then[i], expected_memory[i]) << "address " << i;
    EXPECT_EQ(processor.cpu.instructions(), processor.fault ? 0u : 1u);
}

TEST(IsaCases, BehaveAsTheirFilesSayInTheEngine) {
    const auto cases = x86::testing::load_isa_cases(std::filesystem::path{test::paths::source} /
                                                    "tests/x86/cases");
    EXPECT_GE(cases.size(), 50u);
    for (const IsaCase& test : cases) {
        SCOPED_TRACE(test.name);
        run_case(test);
    }
}

}  // namespace
}  // namespace backplane::interp::testing
