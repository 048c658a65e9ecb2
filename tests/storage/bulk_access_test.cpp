// The data register read and written by whole blocks, as string instructions do.
#include "ide_bench.h"

namespace backplane::storage {
namespace {

TEST(BulkAccessTest, OneCallMovesTheRestOfABlock) {
    DiskBench bench;
    auto& port = bench.on();
    port.issue28(ata_command::read_sectors, 5, 2);
    Data data(1024);
    const auto bytes = std::as_writable_bytes(std::span{data});
    EXPECT_EQ(port.command.read_many(0, 2, bytes.first(100)), 50u);
    EXPECT_EQ(port.command.read_many(0, 2, bytes.subspan(100)), 206u) << "not beyond the block";
    EXPECT_TRUE(port.irq());
    EXPECT_EQ(port.command.read_many(0, 4, bytes.subspan(512)), 128u);
    EXPECT_EQ(data, slice(bench.image, 5 * 512, 1024));
    EXPECT_EQ(port.status(), ready);
    EXPECT_EQ(port.command.read_many(0, 2, bytes), 0u) << "nothing left";
    EXPECT_EQ(port.command.write_many(0, 2, bytes), 0u);
}

TEST(BulkAccessTest, WritingIsTheSame) {
    DiskBench bench;
    auto& port = bench.on();
    const Data data(1024, 0x3c);
    const auto bytes = std::as_bytes(std::span{data});
    port.issue28(ata_command::write_sectors, 5, 2);
    EXPECT_EQ(port.command.read_many(0, 2, {}), 0u);
    EXPECT_EQ(port.command.write_many(0, 2, bytes), 256u);
    EXPECT_EQ(port.command.write_many(0, 2, bytes), 256u);
    EXPECT_EQ(port.status(), ready);
    EXPECT_EQ(slice(bench.image, 5 * 512, 1024), data);
}

TEST(BulkAccessTest, OtherRegistersAndBytesAreReadSingly) {
    DiskBench bench;
    auto& port = bench.on();
    port.issue28(ata_command::read_sectors, 5, 1);
    Data data(64);
    const auto bytes = std::as_writable_bytes(std::span{data});
    EXPECT_EQ(port.command.read_many(7, 1, bytes), 0u);
    EXPECT_EQ(port.command.read_many(0, 1, bytes), 0u);
}

}  // namespace
}  // namespace backplane::storage
