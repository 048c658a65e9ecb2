#include "stack_walk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <map>

namespace backplane::profiler {
namespace {

using profile::Caller;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint64_t kernel = 0xffff'ffff'8100'0000, stack = 0xffff'c900'0000'3000;

class StackWalk : public ::testing::Test, public GuestMemory {
protected:
    std::size_t read(std::uint64_t linear, std::span<std::byte> bytes) override {
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            const auto found = memory_.find(linear + i);
            if (found == memory_.end()) return i;
            bytes[i] = static_cast<std::byte>(found->second);
        }
        return bytes.size();
    }

    void place(std::uint64_t address, std::initializer_list<int> bytes) {
        for (const int byte : bytes)
            memory_[address++] = static_cast<std::uint8_t>(byte);
    }
    void word(std::uint64_t address, std::uint64_t value, unsigned size = 8) {
        for (unsigned i = 0; i < size; ++i)
            memory_[address + i] = static_cast<std::uint8_t>(value >> (8 * i));
    }
    // Code whose instruction in front of `address` is this one.
    void before(std::uint64_t address, std::initializer_list<int> bytes) {
        for (std::uint64_t i = 1; i <= 8; ++i)
            memory_[address - i] = 0x90;
        place(address - bytes.size(), bytes);
    }

    std::vector<Caller> walk(std::size_t most = 16) {
        KnownCalls known;
        return walk_stack(*this, known, place_, most);
    }

    StackPlace place_{.pc = kernel + 4,
                      .stack_pointer = stack,
                      .frame_pointer = 0,
                      .is_user = false,
                      .code_size = 64};

private:
    std::map<std::uint64_t, std::uint8_t> memory_;
};

TEST_F(StackWalk, FindsWhatIsBehindACall) {
    before(kernel + 0x100, {0xe8, 0x00, 0x02, 0x00, 0x00});  // call +0x200
    before(kernel + 0x300, {0xff, 0xd0});                    // call rax
    before(kernel + 0x400, {0x48, 0x89, 0xc7});              // mov rdi, rax
    word(stack, 17);
    word(stack + 8, kernel + 0x100);
    word(stack + 16, kernel + 0x400);
    word(stack + 24, stack + 0x40);
    word(stack + 32, kernel + 0x300);
    EXPECT_THAT(walk(), ElementsAre(Caller{kernel + 0x100, kernel + 0x300},
                                    Caller{kernel + 0x300, Caller::indirect}));
    EXPECT_THAT(walk(1), ElementsAre(Caller{kernel + 0x100, kernel + 0x300}));
}

TEST_F(StackWalk, KnowsEachFormOfCall) {
    const std::initializer_list<int> calls[]{{0xff, 0x10},
                                             {0xff, 0x14, 0xc5},
                                             {0xff, 0x50, 0x08},
                                             {0xff, 0x54, 0x24, 0x08},
                                             {0xff, 0x15, 1, 2, 3, 4},
                                             {0xff, 0x90, 1, 2, 3, 4},
                                             {0xff, 0x94, 0x24, 1, 2, 3, 4},
                                             {0x41, 0xff, 0xd3}};
    std::uint64_t at = kernel + 0x100;
    std::size_t count = 0;
    for (const auto& call : calls) {
        before(at, call);
        word(stack + 8 * count++, at);
        at += 0x20;
    }
    EXPECT_EQ(walk().size(), std::size(calls));
    // jmp rax; push [rax]; inc eax
    for (const auto& other : {std::initializer_list<int>{0xff, 0xe0}, {0xff, 0x30}, {0xff, 0xc0}}) {
        before(kernel + 0x100, other);
        EXPECT_EQ(walk().size(), std::size(calls) - 1);
    }
}

TEST_F(StackWalk, StopsWhereTheStackDoes) {
    before(kernel + 0x100, {0xff, 0xd0});
    for (int i = 0; i < 5; ++i)
        word(stack + 8 * i, kernel + 0x100);
    EXPECT_EQ(walk().size(), 5u);
    // A kernel stack ends at a multiple of its size.
    place_.stack_pointer = 0xffff'c900'0000'3fe8;
    for (int i = 0; i < 5; ++i)
        word(place_.stack_pointer + 8 * i, kernel + 0x100);
    EXPECT_EQ(walk().size(), 3u);
}

TEST_F(StackWalk, FollowsFramePointersWhereThereAreSome) {
    place_ = {.pc = 0x40'1000,
              .stack_pointer = 0x7fff'0000,
              .frame_pointer = 0x7fff'0010,
              .is_user = true,
              .code_size = 64};
    before(0x40'1100, {0xe8, 0, 0, 0, 0});
    before(0x40'1200, {0xff, 0xd0});
    before(0x40'1300, {0xff, 0xd0});
    word(0x7fff'0000, 0x40'1300);  // of a call that is over
    word(0x7fff'0008, 0);
    word(0x7fff'0010, 0x7fff'0040);
    word(0x7fff'0018, 0x40'1100);
    word(0x7fff'0040, 0);
    word(0x7fff'0048, 0x40'1200);
    EXPECT_THAT(walk(), ElementsAre(Caller{0x40'1100, Caller::by_frame},
                                    Caller{0x40'1200, Caller::by_frame}));
}

TEST_F(StackWalk, ReadsStacksOf32Bits) {
    place_ = {.pc = 0x80'1000,
              .stack_pointer = 0x7ff'0000,
              .frame_pointer = 1,
              .is_user = true,
              .code_size = 32};
    before(0x80'1100, {0xe8, 0xfb, 0xfe, 0xff, 0xff});
    word(0x7ff'0000, 4, 4);
    word(0x7ff'0004, 0x80'1100, 4);
    EXPECT_THAT(walk(), ElementsAre(Caller{0x80'1100, 0x80'0ffb}));
}

TEST_F(StackWalk, HasNothingWhereMemoryIsMissing) {
    EXPECT_THAT(walk(), IsEmpty());
    word(stack, kernel + 0x100);
    EXPECT_THAT(walk(), IsEmpty()) << "its code is not there";
    place_.code_size = 16;
    EXPECT_THAT(walk(), IsEmpty());
}

}  // namespace
}  // namespace backplane::profiler
