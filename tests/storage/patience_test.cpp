// The host is not asked to do at once what it has just taken long for.
#include "patience.h"

#include <gtest/gtest.h>

#include <thread>

namespace backplane::storage {
namespace {

TEST(Patience, IsLostWhenSomethingTakesLongAndComesBack) {
    Patience patience;
    int tries = 0;
    const auto quick = [&] { return ++tries, 5; };
    EXPECT_EQ(patience.spend(quick), 5);
    EXPECT_EQ(patience.spend([] {
        std::this_thread::sleep_for(Patience::longest * 2);
        return 0;
    }),
              0);
    EXPECT_EQ(patience.spend(quick), EAGAIN);
    EXPECT_EQ(tries, 1) << "not even tried";
    std::this_thread::sleep_for(Patience::rest);
    EXPECT_EQ(patience.spend(quick), 5);
}

}  // namespace
}  // namespace backplane::storage
