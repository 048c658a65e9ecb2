#include "local_apic_bench.h"

namespace backplane::chipset {
namespace {

constexpr std::uint64_t base = 0xfee00900, x2apic_base = 0xfee00d00, disabled_base = 0xfee00100;
constexpr std::uint32_t msr_id = 0x802, msr_version = 0x803, msr_tpr = 0x808, msr_ppr = 0x80a,
                        msr_eoi = 0x80b, msr_ldr = 0x80d, msr_svr = 0x80f, msr_isr = 0x810,
                        msr_irr = 0x820, msr_esr = 0x828, msr_icr = 0x830, msr_lvt_timer = 0x832,
                        msr_initial_count = 0x838, msr_divide = 0x83e, msr_self_ipi = 0x83f;

class X2apicTest : public LocalApicTest {
protected:
    void SetUp() override { start_with_id(0x23); }

    void start_with_id(int id) {
        start({{"id", id}});
        ASSERT_TRUE(write_base(x2apic_base));
        ASSERT_TRUE(write_msr(msr_svr, 0x1ff));
    }
};

TEST_F(X2apicTest, HasItsRegistersAsMsrs) {
    EXPECT_EQ(read_base(), x2apic_base);
    EXPECT_EQ(read_msr(msr_id), 0x23u);
    EXPECT_EQ(read_msr(msr_version), 0x50014u);
    EXPECT_EQ(read_msr(msr_ldr), 0x2'0008u) << "cluster 2, bit 3";
    EXPECT_TRUE(write_msr(msr_tpr, 0x40));
    EXPECT_EQ(read_msr(msr_tpr), 0x40u);
    EXPECT_EQ(read_msr(msr_ppr), 0x40u);
    EXPECT_TRUE(write_msr(msr_lvt_timer, 0x20020));
    EXPECT_EQ(read_msr(msr_lvt_timer), 0x20020u);
    EXPECT_TRUE(write_msr(msr_divide, 0xb));
    EXPECT_TRUE(write_msr(msr_initial_count, 1000));
    bench->advance(600ns);
    EXPECT_EQ(read_msr(0x839), 400u);
}

TEST_F(X2apicTest, HasNoRegistersBesideThem) {
    for (const std::uint32_t index :
         {0x800u, 0x801u, 0x809u, 0x80cu, 0x80eu, 0x82fu, 0x831u, 0x83au, 0x840u, 0x8ffu}) {
        EXPECT_EQ(read_msr(index), std::nullopt) << index;
        EXPECT_FALSE(write_msr(index, 0)) << index;
    }
    for (const std::uint32_t read_only : {msr_id, msr_version, msr_ppr, msr_ldr, msr_isr, msr_irr})
        EXPECT_FALSE(write_msr(read_only, 0)) << read_only;
    for (const std::uint32_t write_only : {msr_eoi, msr_self_ipi})
        EXPECT_EQ(read_msr(write_only), std::nullopt) << write_only;
}

TEST_F(X2apicTest, ReservedBitsAreFaults) {
    EXPECT_FALSE(write_msr(msr_tpr, 0x100));
    EXPECT_FALSE(write_msr(msr_eoi, 1));
    EXPECT_FALSE(write_msr(msr_esr, 1));
    EXPECT_TRUE(write_msr(msr_esr, 0));
    EXPECT_FALSE(write_msr(msr_initial_count, std::uint64_t{1} << 32));
    EXPECT_FALSE(write_msr(msr_self_ipi, 0x141));
    EXPECT_FALSE(write_msr(msr_icr, 0x10000041));
}

TEST_F(X2apicTest, SendsTo32BitDestinations) {
    EXPECT_TRUE(write_msr(msr_icr, 0x123'4567'0000'0061));
    ASSERT_EQ(other.messages.size(), 1u);
    EXPECT_EQ(other.messages[0].address, 0x0123'4500'fee6'7000u);
    EXPECT_EQ(read_msr(msr_icr), 0x123'4567'0000'0061u);
    const auto decoded = InterruptMessage::decode(other.messages[0].address, 0x61);
    EXPECT_EQ(decoded.destination, 0x1234567u);
}

TEST_F(X2apicTest, SendsToItself) {
    EXPECT_TRUE(write_msr(msr_self_ipi, 0x41));
    EXPECT_EQ(acknowledge(), 0x41);
    EXPECT_TRUE(write_msr(msr_eoi, 0));
    EXPECT_TRUE(write_msr(msr_icr, 0x23'0000'0042));
    EXPECT_EQ(acknowledge(), 0x42);
}

TEST_F(X2apicTest, HearsItsIdItsClusterAndEverybody) {
    EXPECT_TRUE(send({.destination = 0x23, .vector = 0x41}));
    EXPECT_FALSE(send({.destination = 0x1'0023, .vector = 0x41}));
    EXPECT_TRUE(send({.destination = 0xffffffff, .vector = 0x41}));
    EXPECT_TRUE(send({.destination = 0xff, .vector = 0x41})) << "as an I/O APIC says it";
    EXPECT_TRUE(send({.destination = 0x2'000c, .logical = true, .vector = 0x41}));
    EXPECT_FALSE(send({.destination = 0x2'0004, .logical = true, .vector = 0x41}));
    EXPECT_FALSE(send({.destination = 0x3'0008, .logical = true, .vector = 0x41}));
}

// Figure 11-27.
TEST_F(X2apicTest, IsEnteredFromXapicModeAndLeftThroughDisabled) {
    EXPECT_FALSE(write_base(base)) << "back to xAPIC mode";
    EXPECT_TRUE(write_base(disabled_base));
    EXPECT_EQ(read_msr(msr_id), std::nullopt);
    EXPECT_FALSE(write_base(x2apic_base)) << "from disabled";
    EXPECT_FALSE(write_base(0xfee00500)) << "EXTD without EN";
    EXPECT_TRUE(write_base(base));
    EXPECT_EQ(read(id), 0x23000000u);
    EXPECT_EQ(read_msr(msr_id), std::nullopt) << "xAPIC mode has no MSRs";
    EXPECT_TRUE(write_base(x2apic_base));
}

TEST_F(X2apicTest, StaysAfterAnInit) {
    EXPECT_TRUE(send({.destination = 0x23, .mode = DeliveryMode::Init}));
    EXPECT_EQ(read_base(), x2apic_base);
    EXPECT_EQ(read_msr(msr_id), 0x23u);
    EXPECT_EQ(read_msr(msr_svr), 0xffu);
}

TEST_F(X2apicTest, SurvivesASnapshot) {
    send({.destination = 0x23, .vector = 0x41});
    send({.destination = 0x23, .mode = DeliveryMode::Startup, .vector = 0x08});
    EXPECT_EQ(testing::round_trip(*bench), "");
}

// ---- The TSC deadline: the MSR holds guest time here ----

constexpr std::uint32_t deadline_msr = 0x6e0, deadline_mode = 0x40000;

TEST_F(LocalApicTest, ADeadlineInterruptsOnce) {
    write(lvt_timer, deadline_mode | 0x20);
    EXPECT_EQ(read(lvt_timer), deadline_mode | 0x20);
    EXPECT_TRUE(write_msr(deadline_msr, 5'000));
    EXPECT_EQ(read_msr(deadline_msr), 5'000u);
    bench->advance(4'999ns);
    EXPECT_FALSE(requested());
    bench->advance(1ns);
    EXPECT_EQ(acknowledge(), 0x20);
    EXPECT_EQ(read_msr(deadline_msr), 0u);
    write(eoi, 0);
    bench->advance(1s);
    EXPECT_FALSE(requested());
}

TEST_F(LocalApicTest, ADeadlineThatPassedIsDueAtOnce) {
    bench->advance(1ms);
    write(lvt_timer, deadline_mode | 0x20);
    write_msr(deadline_msr, 1);
    bench->advance(1ns);
    EXPECT_TRUE(requested());
}

TEST_F(LocalApicTest, ADeadlineIsDisarmedByZeroAndByAnotherMode) {
    write(lvt_timer, deadline_mode | 0x20);
    write_msr(deadline_msr, 5'000);
    write_msr(deadline_msr, 0);
    bench->advance(1ms);
    EXPECT_FALSE(requested());

    write_msr(deadline_msr, 2'000'000);
    write(lvt_timer, 0x20);
    EXPECT_EQ(read_msr(deadline_msr), 0u);
    bench->advance(10ms);
    EXPECT_FALSE(requested());
}

TEST_F(LocalApicTest, OnlyTheDeadlineModeTakesADeadline) {
    write(lvt_timer, 0x20);
    EXPECT_TRUE(write_msr(deadline_msr, 5'000));
    EXPECT_EQ(read_msr(deadline_msr), 0u);
    bench->advance(1ms);
    EXPECT_FALSE(requested());
}

TEST_F(LocalApicTest, TheDeadlineModeDoesNotCount) {
    write(divide, 0xb);
    write(lvt_timer, 0x20);
    write(initial_count, 1000);
    write(lvt_timer, deadline_mode | 0x20);
    EXPECT_EQ(read(current_count), 0u);
    write(initial_count, 1000);
    EXPECT_EQ(read(initial_count), 0u);
    bench->advance(1ms);
    EXPECT_FALSE(requested());
}

TEST_F(LocalApicTest, AMaskedDeadlinePassesSilently) {
    write(lvt_timer, masked | deadline_mode | 0x20);
    write_msr(deadline_msr, 5'000);
    bench->advance(6us);
    EXPECT_EQ(read_msr(deadline_msr), 0u);
    write(lvt_timer, deadline_mode | 0x20);
    bench->advance(1ms);
    EXPECT_FALSE(requested());
}

}  // namespace
}  // namespace backplane::chipset
