// 32-byte accesses through the engine's ways to memory: within a page, across two, to devices.
#include "test_processor.h"

#include <gtest/gtest.h>

#include <array>

namespace backplane::interp::testing {
namespace {

using x86::RDI, x86::RSI;
constexpr std::uint64_t code = TestProcessor::code, data = TestProcessor::data;
using Ymm = std::array<std::uint8_t, 32>;

void enable_avx(TestProcessor& processor) {
    processor.cpu.state.cr4 |= 1u << 9 | 1u << 18;
    processor.cpu.state.xcr0 = 7;
}

Ymm counting(std::uint8_t first) {
    Ymm bytes;
    for (std::uint8_t& byte : bytes)
        byte = first++;
    return bytes;
}

TEST(Avx, LoadsAndStoresAcrossPages) {
    for (const std::uint64_t inside : {0u, 1u, 8u, 16u, 31u, 32u}) {
        TestProcessor processor;
        enable_avx(processor);
        const std::uint64_t from = data + 0x1000 - inside, to = data + 0x3000 - inside;
        const Ymm bytes = counting(7);
        std::memcpy(processor.bus.ram.data() + from, bytes.data(), bytes.size());
        processor[RSI] = from;
        processor[RDI] = to;
        // vmovdqu ymm0, [rsi];  vpaddb ymm1, ymm0, [rsi];  vmovdqu [rdi], ymm1;  hlt
        processor.place(
            code, {0xc5, 0xfe, 0x6f, 0x06, 0xc5, 0xfd, 0xfc, 0x0e, 0xc5, 0xfe, 0x7f, 0x0f, 0xf4});
        ASSERT_TRUE(processor.run_to_halt());
        EXPECT_EQ(processor.cpu.state.vectors[0].bytes, bytes);
        for (std::size_t i = 0; i < bytes.size(); ++i)
            ASSERT_EQ(processor.read<std::uint8_t>(to + i), 2 * bytes[i]) << inside << " " << i;
    }
}

TEST(Avx, AccessesDevicesInPiecesOfEightBytes) {
    TestProcessor processor;
    enable_avx(processor);
    processor.map(data, TestBus::device);
    std::vector<std::pair<std::uint64_t, std::uint64_t>> writes;
    processor.bus.on_write = [&](std::uint64_t address, unsigned size, std::uint64_t value) {
        EXPECT_EQ(size, 8u);
        writes.emplace_back(address - TestBus::device, value);
    };
    processor.bus.on_read = [](std::uint64_t address, unsigned size) {
        EXPECT_EQ(size, 8u);
        return (address - TestBus::device) * 0x1001;
    };
    processor[RDI] = data;
    // vmovdqu ymm0, [rdi + 40h];  vmovdqu [rdi], ymm0;  hlt
    processor.place(code, {0xc5, 0xfe, 0x6f, 0x47, 0x40, 0xc5, 0xfe, 0x7f, 0x07, 0xf4});
    ASSERT_TRUE(processor.run_to_halt());
    ASSERT_EQ(writes.size(), 4u);
    for (std::uint64_t i = 0; i < 4; ++i)
        EXPECT_EQ(writes[i], (std::pair{8 * i, (0x40 + 8 * i) * 0x1001}));
}

}  // namespace
}  // namespace backplane::interp::testing
