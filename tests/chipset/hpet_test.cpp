#include "chip_bench.h"
#include "hpet.h"

namespace backplane::chipset {
namespace {

// Offsets, and bits of a timer's configuration.
constexpr unsigned gcap_id = 0x00, gen_conf = 0x10, gintr_sta = 0x20, main_cnt = 0xf0;
constexpr unsigned conf(unsigned timer) { return 0x100 + timer * 0x20; }
constexpr unsigned comparator(unsigned timer) { return 0x108 + timer * 0x20; }
constexpr std::uint32_t level = 0x02, enabled = 0x04, periodic = 0x08, set_value = 0x40,
                        mode_32 = 0x100;
constexpr std::uint32_t route(unsigned input) { return input << 9; }

// Stands for an I/O APIC input: what is connected is offered as a route.
struct Nowhere {
    backplane_link link() {
        static constexpr backplane_line functions{sizeof(backplane_line), 0,
                                                  [](void*, std::int32_t) {}};
        return {&functions, this};
    }
};

class HpetTest : public ::testing::Test {
protected:
    // The bench puts a recorder on every line, so all 32 routes are connected.
    HpetTest() { bench.power_on(); }

    void enable(std::uint64_t bits = 1) { hpet.write64(gen_conf, bits); }
    std::uint64_t count() { return hpet.read64(main_cnt); }
    std::size_t rises(unsigned input) { return bench.rises("irq." + std::to_string(input)); }
    bool is_high(unsigned input) { return bench.level("irq." + std::to_string(input)); }

    DeviceBench bench{type_of<Hpet>()};
    testing::WindowProbe hpet = bench.window("registers");
};

TEST_F(HpetTest, TellsWhatItIs) {
    EXPECT_EQ(hpet.read64(gcap_id), 0x0098'9680'8086'a201u) << "10 000 000 fs, three timers";
    EXPECT_EQ(hpet.read32(gcap_id + 4), 10'000'000u);
    EXPECT_EQ(hpet.read64(conf(0)), 0xffff'ffff'0000'0030u);
    EXPECT_EQ(hpet.read64(conf(2)), 0xffff'ffff'0000'0030u);
    EXPECT_EQ(hpet.read64(conf(3)), 0u) << "there is no timer 3";
    EXPECT_EQ(hpet.read64(comparator(0)), ~std::uint64_t{0});
    hpet.write64(gcap_id, 0);
    EXPECT_EQ(hpet.read8(gcap_id), 0x01);
}

TEST_F(HpetTest, FrequencyAndNumberOfTimersAreSet) {
    DeviceBench other{type_of<Hpet>(), {{"clock", Hertz{14'318'180}}, {"timers", 8}}};
    other.power_on();
    const auto window = other.window("registers");
    EXPECT_EQ(window.read64(gcap_id), std::uint64_t{69'841'278} << 32 | 0x8086'a701);
    EXPECT_NE(window.read64(conf(7)), 0u);
    window.write32(gen_conf, 1);
    other.advance(1s);
    EXPECT_EQ(window.read64(main_cnt), 14'318'180u);
}

TEST_F(HpetTest, CountsWhileEnabled) {
    bench.advance(1ms);
    EXPECT_EQ(count(), 0u);
    enable();
    bench.advance(1ms);
    EXPECT_EQ(count(), 100'000u);
    enable(0);
    bench.advance(1ms);
    EXPECT_EQ(count(), 100'000u);
    hpet.write64(main_cnt, 0x1'ffff'fff0);
    enable();
    bench.advance(320ns);
    EXPECT_EQ(count(), 0x2'0000'0010u);
    EXPECT_EQ(hpet.read32(main_cnt + 4), 2u);
    hpet.write32(main_cnt + 4, 7);
    EXPECT_EQ(count(), 0x7'0000'0010u);
    bench.reset();
    EXPECT_EQ(count(), 0u);
}

TEST_F(HpetTest, AOneShotMatchesOnce) {
    enable();
    hpet.write64(conf(0), enabled | route(20));
    hpet.write64(comparator(0), 1000);
    bench.advance(10us - 1ns);
    EXPECT_EQ(rises(20), 0u);
    bench.advance(1ns);
    EXPECT_EQ(rises(20), 1u);
    EXPECT_FALSE(is_high(20)) << "an edge is a pulse, since the input may be shared";
    bench.advance(100s);
    EXPECT_EQ(rises(20), 0u) << "not with every wrap of the lower half";
    EXPECT_EQ(hpet.read64(gintr_sta), 0u) << "only levels have a status";
    EXPECT_EQ(bench.statistic("interrupts"), 1u);
}

TEST_F(HpetTest, In32BitModeItMatchesWithEveryWrap) {
    enable();
    hpet.write64(conf(1), enabled | mode_32 | route(21));
    hpet.write64(comparator(1), 0xdead'beef'0000'03e8);
    EXPECT_EQ(hpet.read64(comparator(1)), 1000u);
    bench.advance(10us);
    EXPECT_EQ(rises(21), 1u);
    bench.advance(42'949'672'960ns - 1ns);
    EXPECT_EQ(rises(21), 0u);
    bench.advance(1ns);
    EXPECT_EQ(rises(21), 1u);
}

TEST_F(HpetTest, APeriodicTimerAddsItsPeriod) {
    enable();
    // As Linux does: the first match by VAL_SET, then the period.
    hpet.write32(conf(0), enabled | periodic | set_value | mode_32 | route(2));
    hpet.write32(comparator(0), 500);
    EXPECT_EQ(hpet.read32(conf(0)) & set_value, 0u);
    hpet.write32(comparator(0), 1000);
    bench.advance(5us);
    EXPECT_EQ(rises(2), 1u);
    EXPECT_EQ(hpet.read32(comparator(0)), 1500u);
    bench.advance(100us);
    EXPECT_EQ(rises(2), 10u);
    EXPECT_EQ(hpet.read32(comparator(0)), 11500u);
    hpet.write32(conf(0), periodic | mode_32 | route(2));
    bench.advance(100us);
    EXPECT_EQ(rises(2), 0u);
    EXPECT_EQ(hpet.read32(comparator(0)), 21500u) << "it goes on without interrupting";
}

TEST_F(HpetTest, OneWriteSetsStartAndPeriod) {
    enable();
    hpet.write64(conf(0), enabled | periodic | set_value | route(2));
    hpet.write64(comparator(0), 1000);
    bench.advance(100us);
    EXPECT_EQ(rises(2), 10u);
}

TEST_F(HpetTest, WithoutAPeriodNothingRepeats) {
    enable();
    hpet.write64(conf(0), enabled | periodic | set_value | route(2));
    hpet.write64(comparator(0), 1000);
    hpet.write64(comparator(0), 0);
    bench.advance(1s);
    EXPECT_EQ(rises(2), 1u);
}

TEST_F(HpetTest, TheShortestPeriodDoesNotStopTime) {
    enable();
    hpet.write64(conf(0), enabled | periodic | set_value | route(2));
    hpet.write64(comparator(0), 1);
    bench.advance(1ms);
    EXPECT_GT(rises(2), 100u);
    EXPECT_LE(hpet.read64(comparator(0)) - count(), 1u) << "the comparator keeps up";
}

TEST_F(HpetTest, ALevelStaysUntilItIsCleared) {
    enable();
    hpet.write64(conf(2), enabled | level | route(22));
    hpet.write64(comparator(2), 100);
    bench.advance(1us);
    EXPECT_TRUE(is_high(22));
    EXPECT_EQ(hpet.read64(gintr_sta), 0x4u);
    hpet.write64(gintr_sta, 0x3);
    EXPECT_TRUE(is_high(22));
    hpet.write8(gintr_sta, 0x4);
    EXPECT_FALSE(is_high(22));
    hpet.write64(conf(2), level | route(22));
    hpet.write64(comparator(2), 200);
    bench.advance(1us);
    EXPECT_EQ(hpet.read64(gintr_sta), 0x4u) << "the status is there without the interrupt";
    EXPECT_FALSE(is_high(22));
    hpet.write64(conf(2), enabled | level | route(22));
    EXPECT_TRUE(is_high(22));
    enable(0);
    EXPECT_FALSE(is_high(22));
    enable(1);
    EXPECT_TRUE(is_high(22));
    hpet.write64(conf(2), enabled | route(22));
    EXPECT_FALSE(is_high(22));
    EXPECT_EQ(hpet.read64(gintr_sta), 0u);
}

TEST_F(HpetTest, LegacyReplacementTakesTheLinesOfPitAndClock) {
    bench.set_line("pit", true);
    bench.set_line("rtc", true);
    EXPECT_TRUE(bench.level("timer-irq"));
    EXPECT_TRUE(bench.level("rtc-irq"));
    bench.set_line("pit", false);
    EXPECT_FALSE(bench.level("timer-irq"));
    enable(2);
    bench.set_line("pit", true);
    EXPECT_TRUE(bench.level("timer-irq")) << "not while the timers are off";
    bench.set_line("pit", false);
    enable(3);
    EXPECT_FALSE(bench.level("rtc-irq"));
    bench.rises("timer-irq");
    bench.rises("rtc-irq");
    bench.set_line("pit", true);
    EXPECT_EQ(bench.rises("timer-irq"), 0u);
    hpet.write64(conf(0), enabled | periodic | set_value | route(20));
    hpet.write64(comparator(0), 1000);
    hpet.write64(conf(1), enabled | route(21));
    hpet.write64(comparator(1), 1000);
    bench.advance(20us);
    EXPECT_EQ(bench.rises("timer-irq"), 2u);
    EXPECT_EQ(bench.rises("rtc-irq"), 1u);
    EXPECT_TRUE(bench.level("timer-irq")) << "an 8259 forgets a request that goes away";
    EXPECT_EQ(rises(20) + rises(21), 0u);
    bench.set_line("pit", false);
    enable(1);
    EXPECT_FALSE(bench.level("timer-irq"));
    EXPECT_TRUE(bench.level("rtc-irq")) << "the clock's own again";
    bench.advance(10us);
    EXPECT_EQ(rises(20), 1u);
}

TEST_F(HpetTest, OnlyConnectedRoutesAreTaken) {
    // Without a bench's recorders: the type itself, connected by hand.
    const auto& type = *type_of<Hpet>();
    testing::FakeClock clock;
    testing::FakeHost host{clock};
    std::vector<backplane_value> values;
    for (std::uint32_t index = 0; index < type.property_count; ++index)
        values.push_back(type.properties[index].initial);
    void* device = nullptr;
    ASSERT_EQ(type.create(host.functions(), values.data(), &device), BACKPLANE_OK);
    Nowhere input;
    std::optional<testing::WindowProbe> window;
    for (std::uint32_t port = 0; port < type.port_count; ++port) {
        if (std::string_view{type.ports[port].name} == "irq")
            for (const unsigned element : {2u, 8u, 20u})
                type.connect(device, port, element, input.link());
        if (std::string_view{type.ports[port].name} == "registers")
            window.emplace(type.provide(device, port, 0), 0x400);
    }
    ASSERT_EQ(type.start(device), BACKPLANE_OK);
    type.reset(device, BACKPLANE_RESET_POWER_ON);
    EXPECT_EQ(window->read32(conf(0) + 4), 1u << 2 | 1u << 8 | 1u << 20);
    window->write32(conf(0), route(20));
    EXPECT_EQ(window->read32(conf(0)) >> 9 & 0x1f, 20u);
    window->write32(conf(0), enabled | route(21));
    EXPECT_EQ(window->read32(conf(0)) >> 9 & 0x1f, 20u);
    EXPECT_EQ(window->read32(conf(0)) & enabled, enabled);
    type.destroy(device);
}

TEST_F(HpetTest, AccessesOfAnySizeAreAPartOfTheRegister) {
    hpet.write64(comparator(0), 0x1122'3344'5566'7788);
    EXPECT_EQ(hpet.read32(comparator(0) + 4), 0x1122'3344u);
    EXPECT_EQ(hpet.read16(comparator(0) + 1), 0x6677u);
    hpet.write8(comparator(0) + 7, 0xaa);
    EXPECT_EQ(hpet.read64(comparator(0)), 0xaa22'3344'5566'7788u);
    hpet.write64(comparator(0) - 4, 0x99aa'bbcc'0000'0000);
    EXPECT_EQ(hpet.read64(comparator(0)), 0xaa22'3344'99aa'bbccu);
    EXPECT_EQ(hpet.read64(comparator(0) - 4), 0x99aa'bbcc'ffff'ffffu);
    EXPECT_EQ(hpet.read64(0x3f8), 0u);
}

TEST_F(HpetTest, SurvivesASnapshotWithTimersRunning) {
    enable(3);
    hpet.write64(conf(0), enabled | periodic | set_value | route(2));
    hpet.write64(comparator(0), 70'000);
    hpet.write64(conf(1), enabled | level | route(21));
    hpet.write64(comparator(1), 130'000);
    hpet.write64(conf(2), enabled | periodic | set_value | mode_32 | route(22));
    hpet.write64(comparator(2), 33'333);
    bench.advance(1234us);
    EXPECT_EQ(testing::round_trip(bench, 10ms), "");
}

TEST_F(HpetTest, BearsRandomAccesses) {
    play_random_script(bench, 1000);
    EXPECT_EQ(testing::round_trip(bench, 1ms), "");
}

}  // namespace
}  // namespace backplane::chipset
