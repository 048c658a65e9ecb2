#include "port_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace backplane::linux_boot {
namespace {

using ::testing::HasSubstr;

TEST(PortSettings, ArePortsAndBytes) {
    const auto settings = parse_port_settings("d6=c0 d4=0\n cf9=0e ");
    ASSERT_TRUE(settings) << settings.error();
    EXPECT_EQ(*settings, (std::vector<PortSetting>{{0xd6, 0xc0}, {0xd4, 0}, {0xcf9, 0x0e}}));
    EXPECT_TRUE(parse_port_settings(" \n")->empty());
}

TEST(PortSettings, RefusesWhatItDoesNotUnderstand) {
    for (const char* text : {"d6", "d6=", "=c0", "d6=100", "10000=0", "d6=c0x", "d6 =c0", "-1=0",
                             "0xd6=c0", "d6=-1"}) {
        const auto settings = parse_port_settings(std::string{"0=0 "} + text);
        ASSERT_FALSE(settings) << text;
        EXPECT_THAT(settings.error(), HasSubstr("one looks like d6=c0"));
    }
}

}  // namespace
}  // namespace backplane::linux_boot
