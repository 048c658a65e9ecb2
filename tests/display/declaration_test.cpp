// What the loader asks of a plugin's declarations.
#include "isa_vga.h"
#include "runtime/declaration_check.h"
#include "std_vga.h"

#include <backplane/plugin.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace backplane::display {
namespace {

TEST(DisplayDeclarationTest, TheLoaderTakesEveryCard) {
    for (const auto* type :
         {Declaration<IsaVga>::device_type(), Declaration<StdVga>::device_type()})
        EXPECT_THAT(runtime::check_device_type(*type), ::testing::IsEmpty()) << type->name;
}

}  // namespace
}  // namespace backplane::display
