#include "acpi_tables_device.h"
#include "fw_cfg.h"
#include "fw_cfg_reader.h"
#include "loaded_tables.h"
#include "machine_parts.h"

#include <backplane/testing/round_trip.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace backplane::firmware {
namespace {

using namespace testing;

// Configuration mechanism 1 with a Q35 host bridge behind it.
class ConfigurationPorts {
public:
    backplane_link link() {
        static const backplane_address_space functions = [] {
            backplane_address_space space{};
            space.struct_size = sizeof space;
            space.read = [](void* object, std::uint64_t port, std::uint32_t) -> std::uint64_t {
                auto& ports = *static_cast<ConfigurationPorts*>(object);
                if (port == 0xcf8) return ports.address;
                const auto found = ports.registers.find(ports.address & 0x7fffffff);
                return found == ports.registers.end() ? 0xffffffff : found->second;
            };
            space.write = [](void* object, std::uint64_t port, std::uint32_t, std::uint64_t value) {
                auto& ports = *static_cast<ConfigurationPorts*>(object);
                if (port == 0xcf8) ports.address = static_cast<std::uint32_t>(value);
            };
            return space;
        }();
        return {&functions, this};
    }

    std::uint32_t address = 0x8000f844;
    std::map<std::uint32_t, std::uint32_t> registers{{0, 0x29c08086}, {0x60, 0}, {0x64, 0}};
};

class AcpiTablesDeviceTest : public ::testing::Test {
protected:
    explicit AcpiTablesDeviceTest(std::string chipset = "q35")
        : tables{type_of<AcpiTablesDevice>(), {{"chipset", std::move(chipset)}}} {
        tables.connect("memory", memory).connect("io", ports);
        connect_processors(tables, 2);
        EXPECT_TRUE(tables.power_on()) << tables.failure();
        fw_cfg.connect("memory", memory).connect("files", tables, "files");
        connect_processors(fw_cfg, 2);
        EXPECT_TRUE(fw_cfg.power_on()) << fw_cfg.failure();
    }

    LoadedTables load_tables() {
        std::map<std::string, Table> files;
        for (const auto name : {acpi_root_file, acpi_tables_file, table_loader_file}) {
            const std::string content = FwCfgReader{fw_cfg}.file(std::string{name});
            const auto bytes = std::as_bytes(std::span{content});
            files[std::string{name}] = {bytes.begin(), bytes.end()};
        }
        return LoadedTables{std::move(files)};
    }

    std::uint64_t configuration_base() {
        const LoadedTables loaded = load_tables();
        const auto listed = loaded.by_rsdt();
        const auto found = listed.find("MCFG");
        return found == listed.end() ? 0 : load<std::uint64_t>(loaded.table(found->second), 44);
    }

    FlatMemory memory{std::size_t{16} << 20};
    ConfigurationPorts ports;
    DeviceBench tables;
    DeviceBench fw_cfg{type_of<FwCfg>()};
};

TEST_F(AcpiTablesDeviceTest, LooksWhereFirmwareHasPutConfigurationSpace) {
    EXPECT_EQ(configuration_base(), 0u) << "not enabled";
    ports.registers[0x60] = 0xe0000001;
    EXPECT_EQ(configuration_base(), 0u) << "the tables were made already";
    tables.reset();
    fw_cfg.reset();
    EXPECT_EQ(configuration_base(), 0xe0000000u);
    EXPECT_EQ(ports.address, 0x8000f844u) << "the guest's selection stays";
}

TEST_F(AcpiTablesDeviceTest, LooksWhereFirmwareHasPutPowerManagement) {
    const auto control_port = [&] {
        const LoadedTables loaded = load_tables();
        return load<std::uint32_t>(loaded.table(loaded.by_rsdt().at("FACP")), 64);
    };
    EXPECT_EQ(control_port(), 0x604u) << "there is no such chip";
    ports.registers[0xf800] = 0x29188086;
    ports.registers[0xf840] = 0xb081;
    tables.reset();
    fw_cfg.reset();
    EXPECT_EQ(control_port(), 0xb084u);
}

TEST_F(AcpiTablesDeviceTest, KnowsTheSmallerConfigurationSpaces) {
    ports.registers[0x60] = 0xb8000003;
    ports.registers[0x64] = 1;
    const LoadedTables loaded = load_tables();
    const auto mcfg = loaded.table(loaded.by_rsdt().at("MCFG"));
    EXPECT_EQ(load<std::uint64_t>(mcfg, 44), 0x1b8000000u);
    EXPECT_EQ(load<std::uint8_t>(mcfg, 55), 127);
}

TEST_F(AcpiTablesDeviceTest, AReservedLengthIsNoConfigurationSpace) {
    ports.registers[0x60] = 0xb0000007;
    EXPECT_EQ(configuration_base(), 0u);
}

TEST_F(AcpiTablesDeviceTest, SizesStayTheSameWhateverIsFound) {
    const auto before = FwCfgReader{fw_cfg}.directory();
    ports.registers[0x60] = 0xb0000001;
    load_tables();
    const auto after = FwCfgReader{fw_cfg}.directory();
    for (const auto name : {acpi_root_file, acpi_tables_file, table_loader_file})
        EXPECT_EQ(before.at(std::string{name}).size, after.at(std::string{name}).size) << name;
}

TEST_F(AcpiTablesDeviceTest, MakesTheSameTablesAfterASnapshot) {
    ports.registers[0x60] = 0xb0000001;
    load_tables();
    DeviceBench second{type_of<AcpiTablesDevice>(), {{"chipset", "q35"}}};
    ConfigurationPorts other_ports;
    second.connect("memory", memory).connect("io", other_ports);
    connect_processors(second, 2);
    ASSERT_TRUE(second.power_on());
    EXPECT_EQ(backplane::testing::round_trip(tables, second), "");
    const auto content = [](DeviceBench& bench) {
        backplane_firmware_file file{};
        bench.service<backplane_firmware_files>("files").call<&backplane_firmware_files::describe>(
            1u, &file);
        return std::string{reinterpret_cast<const char*>(file.data), file.size};
    };
    EXPECT_EQ(content(tables), content(second));
    EXPECT_NE(content(second).find("MCFG"), std::string::npos);
}

TEST_F(AcpiTablesDeviceTest, RefusesToBeWithoutProcessors) {
    DeviceBench lonely{type_of<AcpiTablesDevice>()};
    lonely.connect("memory", memory).connect("io", ports);
    EXPECT_FALSE(lonely.power_on());
    EXPECT_THAT(lonely.failure(), ::testing::HasSubstr("cpus"));
}

}  // namespace
}  // namespace backplane::firmware
