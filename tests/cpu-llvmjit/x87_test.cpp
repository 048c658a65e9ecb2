// x87 instructions in compiled code, where something happens while their registers are in the
// host's unit.
#include "both_engines.h"
#include "x86/vector.h"
#include "x86/x87_stack.h"

#include <array>

namespace backplane::jit::testing {
namespace {

using x86::RAX, x86::RBX, x86::RCX, x86::RDI, x86::RSI, x86::RSP, x86::Vector;

struct X87 : BothEngines {
    X87() {
        on_both([](TestProcessor& processor) {
            processor[RSI] = data;
            for (unsigned i = 0; i < 64; ++i)
                processor.write(data + 8 * i, 1.0 + i / 7.0);
        });
    }

    std::uint64_t executed(Counter which) { return compiled.cpu.counters()[which]; }
    bool stopped_in(Vector vector) {
        return compiled.stopped_in_vector() == static_cast<int>(vector);
    }
};

// fld1;  again: fadd qword [rsi];  fmul qword [rsi + 8];  fxch;  dec ecx;  jnz again
TEST_F(X87, StaysInTheHostsUnitAroundALoop) {
    on_both([](TestProcessor& processor) { processor[RCX] = 1000; });
    run({0xd9, 0xe8, 0xdc, 0x06, 0xdc, 0x4e, 0x08, 0xd9, 0xc9, 0xff, 0xc9, 0x75, 0xf5});
    EXPECT_LT(executed(Counter::X87Loads), 10u);
    EXPECT_EQ(compiled.cpu.state.x87.last_instruction, code + 7);
    EXPECT_EQ(compiled.cpu.state.x87.last_data, data + 8);
    EXPECT_EQ(compiled.cpu.state.x87.last_instruction_selector, 8);
    EXPECT_EQ(compiled.cpu.state.x87.last_data_selector, 0x10);
}

// The host's unit as its own code expects it, whatever the guest has in it: looked at by a device.
TEST_F(X87, IsTheHostsOwnOutsideOfCompiledCode) {
    constexpr std::uint64_t device = interp::testing::TestBus::device;
    compiled.map(device, device);
    std::array<std::uint32_t, 7> environment{};
    compiled.bus.on_read = [&](std::uint64_t, unsigned) {
        asm volatile("fnstenv %0\n\tfldcw %0" : "+m"(environment));
        return std::uint64_t{0};
    };
    // fldcw [rsi];  fld1 six times;  fdiv st(0), st(1);  mov eax, [rdi];  fadd st(0), st(2);  hlt
    compiled.place(code, {0xd9, 0x2e, 0xd9, 0xe8, 0xd9, 0xe8, 0xd9, 0xe8, 0xd9, 0xe8, 0xd9,
                          0xe8, 0xd9, 0xeb, 0xd8, 0xf1, 0x8b, 0x07, 0xd8, 0xc2, 0xf4});
    compiled.write<std::uint16_t>(data, 0x0c7f);  // single precision, towards zero
    compiled[RDI] = device;
    ASSERT_TRUE(compiled.run_to_halt());
    EXPECT_EQ(environment[0] & 0xffff, 0x37fu);
    EXPECT_EQ(environment[1] & x86::x87_status::top, 0u);
    EXPECT_EQ(environment[2] & 0xffff, 0xffffu);
    EXPECT_EQ(compiled.cpu.state.x87.control, 0xc7f);
    EXPECT_EQ(compiled.cpu.state.x87.valid, 0xfc);
    EXPECT_GE(executed(Counter::X87Loads), 2u);
}

// fldz;  fld1;  fldcw [rsi];  fdiv st(0), st(1);  fadd st(0), st(1), with #Z unmasked
TEST_F(X87, IsLeftWhenAnExceptionIsUnmasked) {
    on_both([](TestProcessor& processor) { processor.write<std::uint16_t>(data, 0x37b); });
    run({0xd9, 0xee, 0xd9, 0xe8, 0xd9, 0x2e, 0xd8, 0xf1, 0xd8, 0xc1});
    EXPECT_TRUE(stopped_in(Vector::FloatingPoint));
    EXPECT_EQ(compiled.read<std::uint64_t>(compiled[RSP]), code + 8) << "the waiting instruction";
}

// The same by FLDENV, which also brings a pending exception: fnstenv [rsi + 64];  mov word [rsi +
// 64], 0x37b;  mov word [rsi + 68], 4;  fldenv [rsi + 64];  fld1
TEST_F(X87, IsNotTakenWithAPendingException) {
    run({0xd9, 0xe8, 0xd9, 0x76, 0x40, 0x66, 0xc7, 0x46, 0x40, 0x7b, 0x03,
         0x66, 0xc7, 0x46, 0x44, 0x04, 0x00, 0xd9, 0x66, 0x40, 0xd9, 0xe8});
    EXPECT_TRUE(stopped_in(Vector::FloatingPoint));
    EXPECT_EQ(compiled.read<std::uint64_t>(compiled[RSP]), code + 20);
}

// fld1;  mov rax, cr0;  or eax, 8;  mov cr0, rax;  fld1;  fadd
TEST_F(X87, IsGoneWhenATaskSwitchIsPending) {
    run({0xd9, 0xe8, 0x0f, 0x20, 0xc0, 0x83, 0xc8, 0x08, 0x0f, 0x22, 0xc0, 0xd9, 0xe8, 0xde, 0xc1});
    EXPECT_TRUE(stopped_in(Vector::DeviceNotAvailable));
    EXPECT_EQ(compiled.read<std::uint64_t>(compiled[RSP]), code + 11);
    EXPECT_EQ(compiled.cpu.state.x87.valid, 0x80);
}

// fld1;  fld qword [rsi];  fld tbyte [rdi], which goes on in a page that is not there;  fadd
TEST_F(X87, FaultsInFrontOfTheInstruction) {
    on_both([](TestProcessor& processor) {
        processor[RDI] = data + 0xff8;
        processor.write<std::uint64_t>(processor.entry(data + 0x1000), 0);
    });
    run({0xd9, 0xe8, 0xdd, 0x06, 0xdb, 0x2f, 0xde, 0xc1});
    EXPECT_TRUE(stopped_in(Vector::PageFault));
    EXPECT_EQ(compiled.cpu.state.cr2, data + 0x1000);
    EXPECT_EQ(compiled.cpu.state.x87.last_data, data) << "of what was executed";
    EXPECT_EQ(compiled.cpu.state.x87.last_instruction, code + 2);
}

// The last data's address is that of when it was used: fld qword [rsi + rbx * 8];  add rsi, 24;
// mov ebx, 5;  fst qword [rdi], a page fault
TEST_F(X87, KeepsTheAddressOfTheLastData) {
    on_both([](TestProcessor& processor) {
        processor[RBX] = 3;
        processor[RDI] = 0x4000'0000;
    });
    run({0xdd, 0x04, 0xde, 0x48, 0x83, 0xc6, 0x18, 0xbb, 0x05, 0x00, 0x00, 0x00, 0xdd, 0x17});
    EXPECT_TRUE(stopped_in(Vector::PageFault));
    EXPECT_EQ(compiled.cpu.state.x87.last_data, data + 24);
}

// fld1;  fldl2t;  fadd qword [rsi];  fnsave [rsi + 512];  fldpi;  fxsave64 [rsi + 1024];
// frstor [rsi + 512];  fmul
TEST_F(X87, IsInImagesAsTheInterpreterHasIt) {
    run({0xd9, 0xe8, 0xd9, 0xe9, 0xdc, 0x06, 0xdd, 0xb6, 0x00, 0x02, 0x00, 0x00, 0xd9, 0xeb, 0x48,
         0x0f, 0xae, 0x86, 0x00, 0x04, 0x00, 0x00, 0xdd, 0xa6, 0x00, 0x02, 0x00, 0x00, 0xde, 0xc9});
    EXPECT_EQ(compiled.read<std::uint32_t>(data + 512 + 12), code + 4) << "FIP";
    EXPECT_EQ(compiled.read<std::uint32_t>(data + 512 + 20), data) << "FDP";
}

// fld1;  fld qword [rsi];  movq mm1, [rsi];  paddd mm1, mm7;  emms;  fld1;  fadd qword [rsi + 8]
TEST_F(X87, SharesItsRegistersWithMmx) {
    run({0xd9, 0xe8, 0xdd, 0x06, 0x0f, 0x6f, 0x0e, 0x0f, 0xfe, 0xcf, 0x0f, 0x77, 0xd9, 0xe8, 0xdc,
         0x46, 0x08});
    EXPECT_EQ(compiled.cpu.state.x87.valid, 0x80);
}

// FNSTSW where RAX is needed for flags, and where it is not: fld qword [rsi];  cmp ebx, 1;  fnstsw
// ax;  setc cl;  fcomp qword [rsi + 8];  fnstsw ax;  and ah, 0x45;  setz ch
TEST_F(X87, StoresItsStatusBesideFlags) {
    on_both([](TestProcessor& processor) { processor[RAX] = 0x1122'3344'5566'7788; });
    run({0xdd, 0x06, 0x83, 0xfb, 0x01, 0xdf, 0xe0, 0x0f, 0x92, 0xc1, 0xdc,
         0x5e, 0x08, 0xdf, 0xe0, 0x80, 0xe4, 0x45, 0x0f, 0x94, 0xc5});
    EXPECT_EQ(compiled[RCX] & 0xffff, 1u);
    EXPECT_EQ(compiled[RAX] >> 16, 0x1122'3344'5566u);
}

// fld1;  fldz;  fcomi st(0), st(1);  fcmovb st(0), st(1);  adc ebx, 0;  fucomip st(0), st(1)
TEST_F(X87, ComparesIntoTheFlags) {
    run({0xd9, 0xe8, 0xd9, 0xee, 0xdb, 0xf1, 0xda, 0xc1, 0x83, 0xd3, 0x00, 0xdf, 0xe9});
    EXPECT_EQ(compiled[RBX], 1u);
    EXPECT_EQ(compiled.cpu.state.full_rflags() & x86::rflags::arithmetic, x86::rflags::zf);
}

}  // namespace
}  // namespace backplane::jit::testing
