#include "chip_bench.h"
#include "dma8237.h"

#include <deque>
#include <numeric>

namespace backplane::chipset {
namespace {

using testing::FlatMemory;

// A device that gives the bytes it has, and takes as many as it may.
class FakeDmaDevice {
public:
    void connect(Connection<backplane_dma_channel> to) {
        channel = to;
        const backplane_dma_device functions{
            sizeof functions, 0,
            [](void* user, std::uint32_t direction, std::uint8_t* data, std::uint32_t length) {
                return static_cast<FakeDmaDevice*>(user)->transfer(direction, data, length);
            },
            [](void* user) {
                auto& self = *static_cast<FakeDmaDevice*>(user);
                ++self.ends;
                if (!self.goes_on) self.request(false);
            },
            this};
        channel.call<&backplane_dma_channel::attach>(&functions);
    }

    void request(bool level) { channel.call<&backplane_dma_channel::request>(level); }

    std::deque<std::uint8_t> gives;
    std::vector<std::uint8_t> taken;
    std::size_t takes = SIZE_MAX;
    std::size_t verified = 0;
    int ends = 0;
    bool goes_on = false;
    Connection<backplane_dma_channel> channel;

private:
    std::uint32_t transfer(std::uint32_t direction, std::uint8_t* data, std::uint32_t length) {
        if (direction == BACKPLANE_DMA_VERIFY) {
            EXPECT_EQ(data, nullptr);
            verified += length;
            return length;
        }
        std::uint32_t done = 0;
        for (; done < length; ++done) {
            if (direction == BACKPLANE_DMA_FROM_DEVICE) {
                if (gives.empty()) break;
                data[done] = gives.front();
                gives.pop_front();
            } else {
                if (taken.size() >= takes) break;
                taken.push_back(data[done]);
            }
        }
        return done;
    }
};

constexpr std::uint8_t demand = 0x00, single = 0x40, block = 0x80, cascade = 0xc0;
constexpr std::uint8_t verify = 0x00, to_memory = 0x04, from_memory = 0x08;
constexpr std::uint8_t autoinit = 0x10, down = 0x20;

class Dma8237Test : public ::testing::Test {
protected:
    Dma8237Test() {
        std::iota(memory.bytes.begin(), memory.bytes.end(), std::uint8_t{0});
        bench.connect("memory", memory).power_on();
        write(4, 11, cascade | 0);
        write(4, 10, 0);
    }

    // Register `reg` of the controller that has this channel.
    void write(unsigned channel, unsigned reg, std::uint8_t value) {
        if (channel < 4)
            first.write8(reg, value);
        else
            second.write8(reg * 2, value);
    }
    int read(unsigned channel, unsigned reg) {
        return channel < 4 ? first.read8(reg) : second.read8(reg * 2);
    }
    int read16(unsigned channel, unsigned reg) {
        write(channel, 12, 0);
        const int low = read(channel, reg);
        return low | read(channel, reg) << 8;
    }
    int address(unsigned channel) { return read16(channel, channel % 4 * 2); }
    int count(unsigned channel) { return read16(channel, channel % 4 * 2 + 1); }

    // Masks the channel, sets it up and opens it again.
    void program(unsigned channel, std::uint8_t mode, std::uint32_t at, std::uint32_t transfers) {
        constexpr std::array<std::uint8_t, 8> pages{7, 3, 1, 2, 15, 11, 9, 10};
        const auto number = static_cast<std::uint8_t>(channel % 4);
        const std::uint32_t low = channel < 4 ? at : at >> 1;
        write(channel, 10, number | 4);
        write(channel, 12, 0);
        write(channel, 11, mode | number);
        write(channel, number * 2u, static_cast<std::uint8_t>(low));
        write(channel, number * 2u, static_cast<std::uint8_t>(low >> 8));
        write(channel, number * 2u + 1, static_cast<std::uint8_t>(transfers - 1));
        write(channel, number * 2u + 1, static_cast<std::uint8_t>((transfers - 1) >> 8));
        bench.window("pages").write8(pages[channel], static_cast<std::uint8_t>(at >> 16));
        write(channel, 10, number);
    }
    Connection<backplane_dma_channel> channel(unsigned number) {
        return bench.service<backplane_dma_channel>("channels." + std::to_string(number));
    }
    std::vector<std::uint8_t> at(std::size_t address, std::size_t length) {
        return {memory.bytes.begin() + static_cast<std::ptrdiff_t>(address),
                memory.bytes.begin() + static_cast<std::ptrdiff_t>(address + length)};
    }

    FlatMemory memory{1 << 20};
    DeviceBench bench{type_of<Dma8237>()};
    testing::WindowProbe first = bench.window("first"), second = bench.window("second");
    FakeDmaDevice device;
};

using Bytes = std::vector<std::uint8_t>;

TEST_F(Dma8237Test, MovesBytesIntoMemoryUntilTerminalCount) {
    device.connect(channel(2));
    program(2, single | to_memory, 0x12340, 4);
    device.gives = {1, 2, 3, 4, 5};
    device.request(true);
    EXPECT_EQ(at(0x1233f, 6), (Bytes{0x3f, 1, 2, 3, 4, 0x44}));
    EXPECT_EQ(device.ends, 1);
    EXPECT_EQ(device.gives.size(), 1u);
    EXPECT_EQ(address(2), 0x2344);
    EXPECT_EQ(count(2), 0xffff);
    EXPECT_EQ(read(2, 8), 0x04) << "channel 2 reached terminal count";
    EXPECT_EQ(read(2, 8), 0x00) << "which reading clears";
    EXPECT_EQ(read(2, 15), 0x0f) << "and is masked again";
    device.request(true);
    EXPECT_EQ(read(2, 8), 0x40) << "its request is seen but not served";
    EXPECT_EQ(device.ends, 1);
    EXPECT_EQ(bench.statistic("bytes"), 4u);
    EXPECT_EQ(bench.statistic("blocks"), 1u);
}

TEST_F(Dma8237Test, AReadyDeviceWaitsForTheGuest) {
    device.connect(channel(1));
    device.request(true);
    EXPECT_TRUE(device.taken.empty());
    program(1, single | from_memory, 0x00102, 3);
    EXPECT_EQ(device.taken, (Bytes{2, 3, 4}));
    EXPECT_EQ(device.ends, 1);
}

TEST_F(Dma8237Test, ADeviceTakesWhatItCanAndGoesOnLater) {
    device.connect(channel(3));
    program(3, demand | from_memory, 0x00200, 10);
    device.takes = 4;
    device.request(true);
    EXPECT_EQ(device.taken, (Bytes{0, 1, 2, 3}));
    EXPECT_EQ(address(3), 0x0204);
    EXPECT_EQ(count(3), 5);
    EXPECT_EQ(read(3, 8), 0x00) << "no request, no terminal count";
    device.takes = 100;
    device.request(true);
    EXPECT_EQ(device.taken.size(), 10u);
    EXPECT_EQ(device.ends, 1);
}

TEST_F(Dma8237Test, ChannelsOfWordsMoveWords) {
    device.connect(channel(5));
    EXPECT_EQ(device.channel.call<&backplane_dma_channel::width>(), 2u);
    program(5, single | to_memory, 0x31000, 2);
    bench.window("pages").write8(0xb, 0x02);
    device.gives = {0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6};
    device.request(true);
    EXPECT_EQ(at(0x30fff, 6), (Bytes{0xff, 0xa1, 0xa2, 0xa3, 0xa4, 0x04}))
        << "address bit 16 comes from the address register, not from the page";
    EXPECT_EQ(address(5), 0x8802);
    EXPECT_EQ(read(5, 8), 0x02);
    device.connect(channel(7));
    program(7, single | from_memory, 0x40010, 2);
    device.request(true);
    EXPECT_EQ(device.taken, (Bytes{0x10, 0x11, 0x12, 0x13}));
}

TEST_F(Dma8237Test, AddressesCountDownToo) {
    device.connect(channel(2));
    program(2, single | to_memory | down, 0x10102, 4);
    device.gives = {1, 2, 3, 4};
    device.request(true);
    EXPECT_EQ(at(0x100fe, 6), (Bytes{0xfe, 4, 3, 2, 1, 0x03}));
    EXPECT_EQ(address(2), 0x00fe);
    device.connect(channel(6));
    program(6, single | from_memory | down, 0x20104, 2);
    device.request(true);
    EXPECT_EQ(device.taken, (Bytes{4, 5, 2, 3}));
    device.connect(channel(1));
    program(1, single | to_memory | down, 0x30010, 8);
    device.gives = {9, 8};
    device.request(true);
    EXPECT_EQ(at(0x3000e, 3), (Bytes{0x0e, 8, 9})) << "a part of it";
    EXPECT_EQ(address(1), 0x000e);
}

TEST_F(Dma8237Test, AddressesWrapWithinTheirPage) {
    device.connect(channel(2));
    program(2, single | to_memory, 0x3fffe, 4);
    device.gives = {1, 2, 3, 4};
    device.request(true);
    EXPECT_EQ(at(0x3fffe, 4), (Bytes{1, 2, 0x00, 0x01}));
    EXPECT_EQ(at(0x30000, 3), (Bytes{3, 4, 0x02}));
    program(2, single | to_memory | down, 0x30001, 4);
    device.gives = {5, 6, 7, 8};
    device.request(true);
    EXPECT_EQ(at(0x3fffe, 2), (Bytes{8, 7}));
    EXPECT_EQ(at(0x30000, 2), (Bytes{6, 5}));
}

TEST_F(Dma8237Test, TheLongestTransferIs65536) {
    device.connect(channel(3));
    program(3, demand | from_memory, 0x50000, 0x10000);
    device.request(true);
    EXPECT_EQ(device.taken, at(0x50000, 0x10000));
    EXPECT_EQ(device.ends, 1);
    EXPECT_EQ(count(3), 0xffff);
}

TEST_F(Dma8237Test, AutoinitializeBeginsAgainWhenTheBusIsFree) {
    device.connect(channel(1));
    device.goes_on = true;
    program(1, demand | from_memory | autoinit, 0x00000, 100);
    device.request(true);
    EXPECT_EQ(device.taken.size(), 100u);
    EXPECT_EQ(address(1), 0);
    EXPECT_EQ(count(1), 99);
    EXPECT_EQ(read(1, 8), 0x22) << "terminal count and still a request";
    EXPECT_EQ(read(1, 15) & 0x02, 0) << "not masked";
    bench.advance(99us);
    EXPECT_EQ(device.taken.size(), 100u);
    bench.advance(1us);
    EXPECT_EQ(device.taken.size(), 200u);
    EXPECT_EQ(device.taken[100], 0);
    device.request(false);
    bench.advance(1s);
    EXPECT_EQ(device.taken.size(), 200u);
    EXPECT_EQ(device.ends, 2);
}

TEST_F(Dma8237Test, VerifyMovesNothing) {
    device.connect(channel(2));
    program(2, single | verify, 0x00100, 16);
    const auto before = memory.bytes;
    device.request(true);
    EXPECT_EQ(device.verified, 16u);
    EXPECT_EQ(device.ends, 1);
    EXPECT_EQ(memory.bytes, before);
    EXPECT_EQ(address(2), 0x0110);
}

TEST_F(Dma8237Test, BlockModeDoesNotWaitForTheDevice) {
    device.connect(channel(2));
    program(2, block | to_memory, 0x00100, 4);
    device.gives = {1, 2};
    device.request(true);
    EXPECT_EQ(at(0x100, 5), (Bytes{1, 2, 0xff, 0xff, 4}));
    EXPECT_EQ(device.ends, 1);
}

TEST_F(Dma8237Test, SoftwareRequestsCannotBeMasked) {
    program(1, block | to_memory, 0x00100, 4);
    write(1, 10, 1 | 4);
    write(1, 9, 1 | 4);
    EXPECT_EQ(at(0x100, 5), (Bytes{0xff, 0xff, 0xff, 0xff, 4})) << "nobody drives the bus";
    EXPECT_EQ(read(1, 8), 0x02);
    device.connect(channel(1));
    device.takes = 0;
    program(1, single | from_memory, 0x00100, 4);
    write(1, 9, 1 | 4);
    EXPECT_EQ(read(1, 8), 0x02) << "it ends, whatever the device does";
}

TEST_F(Dma8237Test, MemoryToMemoryGoesThroughTheTemporaryRegister) {
    program(0, block | from_memory, 0x10100, 1);
    program(1, block | to_memory, 0x20000, 5);
    first.write8(8, 0x01);
    first.write8(9, 0x04);
    EXPECT_EQ(at(0x20000, 6), (Bytes{0, 1, 2, 3, 4, 5}));
    EXPECT_EQ(read(0, 13), 4);
    EXPECT_EQ(read(0, 8), 0x02);
    EXPECT_EQ(address(0), 0x0105);
    EXPECT_EQ(address(1), 0x0005);
    program(0, block | from_memory, 0x10142, 1);
    program(1, block | to_memory | down, 0x20004, 5);
    first.write8(8, 0x03);
    first.write8(9, 0x04);
    EXPECT_EQ(at(0x20000, 6), (Bytes{0x42, 0x42, 0x42, 0x42, 0x42, 5})) << "the source is held";
}

TEST_F(Dma8237Test, ARequestForMemoryToMemoryThatStaysDoesNotStopTime) {
    program(0, block | from_memory, 0x10100, 1);
    program(1, block | to_memory | autoinit, 0x20000, 5);
    first.write8(8, 0x01);
    channel(0).call<&backplane_dma_channel::request>(1);
    EXPECT_EQ(bench.statistic("blocks"), 1u);
    bench.advance(50us);
    EXPECT_EQ(bench.statistic("blocks"), 11u);
}

TEST_F(Dma8237Test, TheFirstControllerNeedsTheSecond) {
    device.connect(channel(2));
    write(4, 10, 4);
    program(2, single | to_memory, 0x00100, 1);
    device.gives = {1, 2};
    device.request(true);
    EXPECT_EQ(device.gives.size(), 2u) << "channel 4 is masked";
    write(4, 10, 0);
    EXPECT_EQ(device.gives.size(), 1u);
    write(4, 8, 0x04);
    program(2, single | to_memory, 0x00100, 1);
    device.request(true);
    EXPECT_EQ(device.gives.size(), 1u) << "the second controller is disabled";
    write(4, 8, 0x00);
    EXPECT_EQ(device.gives.size(), 0u);
}

TEST_F(Dma8237Test, PriorityIsFixedOrRotates) {
    std::array<FakeDmaDevice, 3> devices;
    std::vector<int> order;
    const auto run = [&](std::uint8_t command) {
        order.clear();
        first.write8(8, 0x04 | command);
        for (unsigned number = 0; number < 3; ++number) {
            devices[number].connect(channel(number + 1));
            program(number + 1, single | to_memory, 0x100 * (number + 1), 1);
            devices[number].gives = {static_cast<std::uint8_t>(0xa0 + number)};
            devices[number].request(true);
        }
        first.write8(8, command);
        for (auto& each : devices)
            EXPECT_TRUE(each.gives.empty());
    };
    run(0x00);
    EXPECT_EQ(at(0x100, 1), Bytes{0xa0});
    // After channel 1 was served last it has the lowest priority: two channels into one place.
    first.write8(8, 0x14);
    for (const unsigned number : {1u, 3u}) {
        program(number, single | to_memory, 0x400, 1);
        bench.window("pages").write8(number == 1 ? 3 : 2, 0);
    }
    devices[0].gives = {1};
    devices[2].gives = {3};
    first.write8(8, 0x10);
    devices[0].request(true);  // channel 1 goes, and comes last from now on
    first.write8(8, 0x14);
    program(1, single | to_memory, 0x400, 1);
    devices[0].gives = {2};
    devices[0].request(true);
    devices[2].request(true);
    first.write8(8, 0x10);
    EXPECT_EQ(at(0x400, 1), Bytes{2}) << "3 was written first, then 2 over it";
}

TEST_F(Dma8237Test, MasterClearMasksEverything) {
    program(2, single | to_memory, 0x00100, 1);
    first.write8(8, 0x20);
    first.write8(13, 0);
    EXPECT_EQ(read(2, 15), 0x0f);
    EXPECT_EQ(address(2), 0x0100) << "addresses stay";
    first.write8(14, 0);
    EXPECT_EQ(read(2, 15), 0x00);
    first.write8(15, 0x05);
    EXPECT_EQ(read(2, 15), 0x05);
    bench.reset();
    EXPECT_EQ(read(2, 15), 0x0f);
    EXPECT_EQ(address(2), 0x0100);
    bench.reset(BACKPLANE_RESET_POWER_ON);
    EXPECT_EQ(address(2), 0x0000);
}

TEST_F(Dma8237Test, BytesOfARegisterAlternate) {
    first.write8(12, 0);
    first.write8(0, 0x34);
    first.write8(0, 0x12);
    EXPECT_EQ(first.read8(0), 0x34);
    EXPECT_EQ(first.read8(0), 0x12);
    EXPECT_EQ(first.read8(0), 0x34);
    first.write8(12, 0);
    EXPECT_EQ(first.read8(0), 0x34);
    EXPECT_EQ(first.read8(9), 0xff) << "write only";
}

TEST_F(Dma8237Test, SparePageRegistersAreJustRegisters) {
    const auto pages = bench.window("pages");
    for (unsigned index = 0; index < 16; ++index)
        pages.write8(index, static_cast<std::uint8_t>(0x80 + index));
    bench.reset();
    for (unsigned index = 0; index < 16; ++index)
        EXPECT_EQ(pages.read8(index), 0x80 + index);
}

TEST_F(Dma8237Test, DmaBeyondMemoryHarmsNobody) {
    device.connect(channel(2));
    program(2, single | to_memory, 0xff0000, 16);
    device.gives.assign(16, 1);
    device.request(true);
    EXPECT_EQ(device.ends, 1);
    program(2, single | from_memory, 0xff0000, 2);
    device.request(true);
    EXPECT_EQ(device.taken, (Bytes{0xff, 0xff}));
}

TEST_F(Dma8237Test, SurvivesASnapshotBetweenTwoBlocks) {
    device.connect(channel(1));
    device.goes_on = true;
    program(1, demand | from_memory | autoinit, 0x00000, 100);
    device.request(true);
    DeviceBench other{type_of<Dma8237>()};
    other.connect("memory", memory).power_on();
    FakeDmaDevice other_device;
    other_device.connect(other.service<backplane_dma_channel>("channels.1"));
    other_device.goes_on = true;
    EXPECT_EQ(testing::round_trip(bench, other, 1ms), "");
    EXPECT_EQ(other_device.taken.size(), device.taken.size() - 100);
}

TEST_F(Dma8237Test, BearsRandomAccesses) {
    play_random_script(bench, 8237);
    DeviceBench other{type_of<Dma8237>()};
    other.connect("memory", memory).power_on();
    EXPECT_EQ(testing::round_trip(bench, other), "");
}

}  // namespace
}  // namespace backplane::chipset
