#include "fw_cfg.h"
#include "fw_cfg_reader.h"
#include "machine_parts.h"

#include <backplane/testing/round_trip.h>
#include <backplane/testing/script.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace backplane::firmware {
namespace {

using namespace std::string_literals;
using namespace testing;
using backplane::testing::Script;
using ::testing::HasSubstr;

constexpr std::size_t mebibyte = 1 << 20;

class FwCfgTest : public ::testing::Test {
protected:
    DeviceBench& make(std::vector<backplane::testing::Setting> settings = {}, unsigned cpus = 1) {
        bench = std::make_unique<DeviceBench>(type_of<FwCfg>(), std::move(settings));
        bench->connect("memory", memory).connect("files", provider);
        connect_processors(*bench, cpus);
        return *bench;
    }

    FwCfgReader power_on(std::vector<backplane::testing::Setting> settings = {},
                         unsigned cpus = 1) {
        EXPECT_TRUE(make(std::move(settings), cpus).power_on()) << bench->failure();
        return FwCfgReader{*bench};
    }

    // What the descriptor's control field says afterwards.
    std::uint32_t dma(std::uint32_t control, std::uint64_t address, std::uint32_t length,
                      std::uint64_t descriptor = 0x1000) {
        const bool is_in_memory = descriptor < memory.bytes.size() - 16;
        if (is_in_memory) {
            put(descriptor, std::byteswap(control));
            put(descriptor + 4, std::byteswap(length));
            put(descriptor + 8, std::byteswap(address));
        }
        const auto registers = bench->window("registers");
        registers.write32(4, std::byteswap(static_cast<std::uint32_t>(descriptor >> 32)));
        registers.write32(8, std::byteswap(static_cast<std::uint32_t>(descriptor)));
        std::uint32_t result = 0;
        if (is_in_memory) std::memcpy(&result, &memory.bytes[descriptor], 4);
        return std::byteswap(result);
    }

    template <class T>
    void put(std::uint64_t address, T value) {
        std::memcpy(&memory.bytes[address], &value, sizeof value);
    }

    std::string at(std::uint64_t address, std::size_t size) const {
        return {reinterpret_cast<const char*>(&memory.bytes[address]), size};
    }

    static constexpr std::uint32_t error = 1, read = 2, skip = 4, select = 8, write = 16;

    FlatMemory memory{16 * mebibyte};
    FileProvider provider{{{"writable", "0123456789"}, {"genroms/a.rom", "rom"}}};
    std::unique_ptr<DeviceBench> bench;
};

TEST_F(FwCfgTest, IsRecognisedByItsSignatureAndTellsOfDma) {
    const FwCfgReader fw_cfg = power_on();
    EXPECT_EQ(fw_cfg.item(0, 6), "QEMU\0\0"s) << "behind the end there are zeros";
    EXPECT_EQ(fw_cfg.item(1, 4), "\3\0\0\0"s);
    EXPECT_EQ(bench->window("registers").read32(4), 0x554d4551u) << "QEMU, in memory order";
    EXPECT_EQ(bench->window("registers").read32(8), 0x47464320u) << " CFG";
}

TEST_F(FwCfgTest, CountsProcessorsAndMemory) {
    const FwCfgReader fw_cfg = power_on({{"uuid", "00112233-4455-6677-8899-aabbccddeeff"},
                                         {"nographic", true},
                                         {"boot-menu", true}},
                                        3);
    EXPECT_EQ(fw_cfg.item(2, 4), "\x00\x11\x22\x33"s);
    EXPECT_EQ(fw_cfg.item(3, 8), "\0\0\0\1\0\0\0\0"s);
    EXPECT_EQ(fw_cfg.item(4, 2), "\1\0"s);
    EXPECT_EQ(fw_cfg.item(5, 2), "\3\0"s);
    EXPECT_EQ(fw_cfg.item(0xe, 2), "\1\0"s);
    EXPECT_EQ(fw_cfg.item(0xf, 2), "\3\0"s);
    EXPECT_EQ(fw_cfg.file("etc/e820"), "\0\0\0\0\0\0\0\0"
                                       "\0\0\0\1\0\0\0\0"
                                       "\1\0\0\0"s);
}

TEST_F(FwCfgTest, ListsFilesInTheOrderOfTheirNames) {
    const FwCfgReader fw_cfg = power_on();
    std::uint16_t key = 0x20;
    std::vector<std::string> names;
    for (const auto& [name, file] : fw_cfg.directory()) {
        EXPECT_EQ(file.key, key++) << name;
        names.push_back(name);
    }
    EXPECT_THAT(names, ::testing::ElementsAre("bios-geometry", "bootorder", "etc/boot-fail-wait",
                                              "etc/e820", "etc/system-states", "genroms/a.rom",
                                              "writable"));
    EXPECT_EQ(fw_cfg.file("genroms/a.rom"), "rom");
    EXPECT_EQ(fw_cfg.file("etc/boot-fail-wait"), "\xff\xff\xff\xff");
    EXPECT_EQ(fw_cfg.file("etc/system-states"), "\x80\0\0\1\2\x80"s) << "power-off, no suspend";
    EXPECT_EQ(fw_cfg.file("bootorder"), "") << "firmware's own order";
}

TEST_F(FwCfgTest, WritesTheBootOrderOnLines) {
    const FwCfgReader fw_cfg = power_on(
        {{"boot-order", "/pci@i0cf8/ide@1,1/drive@1/disk@0  /rom@genroms/a.rom\n"},
         {"boot-menu-wait", 2000},
         {"boot-fail-wait", 0}});
    EXPECT_EQ(fw_cfg.file("bootorder"), "/pci@i0cf8/ide@1,1/drive@1/disk@0\n/rom@genroms/a.rom\0"s);
    EXPECT_EQ(fw_cfg.file("etc/boot-menu-wait"), "\xd0\x07");
    EXPECT_EQ(fw_cfg.file("etc/boot-fail-wait"), "\0\0\0\0"s);
}

TEST_F(FwCfgTest, TellsAProviderWhenItsFileIsOpened) {
    const FwCfgReader fw_cfg = power_on();
    EXPECT_TRUE(provider.opened.empty());
    fw_cfg.file("genroms/a.rom");
    EXPECT_THAT(provider.opened, ::testing::ElementsAre(1));
    provider.files[1].second = "ROM";
    EXPECT_EQ(fw_cfg.file("genroms/a.rom"), "ROM") << "contents are the provider's";
}

TEST_F(FwCfgTest, UnknownItemsAreZerosAndWritesToDataAreIgnored) {
    const FwCfgReader fw_cfg = power_on();
    EXPECT_EQ(fw_cfg.item(0x3fff, 4), "\0\0\0\0"s);
    EXPECT_EQ(fw_cfg.item(0xc000, 4), "\0\0\0\0"s);
    EXPECT_EQ(fw_cfg.item(0x4000, 4), "QEMU") << "bit 14 once asked for writing";
    const auto key = fw_cfg.directory().at("writable").key;
    fw_cfg.select(key);
    bench->window("registers").write8(1, 'x');
    EXPECT_EQ(provider.files[0].second, "0123456789");
    EXPECT_EQ(fw_cfg.next(2), "01") << "and do not move on";
    fw_cfg.select(0);
    EXPECT_EQ(bench->window("registers").read8(0), 'Q') << "the selector's port gives data too";
    EXPECT_EQ(bench->window("registers").read16(0), 0u);
    bench->window("registers").write32(0, 1);
    EXPECT_EQ(fw_cfg.next(1), "E") << "a wide write selects nothing";
}

TEST_F(FwCfgTest, AResetSelectsTheSignature) {
    const FwCfgReader fw_cfg = power_on();
    fw_cfg.item(1, 2);
    bench->reset();
    EXPECT_EQ(fw_cfg.next(4), "QEMU");
}

TEST_F(FwCfgTest, DmaReadsSkipsAndSelects) {
    const FwCfgReader fw_cfg = power_on();
    const std::uint32_t key = fw_cfg.directory().at("writable").key;
    EXPECT_EQ(dma(key << 16 | select | skip, 0, 3), 0u);
    memory.bytes[0x2004] = 0xee;
    EXPECT_EQ(dma(read, 0x2000, 4), 0u);
    EXPECT_EQ(at(0x2000, 5), "3456\xee");
    EXPECT_EQ(fw_cfg.next(1), "7") << "both ways move through the same item";
    EXPECT_EQ(dma(read, 0x2000, 6), 0u);
    EXPECT_EQ(at(0x2000, 6), "89\0\0\0\0"s) << "zeros behind the end";
    EXPECT_EQ(dma(select, 0, 0), 0u);
    EXPECT_EQ(dma(read, 0x2000, 4), 0u);
    EXPECT_EQ(at(0x2000, 4), "QEMU");
    EXPECT_EQ(bench->statistic("transfers"), 5u);
}

TEST_F(FwCfgTest, DmaWritesIntoWritableFilesOnly) {
    const FwCfgReader fw_cfg = power_on();
    const std::uint32_t writable = fw_cfg.directory().at("writable").key;
    const std::uint32_t rom = fw_cfg.directory().at("genroms/a.rom").key;
    std::memcpy(&memory.bytes[0x3000], "abcdefghijk", 11);
    EXPECT_EQ(dma(writable << 16 | select | skip, 0, 2), 0u);
    EXPECT_EQ(dma(write, 0x3000, 3), 0u);
    EXPECT_EQ(provider.files[0].second, "01abc56789");
    EXPECT_EQ(dma(write, 0x3000, 6), error) << "beyond the end";
    EXPECT_EQ(dma(write, 0x3000, 5), 0u);
    EXPECT_EQ(provider.files[0].second, "01abcabcde");
    EXPECT_EQ(dma(rom << 16 | select | write, 0x3000, 1), error);
    EXPECT_EQ(provider.files[1].second, "rom");
    EXPECT_EQ(dma(0x3fffu << 16 | select | write, 0x3000, 1), error);
    EXPECT_EQ(dma(writable << 16 | select | read | write, 0x4000, 2), 0u);
    EXPECT_EQ(at(0x4000, 2), "01") << "reading comes before writing";
}

TEST_F(FwCfgTest, DmaOutsideMemoryIsRefused) {
    power_on();
    EXPECT_EQ(dma(select | read, memory.bytes.size() - 2, 4), error);
    EXPECT_EQ(dma(select | read, ~std::uint64_t{0} - 1, 4), error);
    EXPECT_EQ(dma(select | read, 0x2000, 0xffffffff), error);
    EXPECT_EQ(dma(select | skip, 0, 0xffffffff), 0u);
    EXPECT_EQ(dma(read, 0x2000, 4), 0u);
    EXPECT_EQ(at(0x2000, 4), "\0\0\0\0"s);
    EXPECT_EQ(dma(0, 0x2000, 4), 0u) << "nothing to do";
    const auto before = memory.bytes;
    dma(select | read, 0x2000, 4, memory.bytes.size() - 8);
    dma(select | read, 0x2000, 4, ~std::uint64_t{0} - 3);
    EXPECT_EQ(memory.bytes, before);
}

TEST_F(FwCfgTest, CanBeWithoutDma) {
    const FwCfgReader fw_cfg = power_on({{"dma", false}});
    EXPECT_EQ(fw_cfg.item(1, 1), "\1"s);
    EXPECT_EQ(bench->window("registers").read32(4), 0u);
    EXPECT_EQ(dma(select | read, 0x2000, 4), select | read);
    EXPECT_EQ(at(0x2000, 4), "\0\0\0\0"s);
}

TEST_F(FwCfgTest, RefusesWhatItCannotOffer) {
    EXPECT_FALSE(make({{"uuid", "00112233"}}).power_on());
    EXPECT_THAT(bench->failure(), HasSubstr("00112233"));
    EXPECT_FALSE(make({{"uuid", "0011223344556677-8899-aabbccddeeffxxx"}}).power_on());
    EXPECT_FALSE(make({}, 0).power_on());
    EXPECT_THAT(bench->failure(), HasSubstr("cpus"));
    provider.files = {{"etc/e820", "mine"}};
    EXPECT_FALSE(make().power_on());
    EXPECT_THAT(bench->failure(), HasSubstr("two firmware files are called \"etc/e820\""));
    provider.files = {{std::string(56, 'x'), ""}};
    EXPECT_FALSE(make().power_on());
    EXPECT_THAT(bench->failure(), HasSubstr("1 to 55"));
    provider.files = {{std::string(55, 'x'), ""}};
    EXPECT_TRUE(make().power_on());
}

TEST_F(FwCfgTest, GoesOnWithinAnItemAfterASnapshot) {
    const FwCfgReader fw_cfg = power_on();
    fw_cfg.item(fw_cfg.directory().at("writable").key, 4);
    bench->window("registers").write32(4, 0x12345678);
    DeviceBench second{type_of<FwCfg>()};
    second.connect("memory", memory).connect("files", provider);
    connect_processors(second, 1);
    ASSERT_TRUE(second.power_on());
    EXPECT_EQ(backplane::testing::round_trip(*bench, second), "");
    EXPECT_EQ(FwCfgReader{second}.next(3), "456");
}

TEST_F(FwCfgTest, BearsRandomAccesses) {
    power_on();
    std::mt19937 random{31};
    std::vector<std::uint8_t> bytes(300'000);
    for (auto& byte : bytes)
        byte = static_cast<std::uint8_t>(random());
    Script{*bench}.play(bytes);
    bench->reset();
    EXPECT_EQ(FwCfgReader{*bench}.next(4), "QEMU");
}

TEST(RamLayoutTest, SeesThroughTheHolesBelowOneMebibyte) {
    using Kind = MemoryMap::Kind;
    MemoryMap map;
    map.add(0, 0xa0000, Kind::Ram);
    map.add(0xa0000, 0x20000, Kind::Device);
    map.add(0xc0000, 0x20000, Kind::Ram);
    map.add(0xe0000, 0x20000, Kind::Rom);
    map.add(0x100000, 0x700000, Kind::Ram);
    map.add(0x800000, 0xbf800000, Kind::Ram);
    map.add(0xfec00000, 0x1000, Kind::Device);
    map.add(0xfffc0000, 0x40000, Kind::Rom);
    map.add(0x100000000, 0x40000000, Kind::Ram);
    map.add(0x200000000, 0x1000, Kind::Device);
    map.add(0x300000000, 0x40000000, Kind::Ram);
    const RamLayout ram = find_ram(AddressSpace{map.link()});
    EXPECT_EQ(ram.low_end, 0xc0000000u);
    const std::vector<MemoryRange> high{{0x100000000, 0x40000000}, {0x300000000, 0x40000000}};
    EXPECT_EQ(ram.high, high);
    EXPECT_EQ(ram.total(), std::uint64_t{5} << 30);
    EXPECT_EQ(ram.high_end(), 0x340000000u);
}

TEST(RamLayoutTest, CanBeSmallOrWhole) {
    MemoryMap small;
    small.add(0, 0x80000, MemoryMap::Kind::Ram);
    EXPECT_EQ(find_ram(AddressSpace{small.link()}).low_end, 0x80000u);
    EXPECT_EQ(find_ram(AddressSpace{small.link()}).high_end(), std::uint64_t{1} << 32);
    MemoryMap whole;
    whole.add(0, 0x180000000, MemoryMap::Kind::Ram);
    const RamLayout ram = find_ram(AddressSpace{whole.link()});
    EXPECT_EQ(ram.low_end, std::uint64_t{1} << 32);
    EXPECT_EQ(ram.high, (std::vector<MemoryRange>{{0x100000000, 0x80000000}}));
    MemoryMap none;
    EXPECT_EQ(find_ram(AddressSpace{none.link()}).total(), 0u);
}

}  // namespace
}  // namespace backplane::firmware
