// 32-bit code whose segments begin at zero and end nowhere, which an engine need not check, and
// what happens when they no longer do.
#include "code32_processor.h"

#include <gtest/gtest.h>

namespace backplane::interp::testing {
namespace {

using x86::RAX, x86::RBP, x86::RBX, x86::RCX, x86::RDI, x86::RDX, x86::RSI, x86::RSP, x86::Vector;
using P = Code32Processor;
constexpr std::uint64_t code = P::code, data = P::data;
constexpr std::uint32_t first = 0x1111'1111, second = 0x2222'2222;

class FlatSegments : public ::testing::Test {
protected:
    FlatSegments() {
        processor.write(data, first);
        processor.write(data + P::base, second);
        processor[RBX] = data;
    }

    std::uint64_t fault_ip() const {
        return processor.read<std::uint64_t>(processor.cpu.state.gpr[RSP] + 8);
    }

    P processor;
};

// ---- Segments that change under code that has run ----

// A data segment register: its prefix, and the ModRM byte of MOV to it from EAX.
struct DataSegment {
    int prefix, load;
};

class FlatDataSegments : public FlatSegments, public ::testing::WithParamInterface<DataSegment> {
protected:
    // Reads [EBX] to ECX, loads the segment from AX, and reads to ECX by the same instruction.
    bool read_before_and_with(std::uint64_t selector) {
        const auto [prefix, load] = GetParam();
        processor[RAX] = selector;
        processor[RCX] = 0;
        // call 1f;  mov sreg, eax;  call 1f;  hlt;  nop * 3;  1: mov ecx, sreg:[ebx];  ret
        return processor.run32({0xe8, 0x0b, 0,    0,    0,    0x8e, load,   0xe8, 4,    0,
                                0,    0,    0xf4, 0x90, 0x90, 0x90, prefix, 0x8b, 0x0b, 0xc3});
    }
};

TEST_P(FlatDataSegments, MayGetABase) {
    EXPECT_TRUE(read_before_and_with(P::flat));
    EXPECT_EQ(processor[RCX], first);
    EXPECT_TRUE(read_before_and_with(P::based));
    EXPECT_EQ(processor[RCX], second);
    EXPECT_TRUE(read_before_and_with(P::flat));
    EXPECT_EQ(processor[RCX], first);
}

TEST_P(FlatDataSegments, MayGetALimit) {
    for (const std::uint16_t selector : {P::bounded, std::uint16_t{0}}) {
        EXPECT_TRUE(read_before_and_with(P::flat));
        EXPECT_FALSE(read_before_and_with(selector)) << selector;
        EXPECT_EQ(processor.first_fault, Vector::GeneralProtection);
        EXPECT_EQ(fault_ip(), code + 0x10);
        EXPECT_EQ(processor[RCX], first) << "read before";
    }
    EXPECT_TRUE(read_before_and_with(P::downward)) << "the data are above its limit";
    processor[RBX] = 0x800;
    EXPECT_FALSE(read_before_and_with(P::downward));
    EXPECT_EQ(processor.first_fault, Vector::GeneralProtection);
}

TEST_P(FlatDataSegments, MayBecomeReadOnly) {
    const auto [prefix, load] = GetParam();
    EXPECT_TRUE(read_before_and_with(P::read_only));
    processor[RAX] = P::read_only;
    processor[RCX] = 7;
    // The write in place of the read: mov sreg:[ebx], ecx
    EXPECT_FALSE(processor.run32({0xe8, 0x0b, 0,    0,    0,    0x8e, load,   0xe8, 4,    0,
                                  0,    0,    0xf4, 0x90, 0x90, 0x90, prefix, 0x89, 0x0b, 0xc3}));
    EXPECT_EQ(processor.first_fault, Vector::GeneralProtection);
    EXPECT_EQ(processor.read<std::uint32_t>(data), 7u) << "written before";
}

INSTANTIATE_TEST_SUITE_P(DsAndEs, FlatDataSegments,
                         ::testing::Values(DataSegment{0x3e, 0xd8}, DataSegment{0x26, 0xc0}),
                         [](const auto& info) { return info.param.prefix == 0x3e ? "Ds" : "Es"; });

TEST_F(FlatSegments, ChangeBetweenTwoInstructionsOfABlock) {
    processor[RAX] = P::based;
    // mov ecx, [ebx];  push eax;  pop ds;  mov edx, [ebx];  push 10h;  pop ds;  mov esi, [ebx];
    // hlt
    EXPECT_TRUE(
        processor.run32({0x8b, 0x0b, 0x50, 0x1f, 0x8b, 0x13, 0x6a, 0x10, 0x1f, 0x8b, 0x33, 0xf4}));
    EXPECT_EQ(processor[RCX], first);
    EXPECT_EQ(processor[RDX], second);
    EXPECT_EQ(processor[RSI], first);
}

TEST_F(FlatSegments, ChangeWithTheStack) {
    processor[RAX] = P::based;
    processor[RSP] = P::stack;
    processor[RCX] = first;
    // push ecx;  mov ss, eax;  push ebx;  push ecx;  pop edx;  hlt
    EXPECT_TRUE(processor.run32({0x51, 0x8e, 0xd0, 0x53, 0x51, 0x5a, 0xf4}));
    EXPECT_EQ(processor.read<std::uint32_t>(P::stack - 4), first);
    EXPECT_EQ(processor.read<std::uint32_t>(P::stack - 8 + P::base), data);
    EXPECT_EQ(processor.read<std::uint32_t>(P::stack - 12 + P::base), first);
    EXPECT_EQ(processor[RDX], first);
    EXPECT_EQ(processor[RSP], P::stack - 8);
}

TEST_F(FlatSegments, AreNotAllWhereTheStackPointerHas16Bits) {
    processor.write<std::uint64_t>(P::gdt + P::based, 0x008f'9300'0000'ffff);
    processor[RAX] = P::based;
    processor[RSP] = 0x0012'0000;
    // mov ss, eax;  push ecx;  hlt
    EXPECT_TRUE(processor.run32({0x8e, 0xd0, 0x51, 0xf4}));
    EXPECT_EQ(processor[RSP], 0x0012'fffcu);
    EXPECT_EQ(processor.read<std::uint32_t>(0xfffc), static_cast<std::uint32_t>(processor[RCX]));
}

TEST_F(FlatSegments, AreLoadedAnewWithoutLeavingTheBlock) {
    processor[RAX] = P::flat;
    // mov ds, eax;  mov es, eax;  mov fs, eax;  mov gs, eax;  hlt
    EXPECT_TRUE(processor.run32({0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xe0, 0x8e, 0xe8, 0xf4}));
    EXPECT_EQ(processor.cpu.counters()[Counter::ExitsLeave], 1u) << "for HLT alone";
}

TEST_F(FlatSegments, HaveCodeForReadingOnly) {
    // mov ecx, cs:[ebx];  mov cs:[ebx], edx;  hlt
    EXPECT_FALSE(processor.run32({0x2e, 0x8b, 0x0b, 0x2e, 0x89, 0x13, 0xf4}));
    EXPECT_EQ(processor.first_fault, Vector::GeneralProtection);
    EXPECT_EQ(fault_ip(), code + 3);
    EXPECT_EQ(processor[RCX], first);
}

// ---- The end of the address space ----

TEST_F(FlatSegments, WrapAddressesAtFourGigabytes) {
    processor[RBX] = 0xffff'ffff;
    processor[RSI] = 0x4000'0001;
    // mov ecx, [ebx + data + 1];  mov edx, [esi * 4 + data - 4];  lea edi, [ebx + 10h];  hlt
    EXPECT_TRUE(processor.run32({0x8b, 0x8b, 0x01, 0x00, 0x20, 0x00, 0x8b, 0x14, 0xb5, 0xfc, 0xff,
                                 0x1f, 0x00, 0x8d, 0x7b, 0x10, 0xf4}));
    EXPECT_EQ(processor[RCX], first);
    EXPECT_EQ(processor[RDX], first);
    EXPECT_EQ(processor[RDI], 0xfu);
}

TEST_F(FlatSegments, AllowNoAccessBeyondFourGigabytes) {
    processor.map(0xffff'f000, data);
    processor.write(data + 0xffc, second);
    processor[RBX] = 0xffff'fffc;
    EXPECT_TRUE(processor.run32({0x8b, 0x0b, 0xf4}));  // mov ecx, [ebx]
    EXPECT_EQ(processor[RCX], second);
    for (const std::uint64_t address : {0xffff'fffd, 0xffff'ffff}) {
        processor[RBX] = address;
        EXPECT_FALSE(processor.run32());
        EXPECT_EQ(processor.first_fault, Vector::GeneralProtection);
    }
    EXPECT_TRUE(processor.run32({0x8a, 0x0b, 0xf4}));  // mov cl, [ebx]
    // A second access near the first: mov eax, [ebx];  mov ecx, [ebx + 2];  hlt
    processor[RBX] = 0xffff'fffc;
    EXPECT_FALSE(processor.run32({0x8b, 0x03, 0x8b, 0x4b, 0x02, 0xf4}));
    EXPECT_EQ(processor.first_fault, Vector::GeneralProtection);
    // mov eax, [ebx];  mov ecx, [ebx + 8];  hlt
    processor.write<std::uint32_t>(4, first);
    EXPECT_TRUE(processor.run32({0x8b, 0x03, 0x8b, 0x4b, 0x08, 0xf4}));
    EXPECT_EQ(processor[RCX], first);
}

TEST_F(FlatSegments, WrapTheStackPointer) {
    processor.map(0xffff'f000, data);
    processor[RSP] = 0;
    // push ebx;  push 5;  pop ecx;  pop edx;  hlt
    EXPECT_TRUE(processor.run32({0x53, 0x6a, 0x05, 0x59, 0x5a, 0xf4}));
    EXPECT_EQ(processor.read<std::uint32_t>(data + 0xffc), data);
    EXPECT_EQ(processor[RCX], 5u);
    EXPECT_EQ(processor[RDX], data);
    EXPECT_EQ(processor[RSP], 0u);
    processor[RSP] = 2;
    EXPECT_FALSE(processor.run32());
    EXPECT_EQ(processor.first_fault, Vector::StackFault);
}

TEST_F(FlatSegments, WrapAddressesOf16BitsWhereTheyEnd) {
    processor.write<std::uint32_t>(0x10, second);
    processor[RBX] = 0x1234'0005;
    EXPECT_TRUE(processor.run32({0x67, 0x8b, 0x4f, 0x0b, 0xf4}));  // mov ecx, [bx + 0bh]
    EXPECT_EQ(processor[RCX], second);
}

// ---- FS and GS ----

class BasedSegment : public FlatSegments {
protected:
    // The same code for all of them: mov gs, eax;  mov ecx, gs:[ebx];  hlt
    bool read_with(std::uint64_t selector, std::uint64_t offset) {
        processor[RAX] = selector;
        processor[RBX] = offset;
        return processor.run32({0x8e, 0xe8, 0x65, 0x8b, 0x0b, 0xf4});
    }

    void expect_fault(std::uint64_t selector, std::uint64_t offset) {
        EXPECT_FALSE(read_with(selector, offset)) << selector << ' ' << offset;
        EXPECT_EQ(processor.first_fault, Vector::GeneralProtection);
        EXPECT_EQ(fault_ip(), code + 2);
    }
};

TEST_F(BasedSegment, IsReachedByItsBase) {
    EXPECT_TRUE(read_with(P::based, data));
    EXPECT_EQ(processor[RCX], second);
    EXPECT_TRUE(read_with(P::flat, data));
    EXPECT_EQ(processor[RCX], first);
    EXPECT_TRUE(read_with(P::high, data + 0x100)) << "the sum wraps";
    EXPECT_EQ(processor[RCX], first);
    processor.write(P::base - 4, second);
    EXPECT_TRUE(read_with(P::based, 0xffff'fffc)) << "below the base";
    EXPECT_EQ(processor[RCX], second);
}

TEST_F(BasedSegment, HasItsLimit) {
    EXPECT_TRUE(read_with(P::based, data));
    expect_fault(P::based, 0xffff'fffd);
    expect_fault(P::bounded, data);
    expect_fault(0, data);
    processor.write(0xffc, first);
    EXPECT_TRUE(read_with(P::bounded, 0xffc));
    EXPECT_EQ(processor[RCX], first);
    expect_fault(P::bounded, 0xffd);
    expect_fault(P::downward, 0xffc);
    EXPECT_TRUE(read_with(P::downward, data));
}

TEST_F(BasedSegment, MayBeReadOnly) {
    EXPECT_TRUE(read_with(P::read_only, data));
    EXPECT_EQ(processor[RCX], first);
    processor[RAX] = P::read_only;
    EXPECT_FALSE(processor.run32({0x8e, 0xe8, 0x65, 0x89, 0x0b, 0xf4}));  // mov gs:[ebx], ecx
    EXPECT_EQ(processor.first_fault, Vector::GeneralProtection);
}

TEST_F(BasedSegment, HasConstantOffsets) {
    processor[RAX] = P::based;
    processor.write(P::base + 0x14, second);
    processor.write(P::base - 8, first);
    // mov fs, eax;  mov ecx, fs:[14h];  mov eax, fs:[14h];  mov edx, fs:[-8];  hlt
    EXPECT_TRUE(
        processor.run32({0x8e, 0xe0, 0x64, 0x8b, 0x0d, 0x14, 0,    0,    0,    0x64, 0xa1, 0x14,
                         0,    0,    0,    0x64, 0x8b, 0x15, 0xf8, 0xff, 0xff, 0xff, 0xf4}));
    EXPECT_EQ(processor[RCX], second);
    EXPECT_EQ(processor[RAX], second);
    EXPECT_EQ(processor[RDX], first);
}

// ---- Branches ----

TEST(FlatCode, CallsAndReturnsWherePagesEnd) {
    P processor;
    // call 2010h (its last byte is the page's last);  inc ecx;  dec edx;  jnz;  hlt
    processor.place(code + 0xffb,
                    {0xe8, 0x10, 0x10, 0, 0, 0x41, 0x4a, 0x0f, 0x85, 0xf3, 0xff, 0xff, 0xff, 0xf4});
    processor.place(code + 0x2010, {0x47, 0xc3});  // inc edi;  ret
    processor[RDX] = 5;
    EXPECT_TRUE(processor.run32(code + 0xffb));
    EXPECT_EQ(processor[RCX], 5u);
    EXPECT_EQ(processor[RDI], 5u);
    EXPECT_EQ(processor[RSP], P::stack);
    EXPECT_EQ(processor.read<std::uint32_t>(P::stack - 4), code + 0x1000);
}

TEST(FlatCode, WrapsItsInstructionPointer) {
    P processor;
    processor.map(0xffff'e000, data);
    // call 0ffffe010h;  dec edx;  jnz;  hlt
    processor.place(0x400, {0xe8, 0x0b, 0xdc, 0xff, 0xff, 0x4a, 0x75, 0xf8, 0xf4});
    processor.place(data + 0x10, {0x46, 0xe9, 0x0a, 0x24, 0, 0});  // inc esi;  jmp 420h
    processor.place(0x420, {0x45, 0xc3});                          // inc ebp;  ret
    processor[RDX] = 4;
    processor[RBP] = 0;
    EXPECT_TRUE(processor.run32(0x400));
    EXPECT_EQ(processor[RSI], 4u);
    EXPECT_EQ(processor[RBP], 4u);
}

// ---- Registers ----

TEST(FlatCode, LeavesAndClearsUpperHalvesAsThereWereNone) {
    P processor;
    constexpr std::uint64_t upper = 0xdead'beef'0000'0000;
    processor.write(data, first);
    processor[RAX] = upper | 0x0102'0304;
    processor[RBX] = upper | data;
    processor[RCX] = upper;
    processor[RSP] = upper | P::stack;
    processor[RSI] = upper | 3;
    // mov ecx, [ebx];  mov al, 5;  inc si;  push ebx;  pop edx;  jmp 1f;  1: hlt
    EXPECT_TRUE(
        processor.run32({0x8b, 0x0b, 0xb0, 0x05, 0x66, 0x46, 0x53, 0x5a, 0xeb, 0x00, 0xf4}));
    EXPECT_EQ(processor[RAX], upper | 0x0102'0305);
    EXPECT_EQ(processor[RBX], upper | data);
    EXPECT_EQ(processor[RCX], first);
    EXPECT_EQ(processor[RDX], data);
    EXPECT_EQ(processor[RSP], P::stack);
    EXPECT_EQ(processor[RSI], upper | 4);
}

TEST(FlatCode, HasItsOwnEncodings) {
    P processor;
    processor.write(data, first);
    processor[RAX] = 0;
    processor[RCX] = 1;
    // stc;  inc edx;  dec edi;  adc ecx, 0;  add cl, 5 (82h);  mov eax, [data];  mov [data + 8],
    // al; hlt
    EXPECT_TRUE(processor.run32({0xf9, 0x42, 0x4f, 0x83, 0xd1, 0x00, 0x82, 0xc1, 0x05, 0xa1,
                                 0x00, 0x00, 0x20, 0x00, 0xa2, 0x08, 0x00, 0x20, 0x00, 0xf4}));
    EXPECT_EQ(processor[RCX], 7u);
    EXPECT_EQ(processor[RDX], 1u);
    EXPECT_EQ(processor[RDI], 0xffff'ffffu);
    EXPECT_EQ(processor[RAX], first);
    EXPECT_EQ(processor.read<std::uint64_t>(data + 8), 0x11u);
}

TEST(FlatCode, DoesNotReachVectorRegistersAboveTheEighth) {
    P processor;
    if (!test_model().has(x86::Feature::Avx)) GTEST_SKIP();
    x86::CpuState& state = processor.cpu.state;
    state.cr4 |= 1u << 18;
    state.xcr0 = 7;
    for (x86::VectorRegister& vector : state.vectors)
        vector.bytes.fill(0x55);
    EXPECT_TRUE(processor.run32({0xc5, 0xf8, 0x77, 0xf4}));  // vzeroupper;  hlt
    for (unsigned i = 0; i < 16; ++i) {
        EXPECT_EQ(state.vectors[i].bytes[15], 0x55) << i;
        EXPECT_EQ(state.vectors[i].bytes[16], i < 8 ? 0 : 0x55) << i;
    }
}

}  // namespace
}  // namespace backplane::interp::testing
