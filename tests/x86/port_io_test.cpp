// IN, OUT, INS, OUTS: data, progress, and who may (SDM 2, SDM 1 19.5).
#include "support/system_machine.h"

#include <gtest/gtest.h>

namespace backplane::x86 {
namespace {

using testing::SystemMachine;

constexpr int gp = 13, pf = 14;

TEST(PortAccess, MovesTheWidthOfTheAccumulator) {
    auto m = SystemMachine::in_long_mode(0);
    m.ports[0x60] = 0x11223344;
    m.state().gpr[RAX] = ~0ull;
    m.run({0xe4, 0x60});  // in al, 0x60
    EXPECT_EQ(m.state().gpr[RAX], 0xffffffffffffff44u);
    m.run({0x66, 0xe5, 0x60});
    EXPECT_EQ(m.state().gpr[RAX], 0xffffffffffff3344u);
    m.state().gpr[RDX] = 0x60;
    m.run({0xed});
    EXPECT_EQ(m.state().gpr[RAX], 0x11223344u);
    m.state().gpr[RDX] = 0xf0064;
    m.state().gpr[RAX] = 0xaabbccdd;
    m.run({0xee});
    EXPECT_EQ(m.ports[0x64], 0xddu);
    m.run({0xef});
    EXPECT_EQ(m.ports[0x64], 0xaabbccddu);
}

struct Permission {
    unsigned clear_port, port, width;
    bool allowed;
};

TEST(PortPermission, ComesFromTheBitmapForEveryBytePort) {
    for (const auto& [clear_port, port, width, allowed] : {Permission{0x60, 0x60, 1, true},
                                                           {0x60, 0x61, 1, false},
                                                           {0x60, 0x60, 2, false},
                                                           {0x60, 0x5f, 2, false},
                                                           {0x67, 0x67, 1, true},
                                                           {0x68, 0x67, 2, false}}) {
        auto m = SystemMachine::in_long_mode(3);
        m.put<std::uint16_t>(SystemMachine::task + 0x66, 0x68);
        for (unsigned i = 0; i < 0x100; ++i)
            m.put<std::uint8_t>(SystemMachine::task + 0x68 + i, 0xff);
        m.put<std::uint8_t>(SystemMachine::task + 0x68 + clear_port / 8,
                            static_cast<std::uint8_t>(~(1u << clear_port % 8)));
        m.state().gpr[RDX] = port;
        width == 1 ? m.run({0xec}) : m.run({0x66, 0xed});
        EXPECT_EQ(m.vector(), allowed ? -1 : gp) << port << " width " << width;
    }
}

TEST(PortPermission, NeedsTwoBytesOfBitmapWithinTheLimit) {
    auto m = SystemMachine::in_long_mode(3);
    m.put<std::uint16_t>(SystemMachine::task + 0x66, 0x68);
    m.state().gpr[RDX] = 0x60;
    m.state().tr.limit = 0x68 + 0x60 / 8 + 1;
    m.run({0xec});
    EXPECT_EQ(m.vector(), -1);
    m.state().tr.limit -= 1;
    m.run({0xec});
    EXPECT_EQ(m.vector(), gp);
    m.state().rflags |= rflags::iopl;
    m.run({0xec});
    EXPECT_EQ(m.vector(), -1) << "IOPL 3 needs no bitmap";
}

TEST(PortString, RepeatsAndAdvances) {
    auto m = SystemMachine::in_long_mode(0);
    m.ports[0x1f0] = 0xbeef;
    m.state().gpr[RDX] = 0x1f0;
    m.state().gpr[RDI] = 0x5000;
    m.state().gpr[RCX] = 3;
    EXPECT_EQ(m.run({0x66, 0xf3, 0x6d}), Outcome::Next);  // rep insw
    EXPECT_EQ(m.state().gpr[RDI], 0x5006u);
    EXPECT_EQ(m.state().gpr[RCX], 0u);
    EXPECT_EQ(m.get<std::uint64_t>(0x5000), 0x0000beefbeefbeefu);
    EXPECT_EQ(m.rep_iterations, 3u);
    m.state().gpr[RSI] = 0x5000;
    EXPECT_EQ(m.run({0x6e}), Outcome::Next);  // outsb
    EXPECT_EQ(m.ports[0x1f0], 0xefu);
    EXPECT_EQ(m.state().gpr[RSI], 0x5001u);
}

TEST(PortString, StopsAtAFaultWithTheProgressInRegisters) {
    auto m = SystemMachine::in_long_mode(0);
    m.absent.insert(6);
    m.state().gpr[RDX] = 0x1f0;
    m.state().gpr[RDI] = 0x5ffe;
    m.state().gpr[RCX] = 3;
    EXPECT_EQ(m.run({0x66, 0xf3, 0x6d}), Outcome::Fault);
    EXPECT_EQ(m.vector(), pf);
    EXPECT_EQ(m.state().gpr[RDI], 0x6000u);
    EXPECT_EQ(m.state().gpr[RCX], 2u);
}

TEST(PortString, CanBeInterrupted) {
    auto m = SystemMachine::in_long_mode(0);
    m.yields_after = 1;
    m.state().gpr[RDX] = 0x1f0;
    m.state().gpr[RSI] = 0x5000;
    m.state().gpr[RCX] = 1000;
    EXPECT_EQ(m.run({0xf3, 0x6e}), Outcome::Again);
    EXPECT_EQ(m.state().gpr[RSI] - 0x5000, 1000 - m.state().gpr[RCX]);
    EXPECT_GT(m.state().gpr[RCX], 0u);
}

}  // namespace
}  // namespace backplane::x86
