#include "local_apic_timer.h"

#include <gtest/gtest.h>

namespace backplane::chipset {
namespace {

LocalApicTimer one_shot(std::uint32_t count, Duration now) {
    LocalApicTimer timer;
    timer.write_divide_configuration(0x0b, now);  // by 1: a tick is a nanosecond
    timer.write_initial_count(count, now);
    return timer;
}

// On a busy host any time may pass between the write and the setting of the alarm.
TEST(LocalApicTimer, OwesAnExpiryThatIsOverBeforeTheAlarmIsSet) {
    LocalApicTimer timer = one_shot(100, Duration{1'000});
    EXPECT_EQ(timer.next_expiry(Duration{1'000}), Duration{1'100});
    EXPECT_EQ(timer.next_expiry(Duration{5'000'000}), Duration{5'000'000});
    timer.expired();
    EXPECT_FALSE(timer.next_expiry(Duration{5'000'000}));
}

TEST(LocalApicTimer, OwesAnExpiryAlsoWhenTheDividerChangesBehindIt) {
    LocalApicTimer timer = one_shot(100, Duration{1'000});
    timer.write_divide_configuration(3, Duration{2'000});
    EXPECT_EQ(timer.next_expiry(Duration{2'500}), Duration{2'500});
}

TEST(LocalApicTimer, OwesNothingThatPassedWhileItWasMasked) {
    LocalApicTimer timer = one_shot(100, Duration{1'000});
    timer.skip_expiry(Duration{1'050});
    EXPECT_TRUE(timer.next_expiry(Duration{1'050}));
    timer.skip_expiry(Duration{1'100});
    EXPECT_FALSE(timer.next_expiry(Duration{1'100}));
}

TEST(LocalApicTimer, OwesNothingForACountOfZero) {
    LocalApicTimer timer = one_shot(100, Duration{1'000});
    timer.write_initial_count(0, Duration{2'000});
    EXPECT_FALSE(timer.next_expiry(Duration{3'000}));
}

}  // namespace
}  // namespace backplane::chipset
