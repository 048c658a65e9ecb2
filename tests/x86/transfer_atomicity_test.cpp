// Whatever is in the guest's tables: an instruction or delivery that faults leaves the processor as
// it was, and one that completes leaves a state that the rules allow.
#include "support/system_machine.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <type_traits>

namespace backplane::x86 {
namespace {

using testing::SystemMachine;
namespace attributes = testing::attributes;
namespace selector = testing::selector;

static_assert(std::is_trivially_copyable_v<CpuState>);

using Bytes = std::initializer_list<unsigned char>;

// Everything that reads a descriptor, a gate, a task-state segment or a frame.
constexpr Bytes instructions[] = {{0x8e, 0xd8},
                                  {0x8e, 0xd0},
                                  {0x8e, 0xe0},
                                  {0x0f, 0xa1},
                                  {0xff, 0x28},
                                  {0x48, 0xff, 0x28},
                                  {0xff, 0x18},
                                  {0x48, 0xff, 0x18},
                                  {0x66, 0xff, 0x18},
                                  {0xcb},
                                  {0x48, 0xcb},
                                  {0x66, 0xcb},
                                  {0xca, 0x08, 0x00},
                                  {0xcf},
                                  {0x48, 0xcf},
                                  {0x66, 0xcf},
                                  {0xcd, 0x03},
                                  {0xcd, 0x15},
                                  {0xcc},
                                  {0xf1},
                                  {0x0f, 0x00, 0xd0},
                                  {0x0f, 0x00, 0xd8},
                                  {0x0f, 0xb2, 0x20},
                                  {0x0f, 0xb5, 0x28},
                                  {0x0f, 0x02, 0xc1},
                                  {0x0f, 0x03, 0xc1},
                                  {0x0f, 0x01, 0x10},
                                  {0x0f, 0x01, 0x18},
                                  {0x0f, 0x22, 0xc0},
                                  {0x0f, 0x22, 0xe0},
                                  {0x0f, 0x30},
                                  {0x6d},
                                  {0x0f, 0x05},
                                  {0x48, 0x0f, 0x07},
                                  {0x0f, 0x34},
                                  {0x0f, 0x35}};

class Chance {
public:
    std::uint64_t any() { return engine_(); }
    std::uint64_t below(std::uint64_t limit) { return engine_() % limit; }
    bool one_in(unsigned n) { return below(n) == 0; }
    template <class T, std::size_t n>
    T one_of(const T (&values)[n]) {
        return values[below(n)];
    }

private:
    std::mt19937_64 engine_{0x5eed};
};

std::uint16_t some_selector(Chance& chance) {
    if (chance.one_in(8)) return static_cast<std::uint16_t>(chance.any());
    return static_cast<std::uint16_t>(chance.below(16) * 8 + chance.below(4));
}

std::uint64_t some_address(Chance& chance) {
    if (chance.one_in(8)) return chance.any();
    return chance.one_in(2) ? chance.below(1 << 20) : SystemMachine::stack + 8 * chance.below(8);
}

std::uint64_t some_descriptor(Chance& chance) {
    using namespace attributes;
    const std::uint16_t usual[] = {data32,      code32,      attributes::code64,
                                   2 | present, 9 | present, 11 | present};
    auto bits = chance.one_of(usual);
    bits |= static_cast<std::uint16_t>(chance.below(4) << dpl_shift);
    if (chance.one_in(4)) bits ^= static_cast<std::uint16_t>(1u << chance.below(16));
    if (chance.one_in(3)) {
        const SystemType gates[] = {SystemType::CallGate,      SystemType::CallGate16,
                                    SystemType::InterruptGate, SystemType::TrapGate,
                                    SystemType::TaskGate,      SystemType::InterruptGate16};
        return testing::gate_word(chance.one_of(gates), some_selector(chance),
                                  chance.below(0x10000), static_cast<unsigned>(chance.below(4)),
                                  static_cast<unsigned>(chance.below(8)));
    }
    return testing::segment_word(bits, static_cast<std::uint32_t>(chance.below(0x100000)));
}

void scramble(SystemMachine& m, Chance& chance) {
    CpuState& s = m.state();
    for (unsigned slot = 1; slot < 32; ++slot)
        if (chance.one_in(2)) m.put(SystemMachine::gdt + 8 * slot, some_descriptor(chance));
    for (unsigned slot = 0; slot < 64; ++slot)
        m.put(SystemMachine::idt + 8 * slot,
              chance.one_in(4) ? chance.below(0x10000) : some_descriptor(chance));
    for (unsigned word = 0; word < 16; ++word) {
        const std::uint64_t value = chance.one_in(2) ? some_selector(chance) : some_address(chance);
        m.put(SystemMachine::stack + 8 * word, value);
        m.put(SystemMachine::task + 4 + 8 * word, some_address(chance));
    }
    for (std::uint64_t& value : s.gpr)
        value = chance.one_in(2) ? some_selector(chance) : some_address(chance);
    s.gpr[RSP] = SystemMachine::stack;
    s.star = chance.any();
    s.sysenter_cs = some_selector(chance);
    s.rflags = rflags::reserved1 | (chance.any() & (rflags::if_ | rflags::iopl | rflags::tf));
    if (chance.one_in(16)) s.rflags |= rflags::nt;
    if (chance.one_in(4)) s.gdtr.limit = chance.below(0x200);
    if (chance.one_in(4)) s.idtr.limit = chance.below(0x200);
    if (chance.one_in(4)) s.tr.limit = static_cast<std::uint32_t>(chance.below(0x80));
    for (unsigned page = 0; page < 2; ++page)
        if (chance.one_in(4)) m.absent.insert(some_address(chance) >> 12);
    if (chance.one_in(8)) m.read_only.insert(SystemMachine::gdt >> 12);
    m.fake.cpu_model.vendor = chance.one_in(2) ? Vendor::Amd : Vendor::Intel;
}

SystemMachine some_machine(Chance& chance) {
    switch (chance.below(5)) {
    case 0: return SystemMachine::in_long_mode(0);
    case 1: return SystemMachine::in_long_mode(3);
    case 2: return SystemMachine::in_protected_mode(0);
    case 3: return SystemMachine::in_protected_mode(3);
    default: return SystemMachine::in_real_mode();
    }
}

void expect_consistent(const CpuState& s, const CpuState& before) {
    if (!s.protected_mode() || (s.rflags & rflags::vm)) return;
    EXPECT_LE(s.cpl, 3);
    const SegmentRegister& cs = s.segments[CS];
    // A far transfer makes the RPL of CS the privilege.
    if (cs.selector != before.segments[CS].selector) EXPECT_EQ(cs.selector & 3, s.cpl);
    EXPECT_TRUE(cs.attributes & attribute::present);
    if (s.long_mode())
        EXPECT_NE(cs.attributes & (attribute::long_code | attribute::big),
                  attribute::long_code | attribute::big);
    if (!s.code64() && s.segments[SS].selector != before.segments[SS].selector)
        EXPECT_TRUE(s.segments[SS].attributes & attribute::present);
    EXPECT_EQ(s.rflags & rflags::arithmetic, 0u);
}

TEST(Transfers, ThatFaultChangeNothingAndOthersLeaveAConsistentState) {
    Chance chance;
    unsigned faults = 0, done = 0;
    for (unsigned round = 0; round < 1500; ++round) {
        for (const Bytes& bytes : instructions) {
            if (!chance.one_in(8)) continue;
            auto m = some_machine(chance);
            scramble(m, chance);
            const std::uint64_t linear_ip = m.state().rip;
            m.state().block_ip = linear_ip;
            CpuState before;
            std::memcpy(&before, &m.state(), sizeof before);
            const Outcome outcome = m.run(bytes);
            if (outcome == Outcome::Fault) {
                ++faults;
                // The address micro-op's result is scratch.
                m.state().effective_address = before.effective_address;
                if (m.restarted_at) continue;
                ASSERT_EQ(std::memcmp(&before, &m.state(), sizeof before), 0)
                    << "round " << round << " opcode " << std::hex << +*bytes.begin();
                ASSERT_TRUE(m.raised);
                continue;
            }
            ++done;
            expect_consistent(m.state(), before);
            ASSERT_FALSE(::testing::Test::HasFailure())
                << "round " << round << " opcode " << std::hex << +*bytes.begin();
        }
    }
    // Both ways must be well exercised for this to mean anything.
    EXPECT_GT(faults, 1000u);
    EXPECT_GT(done, 1000u);
}

TEST(Deliveries, ThatFaultChangeNothing) {
    Chance chance;
    unsigned faults = 0, delivered = 0, shutdowns = 0;
    for (unsigned round = 0; round < 6000; ++round) {
        auto m = some_machine(chance);
        scramble(m, chance);
        CpuState before;
        std::memcpy(&before, &m.state(), sizeof before);
        const auto vector = static_cast<std::uint8_t>(chance.below(32));
        const EventSource sources[] = {EventSource::External, EventSource::Exception,
                                       EventSource::Software};
        const InterruptEvent event{.vector = vector,
                                   .source = chance.one_of(sources),
                                   .return_ip = 0x1234,
                                   .error_code = has_error_code(Vector{vector}) ? std::optional{7u}
                                                                                : std::nullopt};
        if (deliver(m, event) == Outcome::Fault) {
            ++faults;
            // A task switch that went too far is the new task's fault (task_switch.h).
            if (!m.restarted_at)
                ASSERT_EQ(std::memcmp(&before, &m.state(), sizeof before), 0) << round;
            const bool shut = deliver_fault(m, m.take_fault(), 0x1234) == Delivery::Shutdown;
            shutdowns += shut;
        } else {
            ++delivered;
            expect_consistent(m.state(), before);
            ASSERT_FALSE(::testing::Test::HasFailure()) << round;
        }
    }
    EXPECT_GT(faults, 1000u);
    EXPECT_GT(delivered, 1000u);
    EXPECT_GT(shutdowns, 100u);
}

}  // namespace
}  // namespace backplane::x86
