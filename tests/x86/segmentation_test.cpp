// Loads of segment registers and tables, and the instructions that ask about selectors, against the
// rules of SDM 2 and 3A.
#include "support/system_machine.h"

#include <gtest/gtest.h>

namespace backplane::x86 {
namespace {

using testing::segment_word;
using testing::SystemMachine;
namespace attributes = testing::attributes;
namespace selector = testing::selector;

constexpr int np = 11, ss = 12, gp = 13, ud = 6;

TEST(SegmentLoad, TakesTheHiddenPartFromTheDescriptor) {
    auto m = SystemMachine::in_long_mode(0);
    m.put(SystemMachine::gdt + selector::free,
          segment_word(attributes::data32, 0x12345, 0xabcd1234));
    m.state().gpr[RAX] = selector::free;
    EXPECT_EQ(m.run({0x8e, 0xe0}), Outcome::Next);  // mov fs, eax
    const SegmentRegister& fs = m.state().segments[FS];
    EXPECT_EQ(fs.selector, selector::free);
    EXPECT_EQ(fs.base, 0xabcd1234u);
    EXPECT_EQ(fs.limit, 0x12345fffu);
    EXPECT_EQ(fs.attributes, attributes::data32);
}

TEST(SegmentLoad, SetsTheAccessedBitInTheTable) {
    auto m = SystemMachine::in_long_mode(0);
    m.put(SystemMachine::gdt + selector::free,
          segment_word(static_cast<std::uint16_t>(attributes::data32 & ~attribute::accessed)));
    m.state().gpr[RAX] = selector::free;
    m.run({0x8e, 0xd8});  // mov ds, eax
    EXPECT_EQ(m.get<std::uint8_t>(SystemMachine::gdt + selector::free + 5) & 1, 1);
    EXPECT_TRUE(m.state().segments[DS].attributes & attribute::accessed);
}

TEST(SegmentLoad, OfAReadOnlyTableNeedsNoWriteWhenAccessedIsSet) {
    auto m = SystemMachine::in_long_mode(0);
    m.read_only.insert(SystemMachine::gdt >> 12);
    m.state().gpr[RAX] = selector::data;
    EXPECT_EQ(m.run({0x8e, 0xd8}), Outcome::Next);
}

struct LoadCase {
    const char* what;
    std::uint16_t selector;
    std::uint16_t attributes;  // of the descriptor at the selector's place
    int vector;                // -1: loads
    std::uint32_t error_code;
};

class DataSegmentLoad : public ::testing::TestWithParam<LoadCase> {};

TEST_P(DataSegmentLoad, FollowsTheTableOfChecks) {
    const LoadCase& c = GetParam();
    auto m = SystemMachine::in_long_mode(3);
    m.put(SystemMachine::gdt + selector::free, segment_word(c.attributes));
    const SegmentRegister before = m.state().segments[DS];
    m.state().gpr[RAX] = c.selector;
    const Outcome outcome = m.run({0x8e, 0xd8});
    EXPECT_EQ(m.vector(), c.vector);
    if (c.vector < 0) return;
    EXPECT_EQ(outcome, Outcome::Fault);
    EXPECT_EQ(m.error_code(), c.error_code);
    EXPECT_EQ(m.state().segments[DS].selector, before.selector);
}

using attributes::at;
constexpr std::uint16_t free3 = selector::free | 3;
constexpr std::uint16_t execute_only = attributes::code32 & ~attribute::readable;
constexpr std::uint16_t conforming = attributes::code32 | attribute::conforming;
constexpr std::uint16_t absent = attributes::data32 & ~attribute::present;

INSTANTIATE_TEST_SUITE_P(
    SdmMov, DataSegmentLoad,
    ::testing::Values(
        LoadCase{"user data", free3, attributes::data32 | at(3), -1, 0},
        LoadCase{"kernel data", free3, attributes::data32, gp, selector::free},
        LoadCase{"data below RPL only", free3, attributes::data32 | at(2), gp, selector::free},
        LoadCase{"readable code", free3, attributes::code32 | at(3), -1, 0},
        LoadCase{"execute-only code", free3, execute_only | at(3), gp, selector::free},
        LoadCase{"conforming code of privilege 0", free3, conforming, -1, 0},
        LoadCase{"absent", free3, absent | at(3), np, selector::free},
        LoadCase{"a system descriptor", free3, 9 | attribute::present | at(3), gp, selector::free},
        LoadCase{"beyond the table", 0x1003, attributes::data32 | at(3), gp, 0x1000},
        LoadCase{"no local table", 0x57, attributes::data32 | at(3), gp, 0x54},
        LoadCase{"null", 3, 0, -1, 0}),
    [](const auto& info) {
        std::string name = info.param.what;
        for (char& c : name)
            if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
        return name;
    });

TEST(StackSegmentLoad, HoldsInterruptsForOneInstruction) {
    auto m = SystemMachine::in_long_mode(0);
    m.state().gpr[RAX] = selector::data;
    EXPECT_EQ(m.run({0x8e, 0xd0}), Outcome::Leave);  // mov ss, eax
    EXPECT_TRUE(m.state().interrupt_shadow);
}

TEST(StackSegmentLoad, NeedsWritableDataOfTheOwnPrivilege) {
    auto m = SystemMachine::in_long_mode(0);
    const auto load = [&](std::uint16_t what, std::uint16_t bits) {
        m.put(SystemMachine::gdt + selector::free, segment_word(bits));
        m.state().gpr[RAX] = what;
        m.run({0x8e, 0xd0});
        return m.vector();
    };
    EXPECT_EQ(load(selector::free, attributes::data32), -1);
    EXPECT_EQ(load(selector::free | 3, attributes::data32), gp);
    EXPECT_EQ(load(selector::free, attributes::data32 | at(3)), gp);
    EXPECT_EQ(load(selector::free, attributes::data32 & ~attribute::writable), gp);
    EXPECT_EQ(load(selector::free, attributes::code32), gp);
    EXPECT_EQ(load(selector::free, absent), ss);
    EXPECT_EQ(m.error_code(), selector::free);
}

TEST(StackSegmentLoad, TakesANullSelectorOnlyIn64BitCodeBelowPrivilege3) {
    auto kernel = SystemMachine::in_long_mode(0);
    kernel.state().gpr[RAX] = 0;
    EXPECT_EQ(kernel.run({0x8e, 0xd0}), Outcome::Leave);
    kernel.state().gpr[RAX] = 3;
    kernel.run({0x8e, 0xd0});
    EXPECT_EQ(kernel.vector(), gp);
    auto user = SystemMachine::in_long_mode(3);
    user.state().gpr[RAX] = 3;
    user.run({0x8e, 0xd0});
    EXPECT_EQ(user.vector(), gp);
    EXPECT_EQ(user.error_code(), 0u);
    auto legacy = SystemMachine::in_protected_mode(0);
    legacy.state().gpr[RAX] = 0;
    legacy.run({0x8e, 0xd0});
    EXPECT_EQ(legacy.vector(), gp);
}

TEST(SegmentStore, ZeroExtendsIntoRegistersAndWritesTwoBytesToMemory) {
    auto m = SystemMachine::in_long_mode(0);
    m.state().segments[FS].selector = 0x1234;
    m.state().gpr[RAX] = ~0ull;
    m.run({0x8c, 0xe0});  // mov eax, fs
    EXPECT_EQ(m.state().gpr[RAX], 0x1234u);
    m.state().gpr[RAX] = ~0ull;
    m.run({0x66, 0x8c, 0xe0});  // mov ax, fs
    EXPECT_EQ(m.state().gpr[RAX], 0xffffffffffff1234u);
    m.put(0x5000, ~0ull);
    m.state().gpr[RAX] = 0x5000;
    m.run({0x8c, 0x20});  // mov [rax], fs
    EXPECT_EQ(m.get<std::uint64_t>(0x5000), 0xffffffffffff1234u);
}

TEST(SegmentPushAndPop, MoveTheStackPointerByTheOperandSize) {
    auto m = SystemMachine::in_long_mode(0);
    m.state().segments[FS].selector = selector::data;
    m.run({0x0f, 0xa0});  // push fs
    EXPECT_EQ(m.state().gpr[RSP], SystemMachine::stack - 8);
    EXPECT_EQ(m.get<std::uint64_t>(SystemMachine::stack - 8), selector::data);
    m.run({0x0f, 0xa9});  // pop gs
    EXPECT_EQ(m.state().gpr[RSP], SystemMachine::stack);
    EXPECT_EQ(m.state().segments[GS].selector, selector::data);
}

TEST(SegmentPop, ThatFaultsLeavesTheStackPointer) {
    auto m = SystemMachine::in_long_mode(0);
    m.put<std::uint64_t>(SystemMachine::stack, 0xfff8);
    m.run({0x0f, 0xa9});
    EXPECT_EQ(m.vector(), gp);
    EXPECT_EQ(m.error_code(), 0xfff8u);
    EXPECT_EQ(m.state().gpr[RSP], SystemMachine::stack);
}

TEST(FarPointerLoad, LoadsOffsetAndSegment) {
    auto m = SystemMachine::in_protected_mode(0);
    m.put<std::uint32_t>(0x5000, 0x11223344);
    m.put<std::uint16_t>(0x5004, selector::data);
    m.state().gpr[RBX] = 0x5000;
    m.run({0xc4, 0x03});  // les eax, [ebx]
    EXPECT_EQ(m.vector(), -1);
    EXPECT_EQ(m.state().gpr[RAX], 0x11223344u);
    EXPECT_EQ(m.state().segments[ES].selector, selector::data);
}

TEST(RealModeLoad, ShiftsTheSelectorAndKeepsTheLimit) {
    auto m = SystemMachine::in_real_mode();
    m.state().segments[DS].limit = 0xffffffff;
    m.state().gpr[RAX] = 0xb800;
    m.run({0x8e, 0xd8});
    EXPECT_EQ(m.state().segments[DS].base, 0xb8000u);
    EXPECT_EQ(m.state().segments[DS].limit, 0xffffffffu);
}

TEST(DescriptorTables, AreLoadedAndStoredWithTheModesBaseSize) {
    auto m = SystemMachine::in_long_mode(0);
    m.put<std::uint16_t>(0x5000, 0x7f);
    m.put<std::uint64_t>(0x5002, 0xffff800012345678);
    m.state().gpr[RAX] = 0x5000;
    EXPECT_EQ(m.run({0x0f, 0x01, 0x18}), Outcome::Next);  // lidt [rax]
    EXPECT_EQ(m.state().idtr.base, 0xffff800012345678u);
    EXPECT_EQ(m.state().idtr.limit, 0x7fu);
    m.state().gpr[RAX] = 0x6000;
    m.run({0x0f, 0x01, 0x08});  // sidt [rax]
    EXPECT_EQ(m.get<std::uint16_t>(0x6000), 0x7f);
    EXPECT_EQ(m.get<std::uint64_t>(0x6002), 0xffff800012345678u);

    m.put<std::uint64_t>(0x5002, 0x0000900000000000);
    m.state().gpr[RAX] = 0x5000;
    m.run({0x0f, 0x01, 0x18});
    EXPECT_EQ(m.vector(), gp) << "the base is not canonical";
    auto user = SystemMachine::in_long_mode(3);
    user.run({0x0f, 0x01, 0x18});
    EXPECT_EQ(user.vector(), gp);

    auto legacy = SystemMachine::in_protected_mode(0);
    legacy.put<std::uint16_t>(0x5000, 0x7f);
    legacy.put<std::uint32_t>(0x5002, 0xaabbccdd);
    legacy.state().gpr[RAX] = 0x5000;
    legacy.run({0x66, 0x0f, 0x01, 0x10});  // o16 lgdt [eax]
    EXPECT_EQ(legacy.state().gdtr.base, 0xbbccddu);
}

TEST(TaskRegister, MakesTheSegmentBusyAndRefusesABusyOne) {
    auto m = SystemMachine::in_long_mode(0);
    m.put<std::uint64_t>(SystemMachine::gdt + selector::tss + 8, 0xffff8000);
    m.state().gpr[RAX] = selector::tss;
    EXPECT_EQ(m.run({0x0f, 0x00, 0xd8}), Outcome::Next);  // ltr ax
    EXPECT_EQ(m.state().tr.base, 0xffff800000004000u);
    EXPECT_EQ(m.state().tr.attributes & attribute::type, 11);
    EXPECT_EQ(m.get<std::uint8_t>(SystemMachine::gdt + selector::tss + 5) & 0xf, 11);
    m.run({0x0f, 0x00, 0xd8});
    EXPECT_EQ(m.vector(), gp);
    EXPECT_EQ(m.error_code(), selector::tss);
    m.state().gpr[RAX] = 0;
    m.run({0x0f, 0x00, 0xd8});
    EXPECT_EQ(m.vector(), gp);
    EXPECT_EQ(m.error_code(), 0u);
}

TEST(LocalTable, IsLoadedFromASixteenByteDescriptorAndEmptiedByNull) {
    auto m = SystemMachine::in_long_mode(0);
    m.put(SystemMachine::gdt + selector::free, segment_word(2 | attribute::present, 0x17, 0x5000));
    m.state().gpr[RAX] = selector::free;
    EXPECT_EQ(m.run({0x0f, 0x00, 0xd0}), Outcome::Next);  // lldt ax
    EXPECT_EQ(m.state().ldtr.base, 0x5000u);
    m.put(0x5008, segment_word(attributes::data32, 0xfffff, 0x77000000));
    m.state().gpr[RAX] = 0xc;
    EXPECT_EQ(m.run({0x8e, 0xe8}), Outcome::Next);  // mov gs, ax
    EXPECT_EQ(m.state().segments[GS].base, 0x77000000u);
    m.state().gpr[RAX] = 0;
    m.run({0x0f, 0x00, 0xd0});
    m.state().gpr[RAX] = 0xc;
    m.run({0x8e, 0xe8});
    EXPECT_EQ(m.vector(), gp);
    EXPECT_EQ(m.error_code(), 0xcu);
}

TEST(SelectorQuestions, AnswerInZeroFlagWithoutFaults) {
    auto m = SystemMachine::in_long_mode(3);
    m.put(SystemMachine::gdt + selector::free, segment_word(attributes::data32 | at(3), 0x12345));
    m.state().gpr[RCX] = selector::free | 3;
    m.run({0x0f, 0x02, 0xc1});  // lar eax, ecx
    EXPECT_TRUE(m.state().flags.zf());
    EXPECT_EQ(m.state().gpr[RAX], 0x00c1f300u);
    m.run({0x0f, 0x03, 0xc1});  // lsl eax, ecx
    EXPECT_EQ(m.state().gpr[RAX], 0x12345fffu);
    m.run({0x0f, 0x00, 0xe1});  // verr cx
    EXPECT_TRUE(m.state().flags.zf());
    m.run({0x0f, 0x00, 0xe9});  // verw cx
    EXPECT_TRUE(m.state().flags.zf());

    m.state().gpr[RAX] = 0x55;
    for (const std::uint16_t refused : {std::uint16_t{0}, selector::data, std::uint16_t{0xfff3}}) {
        m.state().gpr[RCX] = refused;
        m.run({0x0f, 0x02, 0xc1});
        EXPECT_FALSE(m.state().flags.zf()) << refused;
        EXPECT_EQ(m.state().gpr[RAX], 0x55u);
        m.run({0x0f, 0x00, 0xe1});
        EXPECT_FALSE(m.state().flags.zf()) << refused;
        EXPECT_EQ(m.vector(), -1);
    }
}

TEST(SelectorQuestions, KnowTheSystemTypesOfTheMode) {
    auto m = SystemMachine::in_long_mode(0);
    const auto asks = [&](unsigned type, std::initializer_list<unsigned char> question) {
        m.put(SystemMachine::gdt + selector::free,
              segment_word(static_cast<std::uint16_t>(type | attribute::present)));
        m.state().gpr[RCX] = selector::free;
        m.run(question);
        return m.state().flags.zf();
    };
    // SDM 2 LAR, table 3-53, and LSL, table 3-56: the 64-bit columns.
    const bool rights[16] = {false, false, true,  false, false, false, false, false,
                             false, true,  false, true,  true,  false, false, false};
    for (unsigned type = 0; type < 16; ++type) {
        EXPECT_EQ(asks(type, {0x0f, 0x02, 0xc1}), rights[type]) << "LAR of type " << type;
        EXPECT_EQ(asks(type, {0x0f, 0x03, 0xc1}), rights[type] && type != 12)
            << "LSL of type " << type;
    }
}

TEST(SelectorQuestions, AreUndefinedInRealMode) {
    auto m = SystemMachine::in_real_mode();
    m.run({0x0f, 0x02, 0xc1});
    EXPECT_EQ(m.vector(), ud);
    m.run({0x0f, 0x00, 0xc8});  // str ax
    EXPECT_EQ(m.vector(), ud);
}

TEST(AdjustRpl, RaisesTheDestination) {
    auto m = SystemMachine::in_protected_mode(0);
    m.state().gpr[RCX] = 0x10;
    m.state().gpr[RAX] = 0x23;
    m.run({0x63, 0xc1});  // arpl cx, ax
    EXPECT_EQ(m.state().gpr[RCX], 0x13u);
    EXPECT_TRUE(m.state().flags.zf());
    m.run({0x63, 0xc1});
    EXPECT_FALSE(m.state().flags.zf());
}

// The processor under the tests is in 64-bit code at privilege 3, as the model is here; its flat
// user segments exist under every Linux.
TEST(SelectorQuestions, AgreeWithTheHostOnItsOwnSelectors) {
    std::uint16_t cs, stack_selector;
    asm("mov %%cs, %0; mov %%ss, %1" : "=r"(cs), "=r"(stack_selector));
    auto m = SystemMachine::in_long_mode(3);
    m.put(SystemMachine::gdt + (cs & 0xfff8), segment_word(attributes::code64 | at(3)));
    m.put(SystemMachine::gdt + (stack_selector & 0xfff8), segment_word(attributes::data32 | at(3)));
    for (const std::uint16_t asked : {cs, stack_selector, std::uint16_t{0}}) {
        std::uint32_t rights = 0x55, limit = 0x55;
        bool has_rights, has_limit, readable, writable;
        asm("lar %2, %0" : "+r"(rights), "=@ccz"(has_rights) : "r"(std::uint32_t{asked}));
        asm("lsl %2, %0" : "+r"(limit), "=@ccz"(has_limit) : "r"(std::uint32_t{asked}));
        asm("verr %1" : "=@ccz"(readable) : "r"(asked));
        asm("verw %1" : "=@ccz"(writable) : "r"(asked));

        m.state().gpr[RCX] = asked;
        m.state().gpr[RAX] = 0x55;
        m.run({0x0f, 0x02, 0xc1});
        EXPECT_EQ(m.state().flags.zf(), has_rights) << asked;
        EXPECT_EQ(m.state().gpr[RAX], rights) << asked;
        m.state().gpr[RAX] = 0x55;
        m.run({0x0f, 0x03, 0xc1});
        EXPECT_EQ(m.state().flags.zf(), has_limit) << asked;
        EXPECT_EQ(m.state().gpr[RAX], limit) << asked;
        m.run({0x0f, 0x00, 0xe1});
        EXPECT_EQ(m.state().flags.zf(), readable) << asked;
        m.run({0x0f, 0x00, 0xe9});
        EXPECT_EQ(m.state().flags.zf(), writable) << asked;
    }
}

}  // namespace
}  // namespace backplane::x86
