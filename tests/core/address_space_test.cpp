#include "runtime/address_space.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

namespace backplane::runtime {
namespace {

// Records what the bus asks of a device; reads give the offset, repeated in every byte.
struct Probe {
    std::vector<std::tuple<char, std::uint64_t, std::uint32_t, std::uint64_t>> calls;
    backplane_window window{
        .struct_size = sizeof(backplane_window),
        .flags = 0,
        .memory = nullptr,
        .read = [](void* object, std::uint64_t offset, std::uint32_t size) -> std::uint64_t {
            static_cast<Probe*>(object)->calls.emplace_back('r', offset, size, 0);
            std::uint64_t value = 0;
            for (std::uint32_t byte = 0; byte < size; ++byte)
                value |= ((offset + byte) & 0xff) << (8 * byte);
            return value;
        },
        .write =
            [](void* object, std::uint64_t offset, std::uint32_t size, std::uint64_t value) {
                static_cast<Probe*>(object)->calls.emplace_back('w', offset, size, value);
            },
        .access_sizes = 0,
        .reserved = 0,
        .size = 0,
        .read_many = nullptr,
        .write_many = nullptr,
    };

    Mapping at(std::uint64_t base, std::uint64_t size, std::int32_t priority = 0) {
        return {.owner = "probe",
                .base = base,
                .size = size,
                .priority = priority,
                .window = &window,
                .object = this};
    }
};

struct Ram {
    std::vector<std::uint8_t> bytes;
    backplane_window window{};

    explicit Ram(std::size_t size, bool writable = true) : bytes(size) {
        window.struct_size = sizeof window;
        window.flags = BACKPLANE_WINDOW_READ_DIRECT |
                       (writable ? BACKPLANE_WINDOW_WRITE_DIRECT : 0);
        window.memory = bytes.data();
    }

    Mapping at(std::uint64_t base, std::int32_t priority = 0) {
        return {.owner = "ram",
                .base = base,
                .size = bytes.size(),
                .priority = priority,
                .window = &window,
                .object = this};
    }
};

class AddressSpaceTest : public testing::Test {
protected:
    MachineLock lock;
    DirtyTracking dirty;
    ExclusiveSection exclusive{lock, [] {}};
    AddressSpace memory{"memory", std::uint64_t{1} << 40, lock, exclusive, dirty};
    AddressSpace ports{"io", 0x10000, lock, exclusive, dirty};

    void SetUp() override { exclusive.enter(); }  // as a CPU does that is about to run
    Probe probe;
    Ram ram{0x1000};
};

TEST_F(AddressSpaceTest, ReadsOnesAndDropsWritesWhereNothingAnswers) {
    EXPECT_EQ(memory.read(0x1234, 1), 0xffu);
    EXPECT_EQ(memory.read(0x1234, 8), ~std::uint64_t{0});
    memory.write(0x1234, 4, 1);
    EXPECT_EQ(ports.read(0xffff, 2), 0xffffu);
    EXPECT_EQ(memory.read(~std::uint64_t{0} - 1, 4), 0xffffffffu);
}

TEST_F(AddressSpaceTest, GivesTheDeviceOffsetsIntoItsWindow) {
    ASSERT_FALSE(ports.map(probe.at(0x3f8, 8)));
    EXPECT_EQ(ports.read(0x3fd, 1), 5u);
    ports.write(0x3f9, 1, 0x77);
    using Call = std::tuple<char, std::uint64_t, std::uint32_t, std::uint64_t>;
    EXPECT_EQ(probe.calls, (std::vector<Call>{{'r', 5, 1, 0}, {'w', 1, 1, 0x77}}));
    EXPECT_EQ(ports.mappings()[0]->reads, 1u);
    EXPECT_EQ(ports.mappings()[0]->writes, 1u);
}

// What a device places while the machine runs.
backplane_placement placement(const backplane_window& window, void* object, std::uint64_t address,
                              std::uint64_t size, std::int32_t priority = 0,
                              std::uint32_t accesses = BACKPLANE_PLACE_READS |
                                                       BACKPLANE_PLACE_WRITES) {
    return {.struct_size = sizeof(backplane_placement),
            .accesses = accesses,
            .priority = priority,
            .reserved = 0,
            .address = address,
            .size = size,
            .offset = 0,
            .window = &window,
            .object = object,
            .name = "placed"};
}

TEST_F(AddressSpaceTest, AWindowComesAndGoesWhileTheMachineRuns) {
    ASSERT_FALSE(memory.map(ram.at(0x1000)));
    std::vector<std::pair<std::uint64_t, std::uint64_t>> told;
    memory.listen({.struct_size = sizeof(backplane_address_space_listener),
                   .reserved = 0,
                   .remapped =
                       [](void* user, std::uint64_t start, std::uint64_t length) {
                           static_cast<decltype(told)*>(user)->emplace_back(start, length);
                       },
                   .code_written = [](void*, std::uint64_t, std::uint64_t) {},
                   .user = &told,
                   .code_watched = nullptr});
    Mapping* low = memory.place(placement(probe.window, &probe, 0x1800, 0x1000, -1));
    EXPECT_EQ(memory.read(0x1800, 1), 0u);  // memory lies over it
    EXPECT_EQ(memory.read(0x2001, 1), 1u);  // 0x801 in the window
    EXPECT_EQ(probe.calls.back(), std::make_tuple('r', 0x801u, 1u, 0u));
    Mapping* high = memory.place(placement(probe.window, &probe, 0x1000, 0x10, 1));
    EXPECT_EQ(memory.find(0x1008).memory, nullptr);
    memory.remove(high);
    EXPECT_EQ(memory.find(0x1008).memory, ram.bytes.data());
    memory.remove(low);
    EXPECT_EQ(memory.read(0x2001, 1), 0xffu);
    EXPECT_EQ(told, (std::vector<std::pair<std::uint64_t, std::uint64_t>>{
                        {0x1800, 0x1000}, {0x1000, 0x10}, {0x1000, 0x10}, {0x1800, 0x1000}}));
}

TEST_F(AddressSpaceTest, ReadsAndWritesMayGoToDifferentWindows) {
    Ram rom{0x1000, false};
    rom.bytes[5] = 0x77;
    ASSERT_FALSE(memory.map(rom.at(0x1000)));
    Mapping* writes = memory.place(
        placement(ram.window, nullptr, 0x1000, 0x1000, 1, BACKPLANE_PLACE_WRITES));
    memory.write(0x1005, 1, 0x12);
    EXPECT_EQ(memory.read(0x1005, 1), 0x77u);
    EXPECT_EQ(ram.bytes[5], 0x12);
    EXPECT_EQ(memory.find(0x1005).readable, 1u);
    EXPECT_EQ(memory.find(0x1005).writable, 0u);
    memory.remove(writes);
    memory.place(placement(ram.window, nullptr, 0x1000, 0x1000, 1, BACKPLANE_PLACE_READS));
    EXPECT_EQ(memory.read(0x1005, 1), 0x12u);
    memory.write(0x1005, 1, 0x99);  // to the ROM beneath
    EXPECT_EQ(memory.read(0x1005, 1), 0x12u);
}

TEST_F(AddressSpaceTest, APlaceThatDoesNotFitIsNone) {
    EXPECT_EQ(memory.place(placement(probe.window, &probe, 0x1000, 0)), nullptr);
    EXPECT_EQ(memory.place(placement(probe.window, &probe, ~std::uint64_t{0} - 8, 0x100)), nullptr);
    EXPECT_EQ(ports.place(placement(probe.window, &probe, 0xfff8, 16)), nullptr);
}

TEST_F(AddressSpaceTest, SplitsAccessesThatTheDeviceCannotTake) {
    probe.window.access_sizes = 1 | 2;
    ASSERT_FALSE(memory.map(probe.at(0x1000, 0x10)));
    EXPECT_EQ(memory.read(0x1000, 4), 0x03020100u);
    memory.write(0x1008, 8, 0x8877665544332211);
    ASSERT_EQ(probe.calls.size(), 6u);
    EXPECT_EQ(probe.calls[1], std::tuple('r', 2u, 2u, 0u));
    EXPECT_EQ(probe.calls[5], std::tuple('w', 14u, 2u, 0x8877u));
}

TEST_F(AddressSpaceTest, SplitsAnAccessThatCrossesTheEndOfAWindow) {
    ASSERT_FALSE(memory.map(probe.at(0x1000, 0x10)));
    EXPECT_EQ(memory.read(0x100e, 4), 0xffff0f0eu);
    EXPECT_EQ(memory.read(0xfff, 2), 0x00ffu);
}

TEST_F(AddressSpaceTest, RefusesOverlapsOfOnePriorityAndNamesBoth) {
    ASSERT_FALSE(memory.map(ram.at(0x1000)));
    EXPECT_EQ(memory.map(probe.at(0x1800, 0x1000)),
              "probe at memory@0x1800-0x27ff overlaps ram at 0x1000-0x1fff; give one of them a "
              "higher priority, or move it");
}

TEST_F(AddressSpaceTest, RefusesWhatLiesBeyondItsEnd) {
    EXPECT_EQ(ports.map(probe.at(0xfffc, 8)),
              "probe at io@0xfffc with 0x8 bytes does not fit: io ends at 0xffff");
}

TEST_F(AddressSpaceTest, ShowsTheMappingOfHighestPriority) {
    Ram rom{0x100, false};
    rom.bytes[0] = 0xea;
    ASSERT_FALSE(memory.map(ram.at(0)));
    ASSERT_FALSE(memory.map(rom.at(0x800, 1)));
    memory.write(0x800, 1, 0x55);
    EXPECT_EQ(memory.read(0x800, 1), 0xeau);
    EXPECT_EQ(ram.bytes[0x800], 0);
    memory.write(0x7ff, 2, 0xaabb);
    EXPECT_EQ(ram.bytes[0x7ff], 0xbb);
    EXPECT_EQ(ram.bytes[0x800], 0);
    EXPECT_EQ(memory.find(0x7ff).length, 0x800u);
    EXPECT_EQ(memory.find(0x900).start, 0x900u);
}

TEST_F(AddressSpaceTest, HandsOutRamAsHostMemory) {
    ASSERT_FALSE(memory.map(ram.at(0x10000)));
    const backplane_range range = memory.find(0x10123);
    EXPECT_EQ(range.start, 0x10000u);
    EXPECT_EQ(range.length, 0x1000u);
    EXPECT_EQ(range.memory, ram.bytes.data());
    EXPECT_TRUE(range.readable);
    EXPECT_TRUE(range.writable);
    EXPECT_EQ(memory.find(0x20000).memory, nullptr);
    EXPECT_EQ(memory.extent(), 0x11000u);
}

TEST_F(AddressSpaceTest, CopiesBlocksAcrossRamDevicesAndHoles) {
    ASSERT_FALSE(memory.map(ram.at(0x1000)));
    ASSERT_FALSE(memory.map(probe.at(0x2000, 4)));
    std::array<std::uint8_t, 8> data{1, 2, 3, 4, 5, 6, 7, 8};
    memory.write_block(0x1ffe, data.data(), data.size());
    EXPECT_EQ(ram.bytes[0xfff], 2);
    EXPECT_EQ(probe.calls.size(), 4u);
    memory.read_block(0x1ffe, data.data(), data.size());
    EXPECT_EQ(data, (std::array<std::uint8_t, 8>{1, 2, 0, 1, 2, 3, 0xff, 0xff}));
}

TEST_F(AddressSpaceTest, TellsListenersAboutWritesIntoWatchedCode) {
    struct Heard {
        std::vector<std::pair<std::uint64_t, std::uint64_t>> writes, remaps;
    } heard;
    const backplane_address_space_listener listener{
        sizeof(backplane_address_space_listener),
        0,
        [](void* user, std::uint64_t start, std::uint64_t length) {
            static_cast<Heard*>(user)->remaps.emplace_back(start, length);
        },
        [](void* user, std::uint64_t start, std::uint64_t length) {
            static_cast<Heard*>(user)->writes.emplace_back(start, length);
        },
        &heard,
        nullptr};
    memory.listen(listener);
    Ram big{0x4000};
    ASSERT_FALSE(memory.map(big.at(0)));
    EXPECT_EQ(heard.remaps.size(), 1u);

    const std::array<std::uint8_t, 0x1800> data{};
    memory.write_block(0x1000, data.data(), data.size());
    EXPECT_TRUE(heard.writes.empty());
    memory.watch_code(0x2000, true);
    memory.write_block(0x1000, data.data(), 0x1000);
    EXPECT_TRUE(heard.writes.empty());
    memory.write_block(0x1000, data.data(), data.size());
    EXPECT_EQ(heard.writes.size(), 1u);
    memory.watch_code(0x2000, false);
    memory.write_block(0x2000, data.data(), 1);
    EXPECT_EQ(heard.writes.size(), 1u);
}

// A write would end the test: the page cannot be written to.
TEST_F(AddressSpaceTest, DoesNotWriteWhatIsThereButTellsOfIt) {
    void* page = mmap(nullptr, 0x1000, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(page, MAP_FAILED);
    Ram in_place{0x1000};
    in_place.window.memory = static_cast<std::uint8_t*>(page);
    ASSERT_FALSE(memory.map(in_place.at(0x1000)));
    unsigned told = 0;
    const backplane_address_space_listener listener{
        sizeof(backplane_address_space_listener),
        0,
        [](void*, std::uint64_t, std::uint64_t) {},
        [](void* user, std::uint64_t, std::uint64_t) { ++*static_cast<unsigned*>(user); },
        &told,
        nullptr};
    memory.listen(listener);
    memory.watch_code(0x1000, true);
    memory.write_block(0x1200, static_cast<std::uint8_t*>(page) + 0x200, 0x400);
    EXPECT_EQ(told, 1u);
    munmap(page, 0x1000);
}

TEST_F(AddressSpaceTest, TellsWhoKeepsCodeAndDropsItWhenThePageIsClaimed) {
    struct Heard {
        std::vector<std::pair<std::uint64_t, int>> watches;
        std::vector<std::pair<std::uint64_t, std::uint64_t>> writes;
    } heard;
    const backplane_address_space_listener listener{
        sizeof(backplane_address_space_listener),
        0,
        [](void*, std::uint64_t, std::uint64_t) {},
        [](void* user, std::uint64_t start, std::uint64_t length) {
            static_cast<Heard*>(user)->writes.emplace_back(start, length);
        },
        &heard,
        [](void* user, std::uint64_t page, std::int32_t watch) {
            static_cast<Heard*>(user)->watches.emplace_back(page, watch);
        }};
    memory.listen(listener);
    memory.claim_code_page(0x2000);
    EXPECT_TRUE(heard.writes.empty()) << "nobody has code there";
    memory.watch_code(0x2000, true);
    memory.watch_code(0x2000, true);
    memory.watch_code(0x5000, true);
    memory.claim_code_page(0x2000);
    EXPECT_EQ(heard.writes, (std::vector{std::pair{std::uint64_t{0x2000}, std::uint64_t{0x1000}}}));
    memory.watch_code(0x2000, false);
    memory.watch_code(0x2000, false);
    memory.claim_code_page(0x2000);
    EXPECT_EQ(heard.writes.size(), 1u);
    EXPECT_EQ(heard.watches, (std::vector<std::pair<std::uint64_t, int>>{
                                 {0x2000, 1}, {0x2000, 1}, {0x5000, 1}, {0x2000, 0}, {0x2000, 0}}));
}

// One that was compiled before code_watched was there.
TEST_F(AddressSpaceTest, CallsNoFunctionThatAListenerLacks) {
    backplane_address_space_listener listener{};
    listener.struct_size = offsetof(backplane_address_space_listener, code_watched);
    listener.remapped = [](void*, std::uint64_t, std::uint64_t) {};
    listener.code_written = [](void*, std::uint64_t, std::uint64_t) {};
    listener.code_watched = [](void*, std::uint64_t, std::int32_t) { FAIL(); };
    memory.listen(listener);
    memory.watch_code(0x2000, true);
}

TEST_F(AddressSpaceTest, HandsOutTrackedPagesForWritingOnlyOnceTheyAreDirty) {
    int remapped = 0;
    const backplane_address_space_listener listener{
        sizeof(backplane_address_space_listener),
        0,
        [](void* user, std::uint64_t, std::uint64_t) { ++*static_cast<int*>(user); },
        [](void*, std::uint64_t, std::uint64_t) {},
        &remapped,
        nullptr};
    memory.listen(listener);
    Ram big{0x4000};
    ASSERT_FALSE(memory.map(big.at(0x10000)));
    dirty.track(std::as_writable_bytes(std::span{big.bytes}));
    EXPECT_TRUE(memory.find(0x11234).writable) << "every page starts dirty";

    std::uint64_t bitmap = 0;
    DirtyPages& pages = *dirty.find(big.bytes.data());
    EXPECT_TRUE(pages.take(0, 4, &bitmap));
    EXPECT_EQ(bitmap, 0xfu);
    remapped = 0;
    memory.tell_remapped(pages.memory());
    EXPECT_EQ(remapped, 1);

    EXPECT_FALSE(memory.find(0x11234).writable);
    EXPECT_TRUE(memory.find(0x11234).readable);
    memory.write(0x11234, 4, 0x11223344);
    EXPECT_TRUE(memory.find(0x11234).writable);
    EXPECT_EQ(memory.find(0x11234).start, 0x11000u);
    EXPECT_EQ(memory.find(0x11234).length, 0x1000u);
    EXPECT_EQ(memory.find(0x11234).memory, big.bytes.data() + 0x1000);
    EXPECT_FALSE(memory.find(0x12000).writable);
    const std::array<std::uint8_t, 2> data{};
    memory.write_block(0x12fff, data.data(), data.size());
    EXPECT_TRUE(pages.take(0, 4, &bitmap));
    EXPECT_EQ(bitmap, 0xeu);
    EXPECT_FALSE(pages.take(0, 4, &bitmap));
    EXPECT_EQ(bitmap, 0u);
}

TEST_F(AddressSpaceTest, ManyAccessesAreOneCallWhereTheWindowHasIt) {
    Probe single, queue;
    queue.window.access_sizes = 2 | 4;
    queue.window.read_many = [](void* object, std::uint64_t offset, std::uint32_t size, void* data,
                                std::uint32_t count) {
        static_cast<Probe*>(object)->calls.emplace_back('R', offset, size, count);
        std::memset(data, 0x5a, std::size_t{3} * size);
        return std::uint32_t{3};
    };
    Mapping old = queue.at(0x3000, 0x10);
    backplane_window older = queue.window;
    older.struct_size = offsetof(backplane_window, read_many);
    old.window = &older;
    ASSERT_FALSE(ports.map(single.at(0x1000, 0x10)));
    ASSERT_FALSE(ports.map(queue.at(0x2000, 0x10)));
    ASSERT_FALSE(ports.map(old));
    std::array<std::uint8_t, 16> data{};
    EXPECT_EQ(ports.read_many(0x2004, 2, data.data(), 8), 3u);
    EXPECT_EQ(queue.calls, (decltype(queue.calls){{'R', 4, 2, 8}}));
    EXPECT_EQ(data[5], 0x5a);
    EXPECT_EQ(data[6], 0);
    EXPECT_EQ(ports.read_many(0x2000, 8, data.data(), 2), 0u) << "not a size of that window";
    EXPECT_EQ(ports.read_many(0x200e, 4, data.data(), 1), 0u) << "beyond its end";
    EXPECT_EQ(ports.write_many(0x2004, 2, data.data(), 8), 0u) << "it only reads so";
    EXPECT_EQ(ports.read_many(0x1000, 2, data.data(), 8), 0u);
    EXPECT_EQ(ports.read_many(0x3000, 2, data.data(), 8), 0u) << "made before there was such";
    EXPECT_EQ(ports.read_many(0x5000, 2, data.data(), 8), 0u) << "nobody there";
    EXPECT_TRUE(single.calls.empty());
}

}  // namespace
}  // namespace backplane::runtime
