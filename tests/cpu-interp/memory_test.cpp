// Translation as the guest sees it: precise faults, accesses that cross pages, permissions,
// accessed and dirty bits.
#include "test_processor.h"

#include <gtest/gtest.h>

namespace backplane::interp::testing {
namespace {

using x86::RAX, x86::RBX, x86::RCX, x86::RDI, x86::RSP;
constexpr std::uint64_t code = TestProcessor::code, data = TestProcessor::data;
constexpr std::uint64_t present = 1, user = 4, accessed = 0x20, dirty = 0x40;
constexpr std::uint64_t no_execute = std::uint64_t{1} << 63;

class Memory : public ::testing::Test {
protected:
    void map(std::uint64_t linear, std::uint64_t value) {
        processor.write(TestProcessor::entry(linear), value);
    }

    std::uint64_t error_code() const {
        return processor.read<std::uint64_t>(processor.cpu.state.gpr[RSP]);
    }
    std::uint64_t fault_ip() const {
        return processor.read<std::uint64_t>(processor.cpu.state.gpr[RSP] + 8);
    }

    TestProcessor processor;
};

TEST_F(Memory, FaultsShowTheInstructionAndChangeNothing) {
    map(data, 0);
    // inc rbx;  add [rdi], rax;  hlt
    processor.place(code, {0x48, 0xff, 0xc3, 0x48, 0x01, 0x07, 0xf4});
    processor[RDI] = data + 8;
    processor[RAX] = 5;
    const auto flags = processor.cpu.state.full_rflags();
    EXPECT_FALSE(processor.run_to_halt());
    EXPECT_EQ(processor.stopped_in_vector(), 14);
    EXPECT_EQ(processor.cpu.state.cr2, data + 8);
    EXPECT_EQ(error_code(), 2u);
    EXPECT_EQ(fault_ip(), code + 3);
    EXPECT_EQ(processor[RBX], 1u);
    EXPECT_EQ(processor.cpu.instructions(), 2u) << "INC, and HLT of the handler";
    EXPECT_EQ(processor.cpu.state.full_rflags() & x86::rflags::zf, flags & x86::rflags::zf);
}

TEST_F(Memory, StoresAcrossPagesWriteNothingWhenTheSecondFaults) {
    map(data + 0x1000, 0);
    processor.place(code, {0x48, 0x89, 0x07, 0xf4});  // mov [rdi], rax
    processor[RDI] = data + 0xffd;
    processor[RAX] = 0x1122334455667788;
    EXPECT_FALSE(processor.run_to_halt());
    EXPECT_EQ(processor.stopped_in_vector(), 14);
    EXPECT_EQ(processor.cpu.state.cr2, data + 0x1000)
        << "the first byte of the page that is missing";
    EXPECT_EQ(processor.read<std::uint64_t>(data + 0xffd - 5), 0u);
    EXPECT_EQ(processor.read<std::uint8_t>(data + 0xffd), 0u);
}

TEST_F(Memory, AccessesAcrossPagesFollowBothMappings) {
    map(data + 0x1000, 0x50'0000 | 7);
    // mov [rdi], rax;  mov rbx, [rdi];  add [rdi], rbx;  hlt
    processor.place(code, {0x48, 0x89, 0x07, 0x48, 0x8b, 0x1f, 0x48, 0x01, 0x1f, 0xf4});
    processor[RDI] = data + 0xffc;
    processor[RAX] = 0x1122334455667788;
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(processor[RBX], 0x1122334455667788u);
    EXPECT_EQ(processor.read<std::uint32_t>(data + 0xffc), 0xaaccef10u);
    EXPECT_EQ(processor.read<std::uint32_t>(0x50'0000), 0x22446688u);
}

TEST_F(Memory, SetsAccessedAndDirtyBitsWhenTheyBecomeTrue) {
    // mov rax, [rdi];  hlt
    processor.place(code, {0x48, 0x8b, 0x07, 0xf4});
    processor.place(code + 0x10, {0x48, 0x89, 0x07, 0xf4});
    processor[RDI] = data;
    const auto bits = [&] {
        return processor.read<std::uint64_t>(TestProcessor::entry(data)) & (accessed | dirty);
    };
    EXPECT_EQ(bits(), 0u);
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(bits(), accessed);
    EXPECT_TRUE(processor.run_to_halt(code + 0x10));
    EXPECT_EQ(bits(), accessed | dirty);
    EXPECT_EQ(processor.read<std::uint64_t>(TestProcessor::tables) & (accessed | dirty), accessed);
}

TEST_F(Memory, WritesToReadOnlyPagesFaultUnlessWriteProtectIsOff) {
    map(data, data | present | user);
    processor.place(code, {0x48, 0x89, 0x07, 0xf4});
    processor[RDI] = data;
    EXPECT_FALSE(processor.run_to_halt());
    EXPECT_EQ(error_code(), 3u);
    processor.cpu.state.cr0 &= ~std::uint64_t{0x10000};
    processor.cpu.state.gpr[RSP] = TestProcessor::stack;
    processor.cpu.state_replaced();
    EXPECT_TRUE(processor.run_to_halt());
}

TEST_F(Memory, FetchesFromNoExecutePagesFaultAsFetches) {
    map(data, data | 7 | no_execute);
    processor.place(data, {0xf4});
    EXPECT_FALSE(processor.run_to_halt(data));
    EXPECT_EQ(processor.stopped_in_vector(), 14);
    EXPECT_EQ(error_code(), 0x11u);
    EXPECT_EQ(processor.cpu.state.cr2, data);
    EXPECT_EQ(fault_ip(), data);
}

TEST_F(Memory, InstructionsThatReachIntoAMissingPageFaultThere) {
    map(code + 0x1000, 0);
    processor.place(code + 0xffa, {0x48, 0xff, 0xc3, 0xb8, 0x01, 0x00});  // inc rbx;  mov eax, ...
    EXPECT_FALSE(processor.run_to_halt(code + 0xffa));
    EXPECT_EQ(processor.stopped_in_vector(), 14);
    EXPECT_EQ(error_code(), 0x10u);
    EXPECT_EQ(processor.cpu.state.cr2, code + 0x1000);
    EXPECT_EQ(fault_ip(), code + 0xffd);
    EXPECT_EQ(processor[RBX], 1u);
}

TEST_F(Memory, ReservedBitsAreReported) {
    map(data, data | 7 | std::uint64_t{1} << 51);
    processor.place(code, {0x48, 0x8b, 0x07, 0xf4});
    processor[RDI] = data;
    EXPECT_FALSE(processor.run_to_halt());
    EXPECT_EQ(error_code(), 9u);
}

TEST_F(Memory, NonCanonicalAddressesAreAGeneralProtectionFault) {
    processor.place(code, {0x48, 0x8b, 0x07, 0xf4});
    processor[RDI] = std::uint64_t{1} << 47;
    EXPECT_FALSE(processor.run_to_halt());
    EXPECT_EQ(processor.stopped_in_vector(), 13);
}

TEST_F(Memory, TranslationsStayUntilTheyAreFlushed) {
    processor.place(code, {0x48, 0x8b, 0x07, 0xf4});  // mov rax, [rdi]
    processor.place(code + 0x10,
                    {0x0f, 0x01, 0x3f, 0x48, 0x8b, 0x07, 0xf4});  // invlpg [rdi];  mov rax, [rdi]
    processor.place(code + 0x20,
                    {0x0f, 0x20, 0xd8, 0x0f, 0x22, 0xd8, 0x48, 0x8b, 0x07, 0xf4});  // reload CR3
    processor.write<std::uint64_t>(data, 1);
    processor.write<std::uint64_t>(0x50'0000, 2);
    processor.write<std::uint64_t>(0x51'0000, 3);
    processor[RDI] = data;
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(processor[RAX], 1u);
    map(data, 0x50'0000 | 7);
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(processor[RAX], 1u) << "remembered";
    EXPECT_TRUE(processor.run_to_halt(code + 0x10));
    EXPECT_EQ(processor[RAX], 2u);
    map(data, 0x51'0000 | 7);
    EXPECT_TRUE(processor.run_to_halt(code + 0x20));
    EXPECT_EQ(processor[RAX], 3u);
}

TEST_F(Memory, GlobalPagesSurviveALoadOfCr3) {
    processor.place(code, {0x0f, 0x20, 0xd8, 0x0f, 0x22, 0xd8, 0x48, 0x8b, 0x07, 0xf4});
    processor.write<std::uint64_t>(data, 1);
    processor.write<std::uint64_t>(0x50'0000, 2);
    map(data, data | 0x107);
    processor[RDI] = data;
    EXPECT_TRUE(processor.run_to_halt());
    map(data, 0x50'0000 | 7);
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(processor[RAX], 1u);
    processor.cpu.flush_tlb();
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(processor[RAX], 2u);
}

TEST_F(Memory, InvalidatingOneAddressForgetsItsWholeLargePage) {
    processor.write<std::uint64_t>(TestProcessor::tables + 0x2000 + 8, 0x20'0000 | 0x87);
    processor.place(code, {0x48, 0x8b, 0x07, 0xf4});
    processor.place(code + 0x10, {0x0f, 0x01, 0x3e, 0x48, 0x8b, 0x07, 0xf4});  // invlpg [rsi]
    processor.write<std::uint64_t>(data + 0x5000, 1);
    processor.write<std::uint64_t>(0x40'5000, 2);
    processor[RDI] = data + 0x5000;
    processor[x86::RSI] = data + 0x10'0000;
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(processor[RAX], 1u);
    processor.write<std::uint64_t>(TestProcessor::tables + 0x2000 + 8, 0x40'0000 | 0x87);
    EXPECT_TRUE(processor.run_to_halt(code + 0x10));
    EXPECT_EQ(processor[RAX], 2u);
}

TEST_F(Memory, RomIsReadDirectlyAndWritesToItGoToTheBus) {
    map(data, TestBus::rom | 7);
    processor.bus.rom_memory[0] = 0x5a;
    processor.place(code, {0x8a, 0x07, 0x88, 0x1f, 0x8a, 0x07,
                           0xf4});  // mov al, [rdi];  mov [rdi], bl;  mov al, [rdi]
    processor[RDI] = data;
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(processor[RAX], 0x5au);
    EXPECT_EQ(processor.bus.device_accesses, 1u);
}

TEST_F(Memory, EveryDeviceAccessReachesTheDevice) {
    map(data, TestBus::device | 7);
    std::uint64_t reads = 0;
    processor.bus.on_read = [&](std::uint64_t address, unsigned size) {
        EXPECT_EQ(address, TestBus::device + 4);
        EXPECT_EQ(size, 4u);
        return ++reads;
    };
    processor.place(code, {0x8b, 0x47, 0x04, 0x48, 0xff, 0xc9, 0x75, 0xf8,
                           0xf4});  // mov eax, [rdi+4];  dec rcx;  jnz
    processor[RDI] = data;
    processor[RCX] = 100;
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(reads, 100u);
    EXPECT_EQ(processor[RAX], 100u);
}

}  // namespace
}  // namespace backplane::interp::testing
