// Devices compute with the host's floating-point environment, and leave no trace in the guest's.
#include "test_processor.h"
#include "x86/guest_floating_point.h"

#include <gtest/gtest.h>

namespace backplane::interp::testing {
namespace {

using x86::RDI, x86::RDX;
namespace mxcsr = x86::mxcsr;
constexpr std::uint64_t code = TestProcessor::code, data = TestProcessor::data;

class HostEnvironment : public ::testing::TestWithParam<std::uint32_t> {};

TEST_P(HostEnvironment, IsTheHostsInDevicesAndTheGuestsAfterwards) {
    TestProcessor processor;
    processor.map(data, TestBus::device);
    unsigned seen = 0;
    const auto look = [&] {
        ++seen;
        EXPECT_EQ(x86::host_mxcsr() & ~mxcsr::flags, mxcsr::power_on);
        // Inexact, and a division by zero.
        volatile double value = 1;
        value = value / 3;
        volatile double zero = 0;
        value = value / zero;
    };
    processor.bus.on_write = [&](std::uint64_t, unsigned, std::uint64_t) { look(); };
    processor.bus.on_read = [&](std::uint64_t, unsigned) {
        look();
        return std::uint64_t{0};
    };
    processor.bus.on_acknowledge = [&] {
        look();
        processor.cpu.set_interrupt_request(false);
        return -1;
    };
    processor.cpu.state.mxcsr = GetParam();
    processor.cpu.state.rflags |= x86::rflags::if_;
    processor.cpu.set_interrupt_request(true);
    processor[RDI] = data;
    processor[RDX] = 0x80;
    // mov [rdi], eax;  mov eax, [rdi];  out dx, al;  in al, dx;  stmxcsr [rdi + 1000h]
    // divsd xmm1, xmm2 (1 / 3, rounded as the guest wants);  hlt
    const double one = 1, three = 3;
    std::memcpy(processor.cpu.state.vectors[1].bytes.data(), &one, 8);
    std::memcpy(processor.cpu.state.vectors[2].bytes.data(), &three, 8);
    processor.place(code, {0x89, 0x07, 0x8b, 0x07, 0xee, 0xec, 0x0f, 0xae, 0x9f, 0x00, 0x10, 0x00,
                           0x00, 0xf2, 0x0f, 0x5e, 0xca, 0xf4});
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(seen, 5u);
    EXPECT_EQ(processor.read<std::uint32_t>(data + 0x1000), GetParam());
    EXPECT_EQ(processor.cpu.state.mxcsr, GetParam() | mxcsr::precision);
    std::uint64_t quotient = 0;
    std::memcpy(&quotient, processor.cpu.state.vectors[1].bytes.data(), 8);
    const bool up = (GetParam() & mxcsr::rounding) == 2u << 13;
    EXPECT_EQ(quotient, 0x3fd5555555555555 + up);
    EXPECT_EQ(x86::host_mxcsr() & ~mxcsr::flags, mxcsr::power_on);
}

INSTANTIATE_TEST_SUITE_P(Controls, HostEnvironment,
                         ::testing::Values(0x1f80u, 0x1f81u, 0x5f80u, 0x3f80u, 0x9fc0u, 0x1d80u));

}  // namespace
}  // namespace backplane::interp::testing
