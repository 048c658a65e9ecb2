#include "pci_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace backplane::linux_boot {
namespace {

using ::testing::HasSubstr;

TEST(PciSettings, AreWrittenAsSetpciHasThem) {
    const auto settings = parse_pci_settings("01.3/40.l=601 1f.7/d2.b=ff\n0.0/fe.w=0");
    ASSERT_TRUE(settings) << settings.error();
    EXPECT_EQ(*settings, (std::vector<PciSetting>{
                             {1, 3, 0x40, 4, 0x601}, {31, 7, 0xd2, 1, 0xff}, {0, 0, 0xfe, 2, 0}}));
    EXPECT_TRUE(parse_pci_settings(" \n")->empty());
}

TEST(PciSettings, RefusesWhatItDoesNotUnderstand) {
    for (const char* text :
         {"1.3", "1.3/40=1", "1.3/40.x=1", "1.3/40.b=", "1.3/40.b=100", "1.3/40.w=10000",
          "1.3/40.l=100000000", "1.3/41.w=1", "1.3/42.l=1", "1.3/100.b=1", "1.8/40.b=1",
          "20.0/40.b=1", "-1.0/40.b=1", "1.3/40.b=1x", "1.3/40.b=-1", "0x1.3/40.b=1", "1.3/40.b"}) {
        const auto settings = parse_pci_settings(std::string{"0.0/0.b=0 "} + text);
        ASSERT_FALSE(settings) << text;
        EXPECT_THAT(settings.error(), HasSubstr("\"pci-settings\" has \"" + std::string{text} +
                                                "\"; one looks like 01.3/40.l=601"));
    }
}

}  // namespace
}  // namespace backplane::linux_boot
