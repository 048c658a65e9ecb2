#include "fw_cfg_reader.h"
#include "machine_parts.h"
#include "smbios_device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace backplane::firmware {
namespace {

using namespace std::string_literals;
using namespace testing;

constexpr std::uint64_t gibibyte = std::uint64_t{1} << 30;

struct Structure {
    int type;
    std::uint16_t handle;
    Table fields;
    std::vector<std::string> strings;
};

// As a reader takes them apart; throws when a structure does not end.
std::vector<Structure> take_apart(const Table& tables) {
    std::vector<Structure> list;
    for (std::size_t at = 0; at < tables.size();) {
        const auto length = std::to_integer<std::size_t>(tables.at(at + 1));
        Structure structure{std::to_integer<int>(tables[at]),
                            load<std::uint16_t>(tables, at + 2),
                            {tables.begin() + static_cast<std::ptrdiff_t>(at),
                             tables.begin() + static_cast<std::ptrdiff_t>(at + length)},
                            {}};
        at += length;
        while (tables.at(at) != std::byte{0}) {
            std::string text;
            for (; tables.at(at) != std::byte{0}; ++at)
                text += std::to_integer<char>(tables[at]);
            ++at;
            structure.strings.push_back(text);
        }
        at += structure.strings.empty() ? 2 : 1;
        list.push_back(std::move(structure));
    }
    return list;
}

SmbiosMachine machine_with(RamLayout ram) {
    return {.manufacturer = "Maker",
            .product = "Box",
            .version = "1.0",
            .serial = "42",
            .sku = "",
            .family = "",
            .processor_manufacturer = "",
            .processor_version = "",
            .uuid = parse_uuid("00112233-4455-6677-8899-aabbccddeeff").value(),
            .cpus = 4,
            .processor_mhz = 2000,
            .ram = std::move(ram)};
}

TEST(Smbios, DescribesTheMachine) {
    const auto list = take_apart(
        make_smbios_files(machine_with({3 * gibibyte, {{4 * gibibyte, 61 * gibibyte}}}),
                          SmbiosEntryPoint::V2_8)
            .tables);
    std::vector<int> types;
    std::set<int> handles;
    for (const Structure& structure : list) {
        types.push_back(structure.type);
        EXPECT_TRUE(handles.insert(structure.handle).second) << structure.handle;
    }
    EXPECT_THAT(types, ::testing::ElementsAre(1, 3, 4, 16, 17, 17, 17, 17, 19, 19, 32, 127));
    EXPECT_THAT(list[0].strings, ::testing::ElementsAre("Maker", "Box", "1.0", "42"));
    EXPECT_EQ(load<std::uint32_t>(list[0].fields, 8), 0x00112233u) << "little endian since 2.6";
    EXPECT_EQ(list[0].fields[16], std::byte{0x88});
    EXPECT_EQ(load<std::uint16_t>(list[2].fields, 0x14), 2000u);
    EXPECT_EQ(list[2].fields.at(0x23), std::byte{4});
    EXPECT_EQ(load<std::uint32_t>(list[3].fields, 7), 64u << 20) << "KiB";
    EXPECT_EQ(load<std::uint16_t>(list[4].fields, 0xc), 16384u) << "MiB";
    EXPECT_EQ(load<std::uint32_t>(list[8].fields, 8), (3u << 20) - 1);
    EXPECT_EQ(load<std::uint32_t>(list[9].fields, 4), 4u << 20);
}

TEST(Smbios, LengthsAreThoseOfTheVersion) {
    const std::map<int, std::size_t> lengths{{1, 0x1b},  {3, 0x16},  {4, 0x2a},  {16, 0x17},
                                             {17, 0x28}, {19, 0x1f}, {32, 0x0b}, {127, 4}};
    const auto tables = make_smbios_files(machine_with({gibibyte, {}}), SmbiosEntryPoint::V2_8);
    for (const Structure& structure : take_apart(tables.tables))
        EXPECT_EQ(structure.fields.size(), lengths.at(structure.type)) << structure.type;
}

TEST(Smbios, HugeMemoryUsesTheExtendedFields) {
    const auto list = take_apart(
        make_smbios_files(machine_with({3 * gibibyte, {{4 * gibibyte, 8192 * gibibyte}}}),
                          SmbiosEntryPoint::V3_0)
            .tables);
    const Structure& array = list[3];
    EXPECT_EQ(load<std::uint32_t>(array.fields, 7), 0x80000000u);
    EXPECT_EQ(load<std::uint64_t>(array.fields, 0xf), 8195 * gibibyte);
    EXPECT_EQ(load<std::uint16_t>(list[4].fields, 0xc), 0x7fffu);
    const Structure& high = *(list.end() - 3);
    EXPECT_EQ(load<std::uint32_t>(high.fields, 8), 0xffffffffu);
    EXPECT_EQ(load<std::uint64_t>(high.fields, 0xf), 4 * gibibyte);
    EXPECT_EQ(load<std::uint64_t>(high.fields, 0x17), 8196 * gibibyte - 1);
}

TEST(Smbios, BothEntryPointsAreWellFormed) {
    const auto old = make_smbios_files(machine_with({gibibyte, {}}), SmbiosEntryPoint::V2_8);
    ASSERT_EQ(old.anchor.size(), 0x1fu);
    EXPECT_EQ(checksum(old.anchor), 0);
    EXPECT_EQ(checksum(std::span{old.anchor}.subspan(0x10)), 0);
    EXPECT_EQ(load<std::uint16_t>(old.anchor, 0x16), old.tables.size());
    EXPECT_EQ(load<std::uint16_t>(old.anchor, 0x1c), take_apart(old.tables).size());
    const auto wide = make_smbios_files(machine_with({gibibyte, {}}), SmbiosEntryPoint::V3_0);
    ASSERT_EQ(wide.anchor.size(), 0x18u);
    EXPECT_EQ(checksum(wide.anchor), 0);
    EXPECT_EQ(load<std::uint32_t>(wide.anchor, 0xc), wide.tables.size());
}

TEST(SmbiosDeviceTest, OffersAnchorAndTables) {
    FlatMemory memory{std::size_t{16} << 20};
    DeviceBench bench{type_of<SmbiosDevice>(), {{"product", "Box"s}, {"entry-point", "3.0"s}}};
    bench.connect("memory", memory);
    connect_processors(bench, 1);
    ASSERT_TRUE(bench.power_on()) << bench.failure();
    const auto files = bench.service<backplane_firmware_files>("files");
    EXPECT_EQ(files.call<&backplane_firmware_files::count>(), 2u);
    backplane_firmware_file file{};
    files.call<&backplane_firmware_files::describe>(0u, &file);
    EXPECT_STREQ(file.name, "etc/smbios/smbios-anchor");
    EXPECT_EQ(file.size, 24u);
    files.call<&backplane_firmware_files::describe>(1u, &file);
    EXPECT_STREQ(file.name, "etc/smbios/smbios-tables");
    const std::string text{reinterpret_cast<const char*>(file.data), file.size};
    EXPECT_NE(text.find("Backplane\0Box\0"s), std::string::npos);
}

TEST(SmbiosDeviceTest, RefusesWhatDoesNotFit) {
    FlatMemory memory{std::size_t{16} << 20};
    DeviceBench uuid{type_of<SmbiosDevice>(), {{"uuid", "x"s}}};
    uuid.connect("memory", memory);
    connect_processors(uuid, 1);
    EXPECT_FALSE(uuid.power_on());
    DeviceBench large{type_of<SmbiosDevice>(), {{"sku", std::string(70'000, 'x')}}};
    large.connect("memory", memory);
    connect_processors(large, 1);
    EXPECT_FALSE(large.power_on());
    EXPECT_THAT(large.failure(), ::testing::HasSubstr("at most 65535"));
}

}  // namespace
}  // namespace backplane::firmware
