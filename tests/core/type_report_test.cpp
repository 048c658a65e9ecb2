#include "core/small_catalog.h"
#include "runtime/type_report.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace backplane::test {
namespace {

using namespace backplane::runtime;

TEST(TypeReport, ShowsEverythingThatATypeDeclares) {
    EXPECT_EQ(type_report_text(*SmallCatalog{}.find("test.timer")),
              R"(test.timer: Periodic timer with one interrupt line
from test 1.0.0

Properties
  frequency  hertz     default 1 kHz           1 Hz to 1 GHz                   Ticks per second
  delay      duration  default 0 ns                                            Time before the first tick
  log        choice    default: the machine's  error|warning|info|debug|trace  What the device writes to the log

Ports
  registers  window    backplane.memory-window/1  1 KiB  Registers
  irq        requires  backplane.line/1                  Output

Registers
  registers+0x00  CONTROL    4 bytes             Starts and stops
                    enabled  bits 0 read-write   The timer counts
                    phase    bits 6:4 read-only
  registers+0x04  PERIOD     4 bytes

Statistics
  ticks  counter  ticks  Times the timer expired

Saved state
  period   unsigned  4 bytes
  history  bytes     4 x 16 bytes
)");
}

TEST(TypeReport, IsAlsoJson) {
    const auto json = type_report_json(*SmallCatalog{}.find("test.ram"));
    EXPECT_EQ(json["type"], "test.ram");
    EXPECT_EQ(json["properties"][0]["required"], true);
    EXPECT_EQ(json["properties"][0]["minimum"], 1 << 20);
    EXPECT_EQ(json["ports"][0]["role"], "window");
    EXPECT_TRUE(json["ports"][0]["size"].is_null());
    const auto serial = type_report_json(*SmallCatalog{}.find("test.serial"));
    EXPECT_EQ(serial["properties"][0]["choices"][2], "odd");
    EXPECT_EQ(serial["ports"][2]["connect_to"], "console");
}

}  // namespace
}  // namespace backplane::test
