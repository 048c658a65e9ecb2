// SMART and logs of a disk at an IDE cable. (ATA8-ACS, 7.53; ACS-3, 7.24)
#include "ide_bench.h"

namespace backplane::storage {
namespace {

constexpr std::uint64_t key = 0xc24f00;

class HealthTest : public ::testing::Test {
protected:
    void smart(std::uint8_t subcommand, std::uint8_t count = 0, std::uint8_t low = 0) {
        const auto& port = *bench.port;
        port.command.write8(1, subcommand);
        port.issue28(ata_command::smart, static_cast<std::uint32_t>(key | low), count);
    }
    Data page(std::uint8_t subcommand, std::uint8_t count = 0, std::uint8_t low = 0) {
        smart(subcommand, count, low);
        EXPECT_EQ(bench.port->status(), has_data);
        Data data = bench.port->read_block(512);
        EXPECT_EQ(bench.port->status(), ready);
        return data;
    }
    static unsigned sum(const Data& data) {
        return std::accumulate(data.begin(), data.end(), 0u) & 0xff;
    }

    DiskBench bench;
    HostPort& port = bench.on();
};

TEST_F(HealthTest, IsWell) {
    EXPECT_EQ(port.identify()[85] & 1, 1) << "enabled";
    smart(0xda);
    EXPECT_EQ(port.status(), ready);
    EXPECT_EQ(port.lba24(), key) << "no threshold exceeded";
    const Data data = page(0xd0), thresholds = page(0xd1);
    EXPECT_EQ(sum(data), 0u);
    EXPECT_EQ(sum(thresholds), 0u);
    EXPECT_EQ(data[2], 5) << "reallocated sectors";
    EXPECT_EQ(thresholds[2], 5);
    EXPECT_GT(data[5], thresholds[3]);
}

TEST_F(HealthTest, CountsWhatCouldNotBeReadAndTheHours) {
    bench.image.bad = {0, 512};
    port.issue28(ata_command::read_sectors, 0, 1);
    EXPECT_EQ(port.status(), failed);
    bench.clock.advance(std::chrono::hours{3});
    const Data data = page(0xd0);
    EXPECT_EQ(data[14], 9);
    EXPECT_EQ(data[19], 3) << "hours";
    EXPECT_EQ(data[38], 187);
    EXPECT_EQ(data[43], 1) << "errors";
}

TEST_F(HealthTest, CanBeTurnedOff) {
    smart(0xd9);
    EXPECT_EQ(port.identify()[85] & 1, 0);
    smart(0xd0);
    EXPECT_EQ(port.error(), ata_error::abrt);
    smart(0xd8);
    EXPECT_EQ(port.status(), ready);
    EXPECT_EQ(page(0xd0)[2], 5);
    port.command.write8(1, 0xd0);
    port.issue28(ata_command::smart, 0, 0);
    EXPECT_EQ(port.error(), ata_error::abrt) << "without the key";
    smart(0x33);
    EXPECT_EQ(port.error(), ata_error::abrt);
}

TEST_F(HealthTest, SelfTestsAreLogged) {
    EXPECT_EQ(page(0xd5, 1, 6)[508], 0);
    smart(0xd4, 0, 1);
    EXPECT_EQ(port.status(), ready);
    const Data log = page(0xd5, 1, 6);
    EXPECT_EQ(log[508], 1);
    EXPECT_EQ(log[2], 1) << "short";
    EXPECT_EQ(log[3], 0) << "without error";
    EXPECT_EQ(sum(log), 0u);
    EXPECT_EQ(page(0xd5, 1, 0)[12], 1) << "the directory has the self-test log";
    smart(0xd4, 0, 5);
    EXPECT_EQ(port.error(), ata_error::abrt) << "no such test";
    smart(0xd5, 1, 0x33);
    EXPECT_EQ(port.error(), ata_error::idnf) << "no such log";
}

TEST_F(HealthTest, HasADirectoryOfLogsAndNoneOfAQueue) {
    port.issue48(ata_command::read_log_ext, 0, 1);
    EXPECT_EQ(port.status(), has_data);
    const Data directory = port.read_block(512);
    EXPECT_EQ(directory[0], 1);
    EXPECT_EQ(directory[0x20], 0);
    port.issue48(ata_command::read_log_ext, 0x10, 1);
    EXPECT_EQ(port.error(), ata_error::abrt);
    port.issue48(ata_command::read_fpdma_queued, 0, 8);
    EXPECT_EQ(port.error(), ata_error::abrt);
    EXPECT_EQ(port.identify()[76], 0);
    EXPECT_NE(port.identify()[93], 0);
}

}  // namespace
}  // namespace backplane::storage
