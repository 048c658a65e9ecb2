// The packets of GDB's remote protocol and what a machine answers.
#include "gdb/debugged_machine.h"
#include "runtime/gdb/hex.h"
#include "runtime/gdb/stub.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace backplane::runtime::gdb {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class GdbStub : public ::testing::Test {
protected:
    explicit GdbStub(unsigned cpus = 2) {
        Diagnostics diagnostics;
        machine_ = Machine::build(debugged_machine(cpus), diagnostics);
        EXPECT_TRUE(machine_) << diagnostics.text();
        stub_ = std::make_unique<Stub>(*machine_, [this](std::string reply) {
            const std::scoped_lock guard{mutex_};
            replies_.push_back(std::move(reply));
            replied_.notify_all();
        });
        machine_->control().listen([this](const StateEvent& event) { stub_->changed(event); });
        ending_ = std::async(std::launch::async, [this] {
            return machine_->run({.paused = true, .time_limit = 600s});
        });
        while (!machine_->control().call([] {}))
            std::this_thread::yield();
    }
    ~GdbStub() override { end(); }

    Ending end() {
        machine_->request_power_off(0, "the test is over");
        if (ending_.valid()) result_ = ending_.get();
        return result_;
    }

    void send(const std::string& packet) {
        machine_->control().post([this, packet] { stub_->handle(packet); });
    }
    std::string reply() {
        std::unique_lock guard{mutex_};
        if (!replied_.wait_for(guard, 120s, [this] { return !replies_.empty(); }))
            return "(no reply)";
        std::string first = replies_.front();
        replies_.erase(replies_.begin());
        return first;
    }
    std::string ask(const std::string& packet) {
        send(packet);
        return reply();
    }

    std::unique_ptr<Machine> machine_;
    std::unique_ptr<Stub> stub_;
    std::mutex mutex_;
    std::condition_variable replied_;
    std::vector<std::string> replies_;
    std::future<Ending> ending_;
    Ending result_;
};

TEST_F(GdbStub, SaysWhatItCan) {
    EXPECT_EQ(ask("qSupported:swbreak+;hwbreak+;xmlRegisters=i386"),
              "PacketSize=4000;qXfer:features:read+;vContSupported+;QStartNoAckMode+;swbreak+;"
              "hwbreak+");
    EXPECT_EQ(ask("vMustReplyEmpty"), "");
    EXPECT_EQ(ask("vCont?"), "vCont;c;C;s;S;t;r");
    EXPECT_EQ(ask("qAttached"), "1");
    for (const char* unknown : {"", "!", "bc", "qTStatus", "QNonStop:1", "vFile:open", "\xff"})
        EXPECT_EQ(ask(unknown), "") << unknown;
}

TEST_F(GdbStub, ShowsCpusAsThreads) {
    EXPECT_EQ(ask("qfThreadInfo"), "m01,02");
    EXPECT_EQ(ask("qsThreadInfo"), "l");
    EXPECT_EQ(ask("qC"), "QC01");
    EXPECT_EQ(ask("Hg2"), "OK");
    EXPECT_EQ(ask("qC"), "QC02");
    EXPECT_EQ(ask("T2"), "OK");
    EXPECT_EQ(ask("T3"), error::bad_packet);
    EXPECT_EQ(ask("Hg3"), error::bad_packet);
    EXPECT_EQ(ask("qThreadExtraInfo,2"), to_hex("cpu1"));
}

TEST_F(GdbStub, DescribesItsRegistersInPieces) {
    std::string text;
    for (;;) {
        const std::string part = ask(
            "qXfer:features:read:target.xml:" + fmt::format("{:x}", text.size()) + ",100");
        text += part.substr(1);
        if (part.front() != 'm') break;
    }
    EXPECT_THAT(text, StartsWith("<?xml"));
    EXPECT_THAT(text, HasSubstr("<architecture>i386:x86-64</architecture>"));
    EXPECT_THAT(text, HasSubstr("<reg name=\"rip\" bitsize=\"64\" type=\"code_ptr\"/>"));
    EXPECT_EQ(ask("qXfer:features:read:target.xml:fffff,100"), "l");
    EXPECT_EQ(ask("qXfer:features:read:other.xml:0,100"), "E00");
    EXPECT_EQ(ask("qXfer:features:read:target.xml:0"), error::bad_packet);
}

TEST_F(GdbStub, ReadsAndWritesRegisters) {
    EXPECT_EQ(ask("P0=8877665544332211"), "OK");
    EXPECT_EQ(ask("p0"), "8877665544332211");
    EXPECT_THAT(ask("g"), StartsWith("8877665544332211"));
    EXPECT_EQ(ask("Hg2"), "OK");
    EXPECT_EQ(ask("p0"), "0000000000000000");
    EXPECT_EQ(ask("G1122334455667788"), "OK");
    EXPECT_EQ(ask("p0"), "1122334455667788");
    EXPECT_EQ(ask("P0=11"), error::bad_packet) << "too short";
    EXPECT_EQ(ask("pfff"), error::bad_packet);
    EXPECT_EQ(ask("Pfff=00"), error::bad_packet);
    EXPECT_EQ(ask("G11"), error::bad_packet);
    EXPECT_EQ(ask("Gxxxxxxxxxxxxxxxx"), "OK");
    EXPECT_EQ(ask("p0"), "1122334455667788");
}

// Register 16 is RIP: with CS at 0xf0000 the offset 0x123 is 0xf0123.
TEST_F(GdbStub, TakesTheLinearAddressForTheProgramCounter) {
    machine_->control().call([&] {
        VirtualCpu& cpu = *machine_->cpus()[0];
        const std::uint64_t base = 0xf0000, rip = 0x123;
        cpu.set_register("cs.base", std::as_bytes(std::span{&base, 1}));
        cpu.set_register("rip", std::as_bytes(std::span{&rip, 1}));
    });
    EXPECT_EQ(ask("p10"), "23010f0000000000");
    EXPECT_EQ(ask("P10=45010f0000000000"), "OK");
    EXPECT_EQ(ask("p10"), "45010f0000000000");
    machine_->control().call([&] {
        EXPECT_EQ(machine_->cpus()[0]->get_register("rip")[0], std::byte{0x45});
        EXPECT_EQ(machine_->cpus()[0]->get_register("rip")[2], std::byte{0});
        EXPECT_EQ(machine_->cpus()[0]->next_instruction(), "at 0xf0145 = 0000:145: nop");
        EXPECT_EQ(DebuggedCpu::last_disassembled, 0xf0145u);
    });
}

TEST_F(GdbStub, ReadsAndWritesMappedMemory) {
    EXPECT_EQ(ask("M1000,4:01020304"), "OK");
    EXPECT_EQ(ask("m1000,4"), "01020304");
    EXPECT_EQ(ask("X1002,2:\x7f}"), "OK");
    EXPECT_EQ(ask("m1000,5"), "01027f7d00");
    EXPECT_EQ(ask("m4000,4"), error::bad_address);
    EXPECT_EQ(ask("m3ffe,8"), "0000") << "up to the page that is not there";
    EXPECT_EQ(ask("M3ffe,4:01020304"), error::bad_address);
    EXPECT_EQ(ask("Qqemu.PhyMemMode:1"), "OK");
    EXPECT_EQ(ask("qqemu.PhyMemMode"), "1");
    EXPECT_EQ(ask("m4000,2"), "0000");
    EXPECT_EQ(ask("m20000,2"), "ffff");
    for (const char* wrong : {"m", "m1000", "mx,1", "M1000,4:01", "M1000,1:0g", "X1000,2:a"})
        EXPECT_EQ(ask(wrong), error::bad_packet) << wrong;
    EXPECT_EQ(ask("mffffffffffffffff,ffffffffffffffff").substr(0, 2), "ff");
}

TEST_F(GdbStub, StopsAtBreakpointsAndSaysWhich) {
    ask("qSupported:swbreak+;hwbreak+");
    EXPECT_EQ(ask("?"), "T02thread:01;");
    EXPECT_EQ(ask("Z0,1234,1"), "OK");
    EXPECT_EQ(ask("Z0,1234,1"), "OK") << "the same once more";
    EXPECT_THAT(ask("vCont;c:2"), HasSubstr("T05thread:02;swbreak:;"));
    EXPECT_THAT(ask("vCont;c:1;t"), HasSubstr("T05thread:01;swbreak:;"));
    EXPECT_EQ(ask("z0,1234,1"), "OK");
    EXPECT_EQ(ask("z0,1234,1"), "OK");
    EXPECT_EQ(ask("Z1,1234,1"), "OK");
    EXPECT_THAT(ask("c"), HasSubstr("hwbreak:;"));
    EXPECT_EQ(ask("Z5,1,1"), "");
    EXPECT_EQ(ask("Z2,1"), error::bad_packet);
    EXPECT_EQ(ask("Z2,1,ffffffffff"), error::bad_packet);
}

// The hit of the second CPU is told when the first was looked at.
TEST_F(GdbStub, TellsHitsOfSeveralCpusOneAfterTheOther) {
    ask("?");
    ask("Z1,1234,1");
    const std::string first = ask("c"), second = ask("c");
    EXPECT_THAT(first, StartsWith("T05thread:0"));
    EXPECT_THAT(second, StartsWith("T05thread:0"));
}

TEST_F(GdbStub, Steps) {
    ask("?");
    EXPECT_EQ(ask("vCont;s:2"), "T05thread:02;");
    EXPECT_EQ(DebuggedCpu::last_step_flags, BACKPLANE_STEP_NO_INTERRUPTS);
    EXPECT_EQ(ask("qqemu.sstep"), "0x3");
    EXPECT_EQ(ask("Qqemu.sstep=1"), "OK");
    EXPECT_EQ(ask("vCont;s:1;c"), "T05thread:01;");
    EXPECT_EQ(DebuggedCpu::last_step_flags, 0u);
    EXPECT_EQ(ask("s"), "T05thread:01;");
    for (const char* wrong : {"vCont;x", "vCont;c:9", "vCont;;", "vCont;r10", "vCont;r10,:1",
                              "vCont;rx,20", "Qqemu.sstep=8"})
        EXPECT_EQ(ask(wrong), error::bad_packet) << wrong;
}

// Each step of these CPUs goes on by one byte.
TEST_F(GdbStub, StepsUntilARangeIsLeft) {
    ask("?");
    EXPECT_EQ(ask("P10=0020000000000000"), "OK");
    EXPECT_EQ(ask("vCont;r2000,2010:1"), "T05thread:01;");
    EXPECT_EQ(ask("p10"), "1020000000000000");
    EXPECT_EQ(ask("vCont;r2000,2010:1"), "T05thread:01;") << "one step, into no range";
    EXPECT_EQ(ask("p10"), "1120000000000000");
    EXPECT_EQ(ask("vCont;r2011,2011:1"), "T05thread:01;") << "an empty range";
    EXPECT_EQ(ask("p10"), "1220000000000000");
    EXPECT_EQ(ask("Z1,2018,1"), "OK");
    EXPECT_EQ(ask("vCont;r2000,2100:1"), "T05thread:01;") << "there is a breakpoint in it";
    EXPECT_EQ(ask("p10"), "1820000000000000");
    EXPECT_EQ(ask("vCont;r2000,2100:1"), "T05thread:01;") << "which is left behind";
    EXPECT_EQ(ask("p10"), "0021000000000000");
    EXPECT_EQ(ask("vCont;s:1"), "T05thread:01;") << "the range is forgotten";
    EXPECT_EQ(ask("p10"), "0121000000000000");
}

TEST_F(GdbStub, InterruptsStepsInARange) {
    ask("?");
    send("vCont;r0,ffffffff:2");
    std::this_thread::sleep_for(20ms);
    machine_->control().pause("Ctrl-C");
    EXPECT_EQ(reply(), "T02thread:01;");
}

TEST_F(GdbStub, InterruptsAndHearsOfTheEnd) {
    ask("?");
    send("vCont;c");
    std::this_thread::sleep_for(20ms);
    machine_->control().pause("Ctrl-C");
    EXPECT_THAT(reply(), StartsWith("T02"));
    send("c");
    machine_->control().call([] {});  // it was handled: what comes now is heard of
    machine_->request_power_off(7, "the guest");
    EXPECT_EQ(reply(), "W07");
}

TEST_F(GdbStub, LeavesNothingBehindWhenItDetaches) {
    ask("?");
    ask("Z1,1234,1");
    EXPECT_EQ(ask("D"), "OK");
    const auto limit = std::chrono::steady_clock::now() + 120s;
    while (machine_->control().is_paused() && std::chrono::steady_clock::now() < limit)
        std::this_thread::yield();
    std::this_thread::sleep_for(20ms);
    EXPECT_FALSE(machine_->control().is_paused()) << "there is no breakpoint to hit";
}

TEST_F(GdbStub, EndsTheMachine) {
    EXPECT_EQ(ask("vKill;1"), "OK");
    EXPECT_EQ(end().why, "ended by the debugger");
}

TEST_F(GdbStub, HasCommandsOfItsOwn) {
    const auto monitor = [&](const std::string& command) {
        const auto bytes = bytes_from_hex(ask("qRcmd," + to_hex(command)));
        return std::string{reinterpret_cast<const char*>(bytes->data()), bytes->size()};
    };
    EXPECT_THAT(monitor("help"), HasSubstr("disassemble"));
    EXPECT_THAT(monitor("info registers"), HasSubstr("rax="));
    EXPECT_EQ(monitor("disassemble 1000 2"), "0x1000: nop\n0x1001: nop\n");
    EXPECT_THAT(monitor("nonsense"), HasSubstr("unknown command 'nonsense'"));
    EXPECT_THAT(monitor("reset"), HasSubstr("being reset"));
    EXPECT_EQ(ask("qRcmd,0"), error::bad_packet);
}

}  // namespace
}  // namespace backplane::runtime::gdb
