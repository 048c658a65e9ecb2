#include "firmware_files.h"
#include "table_loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace backplane::linux_boot {
namespace {

using namespace testing;
using ::testing::HasSubstr;

constexpr std::uint64_t mebibyte = 1 << 20;
const std::vector<Range> pc_ram{{0, 0xa0000}, {mebibyte, 64 * mebibyte}};

std::vector<std::byte> root_pointer(std::uint8_t revision = 2) {
    std::vector<std::byte> bytes(36);
    std::memcpy(bytes.data(), "RSD PTR ", 8);
    bytes[15] = std::byte{revision};
    return bytes;
}

unsigned sum(std::span<const std::byte> bytes) {
    std::uint8_t sum = 0;
    for (const std::byte byte : bytes)
        sum = static_cast<std::uint8_t>(sum + std::to_integer<unsigned>(byte));
    return sum;
}

class TableLoaderTest : public ::testing::Test {
protected:
    TableLoaderTest() {
        files.add("rsdp", root_pointer());
        files.add("tables", std::vector<std::byte>(5000, std::byte{0x11}));
        store(std::span{files.files[1].content}, 100, std::uint64_t{300});
    }

    std::expected<LoadedTables, std::string> load_all(const std::vector<Range>& ram = pc_ram) {
        return load_tables({Connection<backplane_firmware_files>{files.link()}}, ram);
    }
    std::string error(const std::vector<std::vector<std::byte>>& records) {
        std::erase_if(files.files,
                      [](const auto& file) { return file.name == "etc/table-loader"; });
        files.add_script(records);
        const auto loaded = load_all();
        return loaded ? "" : loaded.error();
    }

    FirmwareFiles files;
};

TEST_F(TableLoaderTest, PlacesTablesAtTheEndOfMemoryAndTheRootWhereKernelsLook) {
    files.add_script({allocate("rsdp", 16, 2), allocate("tables", 64)});
    const auto loaded = load_all();
    ASSERT_TRUE(loaded) << loaded.error();
    EXPECT_EQ(loaded->root_address(), 0x9fc10u);
    EXPECT_EQ(loaded->tables[1].address, 64 * mebibyte - 8192);
    EXPECT_EQ(loaded->memory, (std::vector<Range>{{64 * mebibyte - 8192, 64 * mebibyte}}));
    for (const auto& file : files.files)
        EXPECT_EQ(file.opened, 1) << file.name;
}

TEST_F(TableLoaderTest, JoinsWhatItTakesAndStaysBelowFourGibibytes) {
    files.add("more", std::vector<std::byte>(1));
    files.add_script({allocate("rsdp", 16, 1), allocate("tables"), allocate("more", 0x10000)});
    const std::vector<Range> ram{
        {0, 0xa0000}, {mebibyte, 3072 * mebibyte}, {4096 * mebibyte, 8192 * mebibyte}};
    const auto loaded = load_all(ram);
    ASSERT_TRUE(loaded) << loaded.error();
    constexpr std::uint64_t end = 3072 * mebibyte;
    EXPECT_EQ(loaded->root_address(), end - 0x1000);
    EXPECT_EQ(loaded->tables[1].address, end - 0x3000);
    EXPECT_EQ(loaded->tables[2].address, end - 0x10000);
    EXPECT_EQ(loaded->memory,
              (std::vector<Range>{{end - 0x10000, end - 0xf000}, {end - 0x3000, end}}));
}

TEST_F(TableLoaderTest, ARootThatDoesNotFitBelowGoesToTheEndOfMemory) {
    files.files[0].content.resize(1009);
    files.add_script({allocate("rsdp", 16, 2)});
    const auto loaded = load_all();
    ASSERT_TRUE(loaded) << loaded.error();
    EXPECT_EQ(loaded->root_address(), 64 * mebibyte - 4096);
    EXPECT_EQ(loaded->root_pointer().size(), 36u);
}

TEST_F(TableLoaderTest, AnOldRootPointerIsShort) {
    files.files[0].content = root_pointer(0);
    files.add_script({allocate("rsdp", 16, 2)});
    EXPECT_EQ(load_all()->root_pointer().size(), 20u);
}

TEST_F(TableLoaderTest, AddsAddressesOfAllSizes) {
    files.files[0].content[16] = std::byte{5};
    store(std::span{files.files[0].content}, 24, std::uint64_t{7});
    files.add_script({allocate("rsdp", 16, 2), allocate("tables", 64),
                      add_pointer("rsdp", "tables", 16, 4), add_pointer("rsdp", "tables", 24, 8),
                      add_pointer("tables", "tables", 100, 8)});
    const auto loaded = load_all();
    ASSERT_TRUE(loaded) << loaded.error();
    const std::uint64_t base = loaded->tables[1].address;
    EXPECT_EQ(load<std::uint32_t>(loaded->tables[0].content, 16), base + 5);
    EXPECT_EQ(load<std::uint32_t>(loaded->tables[0].content, 20), 0u);
    EXPECT_EQ(load<std::uint64_t>(loaded->tables[0].content, 24), base + 7);
    EXPECT_EQ(load<std::uint64_t>(loaded->tables[1].content, 100), base + 300);
}

TEST_F(TableLoaderTest, MakesSumsZero) {
    files.add_script({allocate("rsdp", 16, 2), allocate("tables"), add_checksum("rsdp", 8, 0, 20),
                      add_checksum("tables", 21, 12, 4000)});
    const auto loaded = load_all();
    ASSERT_TRUE(loaded) << loaded.error();
    EXPECT_EQ(sum(loaded->root_pointer().first(20)), 0u);
    EXPECT_NE(loaded->tables[0].content[8], std::byte{0});
    EXPECT_EQ(sum(std::span{loaded->tables[1].content}.subspan(12, 4000)), 0u);
}

TEST_F(TableLoaderTest, TellsAProviderWhereItsTableWent) {
    files.add("address", std::vector<std::byte>(16), true);
    files.add_script({allocate("rsdp", 16, 2), allocate("tables"),
                      write_pointer("address", "tables", 4, 40, 8)});
    const auto loaded = load_all();
    ASSERT_TRUE(loaded) << loaded.error();
    EXPECT_EQ(load<std::uint64_t>(files.files[2].content, 4), loaded->tables[1].address + 40);
}

TEST_F(TableLoaderTest, PassesOverUnknownCommandsAndTheRestOfTheFile) {
    EXPECT_EQ(error({record(77), allocate("rsdp", 16, 2), record(0), record(0)}), "");
}

TEST_F(TableLoaderTest, SaysWhatIsWrongWithTheFiles) {
    EXPECT_EQ(load_all().error(), "nobody offers the script \"etc/table-loader\"");
    files.add("etc/table-loader", std::vector<std::byte>(127));
    EXPECT_EQ(load_all().error(),
              "the script \"etc/table-loader\" has 127 bytes, not records of 128");
    files.add("rsdp", {});
    EXPECT_EQ(load_all().error(), "there are two files called \"rsdp\"");
    files.files.back().name = std::string(56, 'x');
    EXPECT_EQ(load_all().error(), "file 3 has no name of at most 55 bytes");
}

TEST_F(TableLoaderTest, SaysWhichRecordIsWrong) {
    const auto root = allocate("rsdp", 16, 2), tables = allocate("tables");
    const auto expect = [&](const std::vector<std::byte>& third, const std::string& why) {
        EXPECT_EQ(error({root, tables, third}), "record 2 of \"etc/table-loader\" " + why);
    };
    expect(allocate("nothing"), "names the file \"nothing\", which nobody offers");
    expect(allocate("rsdp"), "gives \"rsdp\" a second place");
    expect(allocate("etc/table-loader", 48),
           "wants \"etc/table-loader\" aligned to 48, which is not a power of two");
    expect(add_pointer("rsdp", "etc/table-loader", 0, 4),
           "needs \"etc/table-loader\", which has no place yet");
    expect(add_pointer("rsdp", "tables", 16, 3), "has a pointer of 3 bytes at 16 in a file of 36");
    expect(add_pointer("rsdp", "tables", 16, 0), "has a pointer of 0 bytes at 16 in a file of 36");
    expect(add_pointer("rsdp", "tables", 33, 4), "has a pointer of 4 bytes at 33 in a file of 36");
    expect(add_pointer("rsdp", "tables", 0xffffffff, 8),
           "has a pointer of 8 bytes at 4294967295 in a file of 36");
    expect(add_pointer("tables", "rsdp", 100, 4), "has a pointer to byte 300 of a file of 36");
    expect(add_pointer("rsdp", "tables", 16, 2),
           "has a pointer of 2 bytes, too small for the address");
    expect(add_checksum("rsdp", 36, 0, 20),
           "has a checksum at 36 of 20 bytes from 0 in a file of 36");
    expect(add_checksum("rsdp", 8, 20, 0xffffffff),
           "has a checksum at 8 of 4294967295 bytes from 20 in a file of 36");
    expect(write_pointer("tables", "rsdp", 0, 0, 4), "writes into \"tables\", which is read-only");
}

TEST_F(TableLoaderTest, SaysWhenThereIsNoRoomOrNoRoot) {
    EXPECT_EQ(error({allocate("tables")}),
              "the script \"etc/table-loader\" places no ACPI root pointer");
    files.files[1].content.resize(64 * mebibyte);
    EXPECT_EQ(error({allocate("tables")}),
              "record 0 of \"etc/table-loader\" wants memory for \"tables\", but 67108864 bytes do "
              "not fit below 4 GiB");
}

}  // namespace
}  // namespace backplane::linux_boot
