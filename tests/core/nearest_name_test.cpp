#include "runtime/nearest_name.h"

#include <gtest/gtest.h>

namespace backplane::runtime {

namespace {

const std::vector<std::string> devices{"chipset.pit8254", "chipset.pic8259", "chipset.uart16550",
                                       "cpu.interp"};

TEST(NearestName, FindsSlipsOfTheFingers) {
    EXPECT_EQ(did_you_mean("chipset.uart16650", devices), "did you mean 'chipset.uart16550'?");
    EXPECT_EQ(did_you_mean("cpu.intrep", devices), "did you mean 'cpu.interp'?");
    EXPECT_EQ(did_you_mean("Chipset.Pit8254", devices),
              "did you mean 'chipset.pit8254' or 'chipset.pic8259'?");
}

TEST(NearestName, FindsTheNameWhoseFamilyWasLeftOut) {
    EXPECT_EQ(did_you_mean("uart16550", devices), "did you mean 'chipset.uart16550'?");
}

TEST(NearestName, StaysSilentWhenNothingIsNear) {
    EXPECT_EQ(did_you_mean("storage.ide", devices), "");
    EXPECT_EQ(did_you_mean("", devices), "");
    EXPECT_EQ(did_you_mean("xy", std::vector<std::string>{"a", "bc"}), "");
}

}  // namespace

}  // namespace backplane::runtime
