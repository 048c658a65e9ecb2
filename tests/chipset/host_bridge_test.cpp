// The host bridges: configuration mechanism #1 and ECAM, shadow memory, interrupt pins, messages.
#include "pci/i440fx.h"
#include "pci/q35_mch.h"

#include <backplane/testing/device_bench.h>
#include <backplane/testing/fake_connections.h>
#include <backplane/testing/fake_pci_slot.h>
#include <backplane/testing/round_trip.h>

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

namespace backplane::chipset {
namespace {

using testing::DeviceBench;
using testing::PlacedSpace;
using testing::RecordedMessages;

struct FakeMemory {
    explicit FakeMemory(std::size_t size) : bytes(size) {
        window.struct_size = sizeof window;
        window.flags = BACKPLANE_WINDOW_READ_DIRECT | BACKPLANE_WINDOW_WRITE_DIRECT;
        window.memory = bytes.data();
        window.size = size;
    }
    backplane_link link() { return {&window, this}; }

    std::vector<std::uint8_t> bytes;
    backplane_window window{};
};

struct FakeRouter {
    backplane_link link() {
        static constexpr backplane_pci_interrupt_router functions{
            sizeof(backplane_pci_interrupt_router), 0,
            [](void* object, std::uint32_t device, std::uint32_t pin, std::int32_t level) {
                static_cast<FakeRouter*>(object)->calls.emplace_back(device, pin, level);
            }};
        return {&functions, this};
    }
    std::vector<std::tuple<unsigned, unsigned, int>> calls;
};

// A function with nothing but an identity and 4096 bytes that can be written.
struct FakeFunction {
    explicit FakeFunction(std::uint32_t identity) { bytes.set(0, 4, identity); }
    void attach(backplane_link slot_link) {
        slot = slot_link;
        bytes.allow(0x40, 4, ~0u);
        bytes.allow(0x100, 4, ~0u);
        const backplane_pci_function function{
            .struct_size = sizeof function,
            .reserved = 0,
            .read_config =
                [](void* user, std::uint32_t offset, std::uint32_t size) {
                    return static_cast<FakeFunction*>(user)->bytes.get(offset, size);
                },
            .write_config =
                [](void* user, std::uint32_t offset, std::uint32_t size, std::uint32_t value) {
                    static_cast<FakeFunction*>(user)->bytes.write(offset, size, value);
                },
            .user = this};
        functions().attach(slot.object, &function);
    }
    const backplane_pci_slot& functions() const {
        return *static_cast<const backplane_pci_slot*>(slot.functions);
    }
    void pin(unsigned number, bool level) const {
        functions().set_interrupt(slot.object, number, std::int32_t{level});
    }

    PciConfig bytes;
    backplane_link slot{};
};

// RAM of 2 MiB behind the bridge; 0xcc where a ROM would be.
class Board {
public:
    explicit Board(const backplane_device_type* type) : bench{type} {
        bench.connect("memory", memory.link());
        bench.connect("io", io.link());
        bench.connect("low-memory", low.link());
        bench.connect("messages", messages.link());
        bench.connect("interrupt-router", router.link());
        bench.power_on();
    }

    std::uint32_t config(unsigned function, unsigned offset, unsigned size = 4) {
        const auto ports = bench.window("configuration");
        ports.write32(0, 0x80000000 | function << 8 | (offset & 0xfc));
        return static_cast<std::uint32_t>(ports.read(4 + (offset & 3), size));
    }
    void set_config(unsigned function, unsigned offset, unsigned size, std::uint32_t value) {
        const auto ports = bench.window("configuration");
        ports.write32(0, 0x80000000 | function << 8 | (offset & 0xfc));
        ports.write(4 + (offset & 3), size, value);
    }

    PlacedSpace memory{0x200000}, io{0};
    FakeMemory low{0x200000};
    RecordedMessages messages;
    FakeRouter router;
    DeviceBench bench;
};

class I440fxTest : public ::testing::Test {
protected:
    Board board{Declaration<I440fx>::device_type()};
};

TEST_F(I440fxTest, IsFunctionZeroOfItsBus) {
    EXPECT_EQ(board.config(0, 0), 0x12378086u);
    EXPECT_EQ(board.config(0, 0x2c), 0x11001af4u);  // by which firmware knows an emulated PC
    EXPECT_EQ(board.config(8, 0), 0xffffffffu);
    board.bench.window("configuration").write32(0, 0x80010000);
    EXPECT_EQ(board.bench.window("configuration").read32(4), 0xffffffffu);  // there is no bus 1
    board.bench.window("configuration").write32(0, 0);
    EXPECT_EQ(board.bench.window("configuration").read32(4), 0xffffffffu);  // not enabled
}

TEST_F(I440fxTest, TheAddressTakesDoubleWordsOnly) {
    const auto ports = board.bench.window("configuration");
    ports.write32(0, 0x80000004);
    ports.write8(1, 0xff);
    ports.write16(0, 0xffff);
    EXPECT_EQ(ports.read32(0), 0x80000004u);
    EXPECT_EQ(ports.read8(1), 0xffu);
    ports.write32(0, ~0u);
    EXPECT_EQ(ports.read32(0), 0x80fffffcu);
}

TEST_F(I440fxTest, ReachesEachByteOfAFunction) {
    FakeFunction card{0x56781234};
    card.attach(board.bench.link("slots." + std::to_string(3 * 8 + 1)));
    EXPECT_EQ(board.config(25, 0), 0x56781234u);
    EXPECT_EQ(board.config(25, 2, 2), 0x5678u);
    EXPECT_EQ(board.config(25, 3, 1), 0x56u);
    board.set_config(25, 0x41, 1, 0xab);
    board.set_config(25, 0x42, 2, 0xcdef);
    EXPECT_EQ(board.config(25, 0x40), 0xcdefab00u);
}

TEST_F(I440fxTest, MemoryBelow640KAndAbove1MIsAlwaysThere) {
    board.memory.write(0x9ffff, 1, 0x11);
    board.memory.write(0x100000, 1, 0x22);
    EXPECT_EQ(board.low.bytes[0x9ffff], 0x11);
    EXPECT_EQ(board.low.bytes[0x100000], 0x22);
    board.memory.write(0xa0000, 1, 0x33);
    board.memory.write(0xfffff, 1, 0x33);
    EXPECT_EQ(board.low.bytes[0xa0000], 0);
    EXPECT_EQ(board.low.bytes[0xfffff], 0);
}

// Every segment in every mode: what a read sees and where a write goes.
TEST_F(I440fxTest, EachSegmentIsSwitchedByItsRegister) {
    struct Segment {
        unsigned reg, shift;
        std::uint64_t start, end;
    };
    std::vector<Segment> all{{0x59, 4, 0xf0000, 0x100000}};
    for (unsigned i = 0; i < 12; ++i)
        all.push_back({0x5a + i / 2, i % 2 * 4, 0xc0000 + i * 0x4000u, 0xc4000 + i * 0x4000u});
    for (const Segment& segment : all) {
        for (unsigned mode = 0; mode < 4; ++mode) {
            for (const std::uint64_t address : {segment.start, segment.end - 1}) {
                board.memory.memory[address] = 0xcc;
                board.low.bytes[address] = 0x55;
                board.set_config(0, segment.reg, 1, mode << segment.shift);
                EXPECT_EQ(board.memory.read(address, 1), (mode & 1) != 0 ? 0x55u : 0xccu);
                board.memory.write(address, 1, 0x77);
                EXPECT_EQ(board.low.bytes[address], (mode & 2) != 0 ? 0x77 : 0x55);
                EXPECT_EQ(board.memory.memory[address], (mode & 2) != 0 ? 0xcc : 0x77);
            }
        }
        board.set_config(0, segment.reg, 1, 0);
    }
}

TEST_F(I440fxTest, SmramOpensUntilLocked) {
    board.set_config(0, 0x72, 1, 0x4a);
    board.memory.write(0xa0000, 1, 0x12);
    EXPECT_EQ(board.low.bytes[0xa0000], 0x12);
    board.set_config(0, 0x72, 1, 0x1a);
    board.memory.write(0xa0000, 1, 0x34);
    EXPECT_EQ(board.low.bytes[0xa0000], 0x12);
    board.set_config(0, 0x72, 1, 0x4a);
    EXPECT_EQ(board.config(0, 0x72, 1) & 0x50, 0x10u);
    board.memory.write(0xa0000, 1, 0x34);
    EXPECT_EQ(board.low.bytes[0xa0000], 0x12);
    board.bench.reset();
    board.set_config(0, 0x72, 1, 0x4a);
    board.memory.write(0xa0000, 1, 0x34);
    EXPECT_EQ(board.low.bytes[0xa0000], 0x34);
}

TEST_F(I440fxTest, SmramStaysLockedAfterASnapshot) {
    board.set_config(0, 0x72, 1, 0x1a);
    Board other{Declaration<I440fx>::device_type()};
    other.bench.restore(board.bench.save());
    other.set_config(0, 0x72, 1, 0x4a);
    EXPECT_EQ(other.config(0, 0x72, 1) & 0x50, 0x10u);
    other.memory.write(0xa0000, 1, 0x34);
    EXPECT_EQ(other.low.bytes[0xa0000], 0);
}

TEST_F(I440fxTest, PinsOfOneDeviceAreWiredTogether) {
    FakeFunction first{1}, second{2};
    first.attach(board.bench.link("slots." + std::to_string(2 * 8)));
    second.attach(board.bench.link("slots." + std::to_string(2 * 8 + 7)));
    first.pin(1, true);
    second.pin(1, true);
    first.pin(1, false);
    second.pin(1, false);
    EXPECT_EQ(board.router.calls, (std::vector<std::tuple<unsigned, unsigned, int>>{
                                      {2, 1, 1}, {2, 1, 1}, {2, 1, 1}, {2, 1, 0}}));
    first.pin(0, true);
    first.pin(5, true);
    EXPECT_EQ(board.router.calls.size(), 4u);
}

TEST_F(I440fxTest, MessagesGoToTheLocalApicsAndOtherWritesToMemory) {
    FakeFunction card{1};
    card.attach(board.bench.link("slots." + std::to_string(16)));
    card.functions().send_message(card.slot.object, 0xfee01000, 0x41);
    EXPECT_EQ(board.messages.messages,
              (std::vector<RecordedMessages::Message>{{0xfee01000, 0x41}}));
    card.functions().send_message(card.slot.object, 0x2000, 0x12345678);
    EXPECT_EQ(board.memory.read(0x2000), 0x12345678u);
    EXPECT_EQ(board.messages.messages.size(), 1u);
}

TEST_F(I440fxTest, ShadowMemorySurvivesASnapshot) {
    board.set_config(0, 0x59, 1, 0x30);
    board.low.bytes[0xf1234] = 0x99;
    Board other{Declaration<I440fx>::device_type()};
    other.low.bytes[0xf1234] = 0x98;
    other.bench.restore(board.bench.save());
    EXPECT_EQ(other.memory.read(0xf1234, 1), 0x98u);
    EXPECT_EQ(other.config(0, 0x59, 1), 0x30u);
}

class Q35Test : public ::testing::Test {
protected:
    Board board{Declaration<Q35Mch>::device_type()};
};

TEST_F(Q35Test, ConfigurationSpaceIsInMemoryWhereTheRegisterSays) {
    EXPECT_EQ(board.config(0, 0), 0x29c08086u);
    FakeFunction card{0x56781234};
    card.attach(board.bench.link("slots." + std::to_string(0x1f * 8 + 2)));
    board.set_config(0, 0x60, 4, 0xb0000001);
    const std::uint64_t function = 0xb0000000 + ((0x1f * 8 + 2) << 12);
    EXPECT_EQ(board.memory.read(function), 0x56781234u);
    board.memory.write(function + 0x100, 4, 0xabcd);
    EXPECT_EQ(board.memory.read(function + 0x100), 0xabcdu);
    EXPECT_EQ(board.memory.read(0xb0100000), 0xffffffffu);  // bus 1
    EXPECT_EQ(board.config(0xfa, 0x40), 0u);
    // 64 MiB at an address above 4 GiB.
    board.set_config(0, 0x64, 4, 0x1);
    board.set_config(0, 0x60, 4, 0xb0000005);
    EXPECT_EQ(board.memory.address_of("ECAM"), 0x1b0000000u);
    board.set_config(0, 0x60, 4, 0xb0000004);
    EXPECT_EQ(board.memory.address_of("ECAM"), ~0ull);
}

TEST_F(Q35Test, SegmentsAreSwitchedByItsOwnRegisters) {
    board.low.bytes[0xe8000] = 0x55;
    board.set_config(0, 0x96, 1, 0x01);
    EXPECT_EQ(board.memory.read(0xe8000, 1), 0x55u);
    board.set_config(0, 0x9d, 1, 0x4a);
    board.memory.write(0xbffff, 1, 0x66);
    EXPECT_EQ(board.low.bytes[0xbffff], 0x66);
}

TEST_F(Q35Test, GoesOnAfterASnapshot) {
    board.set_config(0, 0x60, 4, 0xb0000001);
    Board other{Declaration<Q35Mch>::device_type()};
    other.bench.restore(board.bench.save());
    EXPECT_EQ(other.memory.address_of("ECAM"), 0xb0000000u);
}

}  // namespace
}  // namespace backplane::chipset
