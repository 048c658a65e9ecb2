// A processor saved anywhere and restored into another one goes on exactly as the first does.
#include "interp/interpreted_processor.h"

#include <backplane/testing/device_bench.h>
#include <backplane/testing/fake_connections.h>
#include <backplane/testing/round_trip.h>

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace backplane::interp::testing {
namespace {

using backplane::testing::DeviceBench, backplane::testing::FakeInterruptController,
    backplane::testing::FlatMemory, backplane::testing::state_difference;

// 16-bit code that keeps every part of the state busy:
//   ldmxcsr [800h];  fldcw [804h];  fld1;  mov bp, 400
//   again: add ax, 7b31h;  adc bx, ax;  rcl dx, 1;  push bx;  pop si;  and si, 7fffh;  mov [900h],
//   si fild word [900h];  fsqrt;  faddp;  fst dword [904h];  cvtsi2sd xmm1, eax;  addsd xmm2, xmm1
//   divsd xmm2, xmm1;  paddq xmm3, xmm2;  mov di, a00h;  mov cx, 5;  rep stosb
//   sti;  nop;  cli;  push ss;  pop ss;  inc edx;  dec bp;  jnz again;  hlt
constexpr std::array<std::uint8_t, 78> program{
    0x0f, 0xae, 0x16, 0x00, 0x08, 0xd9, 0x2e, 0x04, 0x08, 0xd9, 0xe8, 0xbd, 0x90, 0x01, 0x05, 0x31,
    0x7b, 0x11, 0xc3, 0xd1, 0xd2, 0x53, 0x5e, 0x81, 0xe6, 0xff, 0x7f, 0x89, 0x36, 0x00, 0x09, 0xdf,
    0x06, 0x00, 0x09, 0xd9, 0xfa, 0xde, 0xc1, 0xd9, 0x16, 0x04, 0x09, 0xf2, 0x0f, 0x2a, 0xc8, 0xf2,
    0x0f, 0x58, 0xd1, 0xf2, 0x0f, 0x5e, 0xd1, 0x66, 0x0f, 0xd4, 0xda, 0xbf, 0x00, 0x0a, 0xb9, 0x05,
    0x00, 0xf3, 0xaa, 0xfb, 0x90, 0xfa, 0x16, 0x17, 0x66, 0x42, 0x4d, 0x75, 0xc1, 0xf4};
// inc word [910h];  iret
constexpr std::array<std::uint8_t, 5> interrupt_handler{0xff, 0x06, 0x10, 0x09, 0xcf};
// push cx;  mov cx, 20;  loop;  pop cx;  inc word [912h];  iret
constexpr std::array<std::uint8_t, 12> nmi_handler{0x51, 0xb9, 0x14, 0x00, 0xe2, 0xfe,
                                                   0x59, 0xff, 0x06, 0x12, 0x09, 0xcf};
constexpr std::int64_t whole = 12'000;

struct Bench {
    Bench()
        : device{Declaration<InterpretedProcessor>::device_type(),
                 {{"block-memory", Bytes{4 << 20}}}} {
        device.connect("memory", memory)
            .connect("io", io)
            .connect("interrupt-controller", controller);
        EXPECT_TRUE(device.power_on()) << device.failure();
        cpu = device.service<backplane_cpu>("cpu");
    }

    void prepare() {
        const auto place = [&](std::size_t address, const auto& code) {
            std::copy(code.begin(), code.end(), memory.bytes.begin() + static_cast<long>(address));
        };
        place(0x1000, program);
        place(0x700, interrupt_handler);
        place(0x720, nmi_handler);
        place(0x800, std::array<std::uint8_t, 6>{0x80, 0x5f, 0, 0, 0x7f, 0x0a});
        place(0x80, std::array<std::uint8_t, 4>{0x00, 0x07, 0, 0});
        place(0x08, std::array<std::uint8_t, 4>{0x20, 0x07, 0, 0});
        controller.vectors = {0x20};
        set("cs.base", 0);
        set("cs", 0);
        set("rip", 0x1000);
        set("rsp", 0x6000);
        set("cr4", 0x600);
    }

    void set(std::string_view name, std::uint64_t value) {
        for (std::uint32_t i = 0; i < cpu.call<&backplane_cpu::register_count>(); ++i)
            if (name == cpu.call<&backplane_cpu::register_info>(i)->name)
                EXPECT_TRUE(
                    cpu.call<&backplane_cpu::set_register>(i, static_cast<const void*>(&value)));
    }

    std::uint32_t run(std::int64_t budget) { return cpu.call<&backplane_cpu::run>(budget); }

    void copy_from(const Bench& other, const DeviceBench::SavedState& saved) {
        memory.bytes = other.memory.bytes;
        controller.vectors = other.controller.vectors;
        device.restore(saved);
    }

    FlatMemory memory{1 << 20}, io{0};
    FakeInterruptController controller;
    DeviceBench device;
    Connection<backplane_cpu> cpu;
};

std::string difference(const Bench& first, const Bench& second) {
    if (first.memory.bytes != second.memory.bytes) return "memory differs";
    return state_difference(first.device.save(), second.device.save());
}

TEST(Snapshot, OfEveryMomentGoesOnAsTheOriginalDoes) {
    for (std::int64_t split = 0; split < whole; split += split < 300 ? 1 : 701) {
        Bench first, second;
        first.prepare();
        first.run(split);
        // Some NMIs come while another is handled: then one waits.
        if (split % 3 == 0) first.device.set_line("nmi", true);
        if (split % 5 == 0) first.device.set_line("intr", true);
        first.run(split % 4);
        if (split % 3 == 0) {
            first.device.set_line("nmi", false);
            first.device.set_line("nmi", true);
        }
        second.copy_from(first, first.device.save());
        ASSERT_EQ(difference(first, second), "") << "restored after " << split;
        ASSERT_EQ(first.run(whole), second.run(whole));
        ASSERT_EQ(difference(first, second), "") << "later, saved after " << split;
    }
}

TEST(Snapshot, IsOfTheWholeProgram) {
    Bench bench;
    bench.prepare();
    bench.device.set_line("intr", true);
    bench.device.set_line("nmi", true);
    EXPECT_EQ(bench.run(whole), BACKPLANE_CPU_HALTED_FOR_GOOD);
    EXPECT_EQ(bench.memory.bytes[0x910], 1);
    EXPECT_EQ(bench.memory.bytes[0x912], 1);
    EXPECT_GT(bench.device.statistic("rep_iterations"), 1000u);
    EXPECT_EQ(bench.device.statistic("interrupts"), 2u);
}

TEST(Snapshot, FieldsHaveNamesOfTheirOwn) {
    const backplane_device_type& type = *Declaration<InterpretedProcessor>::device_type();
    std::set<std::string> names;
    for (std::uint32_t i = 0; i < type.state_count; ++i)
        EXPECT_TRUE(names.insert(type.state[i].name).second) << type.state[i].name;
}

}  // namespace
}  // namespace backplane::interp::testing
