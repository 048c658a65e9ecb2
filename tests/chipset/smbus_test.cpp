#include "chip_bench.h"
#include "pci/ich9_smbus.h"
#include "piix4_smbus.h"
#include "spd_eeprom.h"

#include <backplane/testing/fake_pci_slot.h>

#include <array>
#include <vector>

namespace backplane::chipset {
namespace {

using testing::FakePciSlot;

// A device that records what is done to it, and gives bytes in order.
class FakeSmbusDevice {
public:
    explicit FakeSmbusDevice(std::uint8_t at) : address{at} {}

    backplane_link link() {
        static constexpr backplane_smbus_device functions{
            sizeof(backplane_smbus_device),
            0,
            [](void* object, std::uint8_t address, std::int32_t read) -> std::int32_t {
                auto& self = *static_cast<FakeSmbusDevice*>(object);
                if (address != self.address) return 0;
                self.log += read != 0 ? " R" : " W";
                return 1;
            },
            [](void* object, std::uint8_t value) -> std::int32_t {
                auto& self = *static_cast<FakeSmbusDevice*>(object);
                self.log += " " + std::to_string(value);
                return self.takes-- > 0;
            },
            [](void* object) -> std::uint8_t {
                auto& self = *static_cast<FakeSmbusDevice*>(object);
                self.log += " r";
                return self.next < self.gives.size() ? self.gives[self.next++] : 0xee;
            },
            [](void* object) { static_cast<FakeSmbusDevice*>(object)->log += " P"; }};
        return {&functions, this};
    }

    // What happened since this was asked last.
    std::string take_log() { return std::exchange(log, {}); }

    std::uint8_t address;
    std::vector<std::uint8_t> gives;
    std::size_t next = 0;
    int takes = 1000;
    std::string log;
};

constexpr std::uint8_t quick = 0x00, byte = 0x04, byte_data = 0x08, word_data = 0x0c,
                       process_call = 0x10, block = 0x14, i2c_read = 0x18, block_process = 0x1c;
constexpr std::uint8_t start = 0x40, interrupts = 0x01;
constexpr int busy = 0x01, done = 0x02, device_error = 0x04, failed = 0x10, byte_done = 0x80;

// What both chips do.
template <class Bench>
class SmbusTest : public ::testing::Test {
protected:
    int read(unsigned reg) { return registers().read8(reg); }
    void write(unsigned reg, int value) {
        registers().write8(reg, static_cast<std::uint8_t>(value));
    }
    testing::WindowProbe registers() { return chip.bench.window("registers"); }

    // Runs a transfer to its end; the status without INUSE_STS.
    int run(std::uint8_t command, bool reads, std::uint8_t address = 0x50) {
        write(0, 0xff);
        write(4, address << 1 | (reads ? 1 : 0));
        write(2, command | start);
        EXPECT_EQ(read(0) & busy, busy);
        chip.bench.advance(10ms);
        return read(0) & ~0x40;
    }

    FakeSmbusDevice device{0x50}, other{0x51};
    Bench chip{device, other};
};

struct Piix4Bench {
    Piix4Bench(FakeSmbusDevice& device, FakeSmbusDevice& other) {
        bench.connect("devices", device).connect("devices", other).power_on();
    }
    bool interrupt() { return bench.level("irq"); }

    DeviceBench bench{type_of<Piix4Smbus>()};
};

struct Ich9Bench {
    Ich9Bench(FakeSmbusDevice& device, FakeSmbusDevice& other) {
        bench.connect("slot", slot).connect("devices", device).connect("devices", other);
        bench.power_on();
        slot.write_config(0x40, 1, 0x01);
    }
    bool interrupt() { return slot.pins[1]; }

    FakePciSlot slot;
    DeviceBench bench{type_of<Ich9Smbus>()};
};

using BothBenches = ::testing::Types<Piix4Bench, Ich9Bench>;
template <class Bench>
class EitherSmbus : public SmbusTest<Bench> {};
TYPED_TEST_SUITE(EitherSmbus, BothBenches);

TYPED_TEST(EitherSmbus, NobodyAcknowledgesAnEmptyAddress) {
    EXPECT_EQ(this->run(quick, false, 0x30), device_error);
    EXPECT_EQ(this->run(byte_data, true, 0x30), device_error);
    EXPECT_EQ(this->run(block, true, 0x30), device_error);
    EXPECT_EQ(this->device.take_log(), "");
    EXPECT_EQ(this->chip.bench.statistic("refused"), 3u);
    EXPECT_EQ(this->run(quick, false), done) << "it goes on afterwards";
}

TYPED_TEST(EitherSmbus, ShortTransfersHaveTheirForm) {
    auto& device = this->device;
    EXPECT_EQ(this->run(quick, true), done);
    EXPECT_EQ(device.take_log(), " R P");
    this->write(3, 7);
    EXPECT_EQ(this->run(byte, false), done);
    EXPECT_EQ(device.take_log(), " W 7 P");
    device.gives = {0xa1, 0xa2, 0xa3, 0xa4};
    EXPECT_EQ(this->run(byte, true), done);
    EXPECT_EQ(device.take_log(), " R r P");
    EXPECT_EQ(this->read(5), 0xa1);
    EXPECT_EQ(this->run(byte_data, true), done);
    EXPECT_EQ(device.take_log(), " W 7 R r P");
    EXPECT_EQ(this->read(5), 0xa2);
    EXPECT_EQ(this->run(word_data, true), done);
    EXPECT_EQ(device.take_log(), " W 7 R r r P");
    EXPECT_EQ(this->read(5) | this->read(6) << 8, 0xa4a3);
    this->write(5, 1);
    this->write(6, 2);
    EXPECT_EQ(this->run(byte_data, false), done);
    EXPECT_EQ(device.take_log(), " W 7 1 P");
    EXPECT_EQ(this->run(word_data, false), done);
    EXPECT_EQ(device.take_log(), " W 7 1 2 P");
    EXPECT_EQ(this->run(quick, false, 0x51), done);
    EXPECT_EQ(this->other.take_log(), " W P");
    EXPECT_EQ(device.take_log(), "");
}

TYPED_TEST(EitherSmbus, ARefusedByteEndsTheTransfer) {
    this->device.takes = 1;
    this->write(3, 7);
    EXPECT_EQ(this->run(word_data, false), device_error);
    EXPECT_EQ(this->device.take_log(), " W 7 0 P");
}

TYPED_TEST(EitherSmbus, TransfersTakeTheirTime) {
    this->write(4, 0xa1);
    this->write(2, word_data | start);
    this->chip.bench.advance(5 * 90us - 1ns);
    EXPECT_EQ(this->read(0) & 0x3f, busy);
    this->write(2, quick | start);
    this->chip.bench.advance(1ns);
    EXPECT_EQ(this->read(0) & 0x3f, done) << "a start while it is busy is ignored";
    this->chip.bench.advance(1s);
    EXPECT_EQ(this->chip.bench.statistic("transfers"), 1u);
}

TYPED_TEST(EitherSmbus, InterruptsUntilTheStatusIsCleared) {
    this->run(quick | interrupts, true);
    EXPECT_TRUE(this->chip.interrupt());
    this->write(0, 0x04);
    EXPECT_TRUE(this->chip.interrupt());
    this->write(0, 0x02);
    EXPECT_FALSE(this->chip.interrupt());
    this->run(quick | interrupts, true, 0x30);
    EXPECT_TRUE(this->chip.interrupt());
    this->write(2, 0);
    EXPECT_FALSE(this->chip.interrupt());
}

TYPED_TEST(EitherSmbus, KillEndsATransfer) {
    this->write(4, 0xa1);
    this->write(2, quick | start);
    this->write(2, 0x02);
    EXPECT_EQ(this->read(0) & 0x3f, failed);
    this->write(0, failed);
    this->write(2, 0x02 | start);
    EXPECT_EQ(this->read(0) & 0x3f, 0) << "nothing starts while it is set";
    EXPECT_EQ(this->run(quick, true), done);
}

TYPED_TEST(EitherSmbus, ImpossibleBlocksAreErrors) {
    this->write(0x0d, 0x02);
    for (const int count : {0, 33, 255}) {
        this->write(5, count);
        EXPECT_EQ(this->run(block, false), device_error) << count;
        this->device.gives.assign(1, static_cast<std::uint8_t>(count));
        this->device.next = 0;
        EXPECT_EQ(this->run(block, true), device_error) << count;
    }
}

TYPED_TEST(EitherSmbus, BlocksGoThroughTheBuffer) {
    this->write(0x0d, 0x02);  // of the ICH9: use it
    this->write(3, 9);
    this->write(5, 3);
    this->read(2);
    for (const int value : {11, 12, 13})
        this->write(7, value);
    EXPECT_EQ(this->run(block, false), done);
    EXPECT_EQ(this->device.take_log(), " W 9 3 11 12 13 P");
    this->device.gives = {2, 21, 22};
    EXPECT_EQ(this->run(block, true), done);
    EXPECT_EQ(this->device.take_log(), " W 9 R r r r P");
    EXPECT_EQ(this->read(5), 2);
    this->read(2);
    EXPECT_EQ(this->read(7), 21);
    EXPECT_EQ(this->read(7), 22);
    EXPECT_EQ(this->read(7), 13);
    this->read(2);
    EXPECT_EQ(this->read(7), 21) << "reading the control register goes back to the first";
}

TYPED_TEST(EitherSmbus, BearsRandomAccesses) {
    play_random_script(this->chip.bench, 290562);
    FakeSmbusDevice device{0x50}, other{0x51};
    TypeParam second{device, other};
    device.gives = this->device.gives;
    EXPECT_EQ(testing::round_trip(this->chip.bench, second.bench), "");
}

TYPED_TEST(EitherSmbus, SurvivesASnapshotWithinATransfer) {
    this->device.gives = {5};
    this->write(4, 0xa1);
    this->write(2, byte_data | start | interrupts);
    FakeSmbusDevice device{0x50}, other{0x51};
    TypeParam second{device, other};
    EXPECT_EQ(testing::round_trip(this->chip.bench, second.bench), "");
    EXPECT_EQ(second.bench.window("registers").read8(0) & 0x3f, done);
    EXPECT_EQ(second.bench.window("registers").read8(5), 5);
}

class Piix4SmbusTest : public SmbusTest<Piix4Bench> {};

TEST_F(Piix4SmbusTest, KnowsFewerTransfers) {
    for (const std::uint8_t command : {process_call, i2c_read, block_process}) {
        EXPECT_EQ(run(command, false), device_error);
        EXPECT_EQ(device.take_log(), "");
    }
}

TEST_F(Piix4SmbusTest, TheSlaveSideIsJustRegisters) {
    for (const unsigned reg : {1u, 8u, 9u, 10u, 11u, 12u, 13u})
        write(reg, 0xff);
    EXPECT_EQ(read(1), 0x00);
    EXPECT_EQ(read(8), 0x1f);
    EXPECT_EQ(read(9), 0x00);
    EXPECT_EQ(read(10), 0xff);
    EXPECT_EQ(read(12), 0x00);
    chip.bench.reset();
    EXPECT_EQ(read(8), 0x00);
}

class Ich9SmbusTest : public SmbusTest<Ich9Bench> {
protected:
    // Waits for BYTE_DONE, or the end.
    int next() {
        chip.bench.advance(1ms);
        return read(0) & ~0x40;
    }
};

TEST_F(Ich9SmbusTest, IsTheFunctionOfAnIch9) {
    EXPECT_EQ(chip.slot.read_config(0x00, 4), 0x2930'8086u);
    EXPECT_EQ(chip.slot.read_config(0x08, 4) >> 8, 0x0c0500u);
    EXPECT_EQ(chip.slot.read_config(0x3d, 1), 2u);
    chip.slot.write_config(0x40, 1, 0x00);
    EXPECT_EQ(read(0), 0xff) << "not enabled";
    write(3, 7);
    chip.slot.write_config(0x40, 1, 0x01);
    EXPECT_EQ(read(3), 0x00);
    write(3, 7);
    chip.slot.write_config(0x40, 1, 0x09);
    EXPECT_EQ(read(3), 0x00) << "reset by software";
    EXPECT_EQ(chip.slot.read_config(0x40, 1), 0x01u);
}

TEST_F(Ich9SmbusTest, InUseIsASemaphore) {
    EXPECT_EQ(read(0) & 0x40, 0x00);
    EXPECT_EQ(read(0) & 0x40, 0x40);
    write(0, 0x40);
    EXPECT_EQ(read(0) & 0x40, 0x00);
}

TEST_F(Ich9SmbusTest, ProcessCallsWriteAndReadAWord) {
    write(3, 7);
    write(5, 1);
    write(6, 2);
    device.gives = {3, 4};
    EXPECT_EQ(run(process_call, false), done);
    EXPECT_EQ(device.take_log(), " W 7 1 2 R r r P");
    EXPECT_EQ(read(5) | read(6) << 8, 0x0403);
    write(0x0d, 0x02);
    write(5, 1);
    read(2);
    write(7, 5);
    device.gives = {2, 8, 9};
    device.next = 0;
    EXPECT_EQ(run(block_process, false), done);
    EXPECT_EQ(device.take_log(), " W 7 1 5 R r r r P");
    EXPECT_EQ(read(5), 2);
}

TEST_F(Ich9SmbusTest, BlocksAreFedByteByByte) {
    write(3, 9);
    write(4, 0xa0);
    write(5, 2);
    write(7, 11);
    write(2, block | start);
    EXPECT_EQ(next(), busy | byte_done);
    EXPECT_EQ(next(), busy | byte_done) << "the clock is held until software is ready";
    write(7, 12);
    write(0, byte_done);
    EXPECT_EQ(next(), busy | byte_done);
    write(0, byte_done);
    EXPECT_EQ(next(), done);
    EXPECT_EQ(device.take_log(), " W 9 2 11 12 P");
    write(0, 0xff);
    device.gives = {2, 21, 22};
    write(4, 0xa1);
    write(2, block | start);
    EXPECT_EQ(next(), busy | byte_done);
    EXPECT_EQ(read(5), 2);
    EXPECT_EQ(read(7), 21);
    write(0, byte_done);
    EXPECT_EQ(next(), busy | byte_done);
    EXPECT_EQ(read(7), 22);
    write(0, byte_done);
    EXPECT_EQ(next(), done);
    EXPECT_EQ(device.take_log(), " W 9 R r r r P");
}

TEST_F(Ich9SmbusTest, I2cReadsGoOnUntilTheLastByte) {
    write(6, 9);
    write(4, 0xa1);
    device.gives = {1, 2, 3};
    write(2, i2c_read | start);
    EXPECT_EQ(next(), busy | byte_done);
    EXPECT_EQ(read(7), 1);
    write(0, byte_done);
    EXPECT_EQ(next(), busy | byte_done);
    EXPECT_EQ(read(7), 2);
    write(2, i2c_read | 0x20);
    write(0, byte_done);
    EXPECT_EQ(next(), busy | byte_done);
    EXPECT_EQ(read(7), 3);
    write(0, byte_done);
    EXPECT_EQ(next(), done);
    EXPECT_EQ(device.take_log(), " W 9 R r r r P");
}

TEST_F(Ich9SmbusTest, PacketErrorCodesAreSentAndChecked) {
    write(0x0d, 0x01);
    write(3, 0x07);
    EXPECT_EQ(run(byte | 0x80, false), done);
    EXPECT_EQ(device.take_log(), " W 7 13 P") << "CRC-8 of A0 07";
    device.gives = {0x55, 0x00};
    EXPECT_EQ(run(byte_data | 0x80, true), device_error);
    EXPECT_EQ(read(0x0c), 0x01);
    write(0x0c, 0x01);
    EXPECT_EQ(read(0x0c), 0x00);
    write(0x0d, 0x00);
    device.gives = {0x55, 0x42};
    device.next = 0;
    EXPECT_EQ(run(byte_data | 0x80, true), done);
    EXPECT_EQ(read(0x08), 0x42) << "software checks it";
    device.take_log();
    write(0x08, 0x99);
    EXPECT_EQ(run(byte | 0x80, false), done);
    EXPECT_EQ(device.take_log(), " W 7 153 P");
}

TEST_F(Ich9SmbusTest, SurvivesASnapshotBetweenTwoBytes) {
    write(3, 9);
    write(4, 0xa0);
    write(5, 2);
    write(7, 11);
    write(2, block | start);
    chip.bench.advance(1ms);
    FakeSmbusDevice other_device{0x50}, nobody{0x51};
    Ich9Bench second{other_device, nobody};
    EXPECT_EQ(testing::round_trip(chip.bench, second.bench), "");
    second.bench.window("registers").write8(7, 12);
    second.bench.window("registers").write8(0, byte_done);
    EXPECT_EQ(other_device.take_log(), " 12");
}

class SpdEepromTest : public ::testing::Test {
protected:
    DeviceBench module{type_of<SpdEeprom>()};
    DeviceBench host{type_of<Piix4Smbus>()};

    void SetUp() override {
        ASSERT_TRUE(module.power_on()) << module.failure();
        host.connect("devices", module, "smbus").power_on();
    }
    int read(std::uint8_t offset) {
        const auto registers = host.window("registers");
        registers.write8(0, 0xff);
        registers.write8(3, offset);
        registers.write8(4, 0xa1);
        registers.write8(2, byte_data | start);
        host.advance(1ms);
        return (registers.read8(0) & done) != 0 ? registers.read8(5) : -1;
    }
};

TEST_F(SpdEepromTest, TellsOfItsModule) {
    EXPECT_EQ(read(0), 128);
    EXPECT_EQ(read(2), 4) << "SDR SDRAM";
    EXPECT_EQ(read(31), 0x80) << "one rank of 512 MiB";
    const int bits = read(3) + read(4);
    EXPECT_EQ(std::uint64_t{1} << bits << 3 << 2, std::uint64_t{512} << 20)
        << "rows, columns, eight bytes, four banks";
    int sum = 0;
    for (std::uint8_t index = 0; index < 63; ++index)
        sum += read(index);
    EXPECT_EQ(read(63), sum & 0xff);
}

TEST_F(SpdEepromTest, CannotBeWritten) {
    const auto registers = host.window("registers");
    registers.write8(3, 2);
    registers.write8(4, 0xa0);
    registers.write8(5, 0);
    registers.write8(2, byte_data | start);
    host.advance(1ms);
    EXPECT_EQ(registers.read8(0), device_error);
    EXPECT_EQ(read(2), 4);
}

TEST_F(SpdEepromTest, ReadsOnFromWhereItWas) {
    const auto eeprom = module.service<backplane_smbus_device>("smbus");
    EXPECT_EQ(eeprom.call<&backplane_smbus_device::start>(std::uint8_t{0x51}, 0), 0);
    EXPECT_EQ(eeprom.call<&backplane_smbus_device::start>(std::uint8_t{0x50}, 0), 1);
    EXPECT_EQ(eeprom.call<&backplane_smbus_device::write>(std::uint8_t{255}), 1);
    EXPECT_EQ(eeprom.call<&backplane_smbus_device::start>(std::uint8_t{0x50}, 1), 1);
    EXPECT_EQ(eeprom.call<&backplane_smbus_device::read>(), 0);
    EXPECT_EQ(eeprom.call<&backplane_smbus_device::read>(), 128) << "the first after the last";
    EXPECT_EQ(eeprom.call<&backplane_smbus_device::read>(), 8);
    EXPECT_EQ(testing::round_trip(module), "");
}

TEST_F(SpdEepromTest, EveryPossibleModuleAddsUp) {
    constexpr std::array names{"sdr", "ddr", "ddr2"};
    int possible = 0;
    for (unsigned kind = 0; kind < names.size(); ++kind) {
        for (unsigned shift = 20; shift < 36; ++shift) {
            const auto memory = static_cast<SpdMemory>(kind);
            const std::uint64_t size = std::uint64_t{1} << shift;
            if (!spd_size_is_possible(memory, size)) continue;
            ++possible;
            const auto spd = spd_contents(memory, size);
            const unsigned ranks = kind == 2 ? (spd[5] & 7) + 1u : spd[5];
            EXPECT_EQ((std::uint64_t{1} << (spd[3] + spd[4])) * 8 * spd[17] * ranks, size)
                << names[kind] << " " << (size >> 20);
            EXPECT_EQ(std::popcount(spd[31]), 1) << names[kind] << " " << (size >> 20);
        }
    }
    EXPECT_EQ(possible, 9 + 7 + 6);
    EXPECT_FALSE(spd_size_is_possible(SpdMemory::Sdr, 3 << 20));
}

TEST_F(SpdEepromTest, RefusesAModuleThatIsNone) {
    DeviceBench refused{type_of<SpdEeprom>(),
                        {{"memory", std::string{"ddr2"}}, {"size", Bytes{64 << 20}}}};
    EXPECT_FALSE(refused.power_on());
    EXPECT_NE(refused.failure().find("ddr2 128 MiB"), std::string::npos) << refused.failure();
}

}  // namespace
}  // namespace backplane::chipset
