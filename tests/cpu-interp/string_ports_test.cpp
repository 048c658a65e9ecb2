// REP INS and OUTS at a port whose device moves many words at once: the same as word by word.
#include "test_processor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace backplane::interp::testing {
namespace {

using x86::RCX, x86::RDI, x86::RDX, x86::RSI;
constexpr std::uint64_t code = TestProcessor::code, data = TestProcessor::data;
constexpr std::uint16_t port = 0x1f0;

// A queue of words 0, 1, 2..., that gives at most `most` of them in one call.
class StringPorts : public ::testing::Test {
protected:
    StringPorts() {
        processor.bus.on_read = [this](std::uint64_t, unsigned size) -> std::uint64_t {
            ++singles;
            EXPECT_EQ(size, 2u);
            return next++;
        };
        processor.bus.on_write = [this](std::uint64_t, unsigned, std::uint64_t value) {
            ++singles;
            written.push_back(static_cast<std::uint16_t>(value));
        };
        processor.bus.on_read_many = [this](std::uint16_t at, unsigned size,
                                            std::span<std::byte> to) -> std::uint32_t {
            EXPECT_EQ(at, port);
            const std::size_t count = std::min(most, to.size() / size);
            for (std::size_t word = 0; word < count; ++word, ++next)
                std::memcpy(to.data() + word * 2, &next, 2);
            return static_cast<std::uint32_t>(count);
        };
        processor.bus.on_write_many = [this](std::uint16_t, unsigned size,
                                             std::span<const std::byte> from) -> std::uint32_t {
            const std::size_t count = std::min(most, from.size() / size);
            for (std::size_t word = 0; word < count; ++word)
                std::memcpy(&written.emplace_back(), from.data() + word * 2, 2);
            return static_cast<std::uint32_t>(count);
        };
        processor[RDX] = port;
    }

    // Executes it with `count` words at `place`; true when it came to its end.
    bool run(std::initializer_list<int> instruction, std::uint64_t place, std::uint64_t count) {
        processor.place(code, instruction);
        processor.bus.ram[code + instruction.size()] = 0xf4;
        processor.cpu.invalidate_physical(code, 16);
        processor[RCX] = count;
        processor[RDI] = processor[RSI] = place;
        return processor.run_to_halt();
    }

    std::uint16_t word(std::uint64_t index) const {
        return processor.read<std::uint16_t>(data + index * 2);
    }

    TestProcessor processor;
    std::size_t most = 256;
    std::uint16_t next = 0;
    std::vector<std::uint16_t> written;
    unsigned singles = 0;
};

constexpr std::initializer_list<int> rep_insw{0xf3, 0x66, 0x6d}, rep_outsw{0xf3, 0x66, 0x6f};

TEST_F(StringPorts, InsTakesWhatTheDeviceGivesAtOnce) {
    ASSERT_TRUE(run(rep_insw, data, 3000));
    EXPECT_EQ(processor[RCX], 0u);
    EXPECT_EQ(processor[RDI], data + 6000);
    for (std::uint64_t index = 0; index < 3000; ++index)
        ASSERT_EQ(word(index), index);
    EXPECT_EQ(singles, 0u);
    EXPECT_EQ(processor.cpu.counters()[Counter::PortReads], 3000u);
}

TEST_F(StringPorts, TheCountOfInstructionsIsThatOfSingleWords) {
    ASSERT_TRUE(run(rep_insw, data, 1000));
    const auto in_bulk = processor.cpu.instructions();
    most = 0;
    ASSERT_TRUE(run(rep_insw, data, 1000));
    EXPECT_EQ(singles, 1000u);
    EXPECT_EQ(processor.cpu.instructions(), 2 * in_bulk);
}

TEST_F(StringPorts, WordsThatLieAcrossPagesAreReadSingly) {
    const std::uint64_t place = data + 0x1000 - 5;
    ASSERT_TRUE(run(rep_insw, place, 100));
    EXPECT_EQ(singles, 1u);
    for (std::uint64_t index = 0; index < 100; ++index)
        ASSERT_EQ(processor.read<std::uint16_t>(place + index * 2), index);
}

TEST_F(StringPorts, APageFaultLeavesTheQueueAtTheRightWord) {
    processor.write<std::uint64_t>(TestProcessor::entry(data + 0x1000), 0);
    processor.cpu.state_replaced();
    EXPECT_FALSE(run(rep_insw, data + 0x1000 - 20, 100));
    EXPECT_EQ(processor.stopped_in_vector(), 14);
    EXPECT_EQ(processor[RCX], 90u);
    EXPECT_EQ(processor[RDI], data + 0x1000);
    EXPECT_EQ(next, 10) << "nothing was taken for the page that is not there";
}

TEST_F(StringPorts, DownwardsGoesSingly) {
    processor.cpu.state.rflags |= x86::rflags::df;
    ASSERT_TRUE(run(rep_insw, data + 20, 10));
    EXPECT_EQ(singles, 10u);
    EXPECT_EQ(word(10), 0);
    EXPECT_EQ(word(1), 9);
}

TEST_F(StringPorts, OutsGivesWhatTheDeviceTakesAtOnce) {
    for (std::uint64_t index = 0; index < 3000; ++index)
        processor.write<std::uint16_t>(data + index * 2, static_cast<std::uint16_t>(index * 3));
    ASSERT_TRUE(run(rep_outsw, data, 3000));
    EXPECT_EQ(processor[RCX], 0u);
    EXPECT_EQ(processor[RSI], data + 6000);
    ASSERT_EQ(written.size(), 3000u);
    for (std::size_t index = 0; index < 3000; ++index)
        ASSERT_EQ(written[index], static_cast<std::uint16_t>(index * 3));
    EXPECT_EQ(singles, 0u);
    EXPECT_EQ(processor.cpu.counters()[Counter::PortWrites], 3000u);
}

}  // namespace
}  // namespace backplane::interp::testing
