// What is remembered about pages and code is forgotten when the guest changes its tables and says
// so, or when something else comes to be where memory was.
#include "test_processor.h"

#include <gtest/gtest.h>

namespace backplane::interp::testing {
namespace {

using x86::R8, x86::R9, x86::RAX, x86::RBX, x86::RCX, x86::RDI, x86::RDX, x86::RSI, x86::RSP;
constexpr std::uint64_t code = TestProcessor::code, data = TestProcessor::data;
constexpr std::uint64_t global = 0x100;

// invlpg [rdi];  mov rax, [rsi];  hlt
constexpr std::initializer_list<int> invalidate_and_read{0x0f, 0x01, 0x3f, 0x48, 0x8b, 0x06, 0xf4};

TEST(LargePages, AreForgottenWholeAlsoWhenManyOthersCameSince) {
    TestProcessor processor;
    const auto large = [&](unsigned number, std::uint64_t physical) {
        processor.write<std::uint64_t>(TestProcessor::tables + 0x2000 + number * 8,
                                       physical | 0x87);
    };
    constexpr std::uint64_t first = 16u << 21;
    for (unsigned i = 0; i < 60; ++i)
        large(16 + i, 0x20'0000);
    processor.write<std::uint64_t>(data + 0x5000, 1);
    processor.write<std::uint64_t>(0x40'5000, 2);
    // mov rax, [rsi];  again: mov rbx, [rdi];  add rdi, rdx;  dec rcx;  jnz again;  hlt
    processor.place(code, {0x48, 0x8b, 0x06, 0x48, 0x8b, 0x1f, 0x48, 0x01, 0xd7, 0x48, 0xff, 0xc9,
                           0x75, 0xf5, 0xf4});
    processor[RSI] = first + 0x5000;
    processor[RDI] = first + (1u << 21) + 0x8000;
    processor[RDX] = 1u << 21;
    processor[RCX] = 59;
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(processor[RAX], 1u);
    large(16, 0x40'0000);
    processor.place(code + 0x100, invalidate_and_read);
    processor[RDI] = first + 0x10'0000;
    EXPECT_TRUE(processor.run_to_halt(code + 0x100));
    EXPECT_EQ(processor[RAX], 2u);
}

TEST(LargePages, OfCodeAreForgottenThroughAnyAddressInThem) {
    TestProcessor processor;
    constexpr std::uint64_t linear = 16u << 21;
    const auto map = [&](std::uint64_t physical) {
        processor.write<std::uint64_t>(TestProcessor::tables + 0x2000 + 16 * 8, physical | 0x87);
    };
    map(0x20'0000);
    processor.place(0x20'3000, {0xb3, 0x01, 0xf4});
    processor.place(0x40'3000, {0xb3, 0x02, 0xf4});
    EXPECT_TRUE(processor.run_to_halt(linear + 0x3000));
    EXPECT_EQ(processor[RBX], 1u);
    map(0x40'0000);
    processor.place(code, {0x0f, 0x01, 0x3f, 0xff, 0xe6});  // invlpg [rdi];  jmp rsi
    processor[RDI] = linear + 0x1f'0000;
    processor[RSI] = linear + 0x3000;
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(processor[RBX], 2u);
}

class CrossingInstruction : public ::testing::Test {
protected:
    static constexpr std::uint64_t at = code + 0xffe, other_page = 0x50'0000;

    CrossingInstruction() {
        processor.place(at, {0xb8, 0x11, 0x22, 0x00, 0x00, 0xf4});  // mov eax, 2211h;  hlt
        processor.place(other_page, {0x33, 0x00, 0x00, 0xf4});
    }

    void map_second(std::uint64_t physical) { processor.map(code + 0x1000, physical); }

    TestProcessor processor;
};

TEST_F(CrossingInstruction, IsDecodedAnewWhenItsSecondPageIsInvalidated) {
    EXPECT_TRUE(processor.run_to_halt(at));
    EXPECT_EQ(processor[RAX], 0x2211u);
    map_second(other_page);
    processor.place(code, {0x0f, 0x01, 0x3f, 0xff, 0xe6});  // invlpg [rdi];  jmp rsi
    processor[RDI] = code + 0x1000;
    processor[RSI] = at;
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(processor[RAX], 0x3311u);
    map_second(code + 0x1000);
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(processor[RAX], 0x2211u);
}

TEST_F(CrossingInstruction, IsDecodedAnewAfterALoadOfCr3WhenOnlyItsFirstPageIsGlobal) {
    processor.map(code, code, TestProcessor::entry_flags | global);
    EXPECT_TRUE(processor.run_to_halt(at));
    map_second(other_page);
    processor.place(code, {0x0f, 0x20, 0xd8, 0x0f, 0x22, 0xd8, 0xff, 0xe6});  // CR3;  jmp rsi
    processor[RSI] = at;
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(processor[RAX], 0x3311u);
}

TEST_F(CrossingInstruction, MayEndInADevice) {
    map_second(TestBus::device);
    std::uint8_t second = 0x40;
    unsigned reads = 0;
    processor.bus.on_read = [&](std::uint64_t address, unsigned) {
        ++reads;
        return address == TestBus::device       ? std::uint64_t{second}
               : address == TestBus::device + 3 ? 0xf4u
                                                : 0u;
    };
    EXPECT_TRUE(processor.run_to_halt(at));
    EXPECT_EQ(processor[RAX], 0x4011u);
    second = 0x50;
    EXPECT_TRUE(processor.run_to_halt(at));
    EXPECT_EQ(processor[RAX], 0x5011u) << "read anew each time";
    EXPECT_FALSE(processor.bus.watched.contains(TestBus::device));
}

TEST(MappedCode, ChangesUnderTheBlockThatChangesIt) {
    TestProcessor processor;
    const std::uint64_t other = 0x50'0000;
    // mov [rsi], rax;  invlpg [rdi];  mov bl, 1;  hlt
    for (const std::uint64_t page : {code, other})
        processor.place(page,
                        {0x48, 0x89, 0x06, 0x0f, 0x01, 0x3f, 0xb3, page == code ? 1 : 2, 0xf4});
    processor[RAX] = other | TestProcessor::entry_flags;
    processor[RSI] = TestProcessor::entry(code);
    processor[RDI] = code;
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(processor[RBX], 2u);
}

TEST(MappedCode, FollowsTheAddressSpace) {
    TestProcessor processor;
    // A second set of tables that differs in one page.
    constexpr std::uint64_t routine = 0x7000'0000, second_root = 0x5e'0000;
    processor.map(routine, 0x50'0000);
    std::memcpy(&processor.bus.ram[second_root], &processor.bus.ram[TestProcessor::tables], 0x1000);
    processor.write<std::uint64_t>(second_root, 0x5e'1000 | 7);
    processor.write<std::uint64_t>(0x5e'1000,
                                   processor.read<std::uint64_t>(TestProcessor::tables + 0x1000));
    processor.cpu.state.cr3 = second_root;
    processor.map(routine, 0x51'0000);
    processor.cpu.state.cr3 = TestProcessor::tables;
    processor.cpu.state_replaced();
    processor.place(0x50'0000, {0x48, 0xff, 0xc0, 0xc3});        // inc rax;  ret
    processor.place(0x51'0000, {0x48, 0x83, 0xc0, 0x64, 0xc3});  // add rax, 100;  ret
    // again: call rsi;  mov cr3, r8;  call rsi;  mov cr3, r9;  dec rcx;  jnz again;  hlt
    processor.place(code, {0xff, 0xd6, 0x41, 0x0f, 0x22, 0xd8, 0xff, 0xd6, 0x41, 0x0f, 0x22, 0xd9,
                           0x48, 0xff, 0xc9, 0x75, 0xef, 0xf4});
    processor[RSI] = routine;
    processor[R8] = second_root;
    processor[R9] = TestProcessor::tables;
    processor[RCX] = 5;
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(processor[RAX], 505u);
}

TEST(MappedCode, MayLieAmongPageTableEntries) {
    TestProcessor processor;
    // mov rax, [rdi];  inc rbx;  hlt: in the place of one entry, and it uses the next one.
    const std::uint64_t at = TestProcessor::entry(0x5f'0000);
    processor.place(at, {0x48, 0x8b, 0x07, 0x48, 0xff, 0xc3, 0xf4});
    processor[RDI] = 0x5f'1000;
    EXPECT_TRUE(processor.run_to_halt(at));
    EXPECT_EQ(processor[RBX], 1u);
    EXPECT_EQ(processor.read<std::uint64_t>(TestProcessor::entry(0x5f'1000)) & 0x20, 0x20u);
}

TEST(CodeInADevice, MayBeFetchedAfterAnAccessByAnotherBlock) {
    TestProcessor processor;
    processor.map(data, TestBus::device);
    std::vector<std::uint64_t> counts;
    // inc rbx;  hlt
    constexpr std::uint8_t bytes[16] = {0x48, 0xff, 0xc3, 0xf4};
    processor.bus.on_read = [&](std::uint64_t address, unsigned) {
        counts.push_back(processor.cpu.instructions());
        return std::uint64_t{bytes[address & 15]};
    };
    // nop;  nop;  mov al, [rdi];  jmp rdi
    processor.place(code, {0x90, 0x90, 0x8a, 0x07, 0xff, 0xe7});
    processor[RDI] = data;
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(processor[RBX], 1u);
    EXPECT_EQ(counts.front(), 2u);
    EXPECT_EQ(counts[1], 4u);
    EXPECT_EQ(counts.back(), 5u);
}

TEST(PhysicalMap, ChangesWhereItIsSaidTo) {
    TestProcessor processor;
    constexpr std::uint64_t moved = code + 0x2000;
    processor.place(code, {0xff, 0xe7});         // jmp rdi
    processor.place(moved, {0xb0, 0x01, 0xf4});  // mov al, 1;  hlt
    processor[RDI] = moved;
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(processor[RAX] & 0xff, 1u);
    const Block* stays = processor.cpu.blocks_at(code).at(0);

    processor.bus.ram[moved + 1] = 2;  // is something else now
    processor.cpu.post_map_change(moved + 0x1000, 0x1000);
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(processor[RAX] & 0xff, 1u) << "elsewhere";
    processor.cpu.post_map_change(moved + 0x800, 0x100);
    processor.cpu.post_map_change(data, 0x1000);
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(processor[RAX] & 0xff, 2u);
    EXPECT_EQ(processor.cpu.blocks_at(code).at(0), stays);

    processor.bus.ram[moved + 1] = 3;
    processor.cpu.post_map_change();
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(processor[RAX] & 0xff, 3u);
}

}  // namespace
}  // namespace backplane::interp::testing
