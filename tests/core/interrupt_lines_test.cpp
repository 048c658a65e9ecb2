#include "runtime/interrupt_lines.h"

#include <gtest/gtest.h>

#include <vector>

namespace backplane::runtime {
namespace {

struct Input {
    std::vector<int> levels;
    backplane_link link();
};

constexpr backplane_line functions{sizeof(backplane_line), 0, [](void* object, std::int32_t level) {
                                       static_cast<Input*>(object)->levels.push_back(level);
                                   }};

backplane_link Input::link() { return {&functions, this}; }

void drive(backplane_link output, int level) {
    static_cast<const backplane_line*>(output.functions)->set(output.object, level);
}

TEST(InterruptLines, GiveAnInputTheOrOfItsOutputs) {
    MachineLock lock;
    InterruptLines lines{lock};
    Input input;
    const auto a = lines.connect(input.link(), {}), b = lines.connect(input.link(), {});
    drive(a, 1);
    drive(b, 1);
    drive(a, 0);
    EXPECT_EQ(input.levels, (std::vector{1}));
    drive(b, 0);
    EXPECT_EQ(input.levels, (std::vector{1, 0}));
}

TEST(InterruptLines, IgnoreALevelThatDoesNotChange) {
    MachineLock lock;
    InterruptLines lines{lock};
    Input input;
    int changes = 0;
    const auto a = lines.connect(input.link(), [&] { ++changes; });
    drive(a, 0);
    drive(a, 1);
    drive(a, 1);
    EXPECT_EQ(input.levels, (std::vector{1}));
    EXPECT_EQ(changes, 1);
}

TEST(InterruptLines, RestoreLevelsWithoutTellingAnyone) {
    MachineLock lock;
    InterruptLines lines{lock};
    Input input;
    const auto a = lines.connect(input.link(), {}), b = lines.connect(input.link(), {});
    drive(a, 1);
    const auto saved = lines.levels();
    drive(a, 0);
    drive(b, 1);
    input.levels.clear();
    lines.restore(saved);
    EXPECT_TRUE(input.levels.empty());
    drive(b, 1);
    drive(b, 0);
    EXPECT_TRUE(input.levels.empty()) << "a still drives the input";
    drive(a, 0);
    EXPECT_EQ(input.levels, (std::vector{0}));
}

}  // namespace
}  // namespace backplane::runtime
