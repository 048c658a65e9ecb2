#include "acpi_tables.h"
#include "aml.h"
#include "loaded_tables.h"
#include "support/temp_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace backplane::firmware {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::uint64_t gibibyte = std::uint64_t{1} << 30;

AcpiMachine machine_of(Chipset chipset, unsigned cpus = 2) {
    AcpiMachine machine{
        .chipset = chipset, .cpus = cpus, .low_end = 3 * gibibyte, .high_end = 5 * gibibyte};
    if (chipset == Chipset::Q35) {
        machine.low_end = 2 * gibibyte;
        machine.configuration_base = 0xb0000000;
        machine.configuration_size = 256 << 20;
    }
    return machine;
}

LoadedTables load_tables(const AcpiMachine& machine) {
    const AcpiFiles files = make_acpi_files(machine);
    return LoadedTables{{{std::string{acpi_root_file}, files.root},
                         {std::string{acpi_tables_file}, files.tables},
                         {std::string{table_loader_file}, files.script}}};
}

std::vector<std::string> names(const std::map<std::string, std::uint64_t>& tables) {
    std::vector<std::string> names;
    for (const auto& [name, address] : tables)
        names.push_back(name);
    return names;
}

// What the disassembler makes of them, with the tables that a table refers to.
class Disassembly {
public:
    explicit Disassembly(const LoadedTables& tables) {
        std::filesystem::create_directories(folder_);
        const auto by_rsdt = tables.by_rsdt();
        for (const auto& [name, address] : by_rsdt)
            write(name, tables.table(address));
        const auto fadt = tables.table(by_rsdt.at("FACP"));
        write("DSDT", tables.table(load<std::uint32_t>(fadt, 40)));
        write("FACS", tables.table(load<std::uint32_t>(fadt, 36)));
    }

    ~Disassembly() { std::filesystem::remove_all(folder_); }

    Disassembly(const Disassembly&) = delete;
    Disassembly& operator=(const Disassembly&) = delete;

    std::string of(const std::string& name, const std::string& options = {}) const {
        const std::string command = "cd '" + folder_ + "' && iasl " + options + " -d " + name +
                                    ".dat > " + name + ".log 2>&1";
        const int status = std::system(command.c_str());
        return status == 0 ? content(name + ".dsl") : "iasl failed: " + content(name + ".log");
    }

    // The source that came out compiles again.
    std::string recompile(const std::string& name) const {
        const std::string command = "cd '" + folder_ + "' && iasl -p again " + name +
                                    ".dsl > again.log 2>&1";
        const int status = std::system(command.c_str());
        return (status == 0 ? "" : "iasl failed: ") + content("again.log");
    }

private:
    void write(const std::string& name, std::span<const std::byte> bytes) const {
        std::ofstream{folder_ + "/" + name + ".dat", std::ios::binary}.write(
            reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
    }

    std::string content(const std::string& name) const {
        std::stringstream text;
        text << std::ifstream{folder_ + "/" + name}.rdbuf();
        return text.str();
    }

    std::string folder_ = test::temp_path("acpi");
};

class AcpiTablesTest : public ::testing::TestWithParam<Chipset> {};

TEST_P(AcpiTablesTest, EveryChecksumIsRightAfterLoading) {
    const LoadedTables tables = load_tables(machine_of(GetParam()));
    EXPECT_EQ(checksum(tables.at(tables.root()).first(20)), 0);
    for (const auto& [name, address] : tables.by_rsdt())
        EXPECT_EQ(checksum(tables.table(address)), 0) << name;
    EXPECT_EQ(checksum(tables.table(load<std::uint32_t>(tables.at(tables.root()), 16))), 0);
    const auto fadt = tables.table(tables.by_rsdt().at("FACP"));
    EXPECT_EQ(checksum(tables.table(load<std::uint32_t>(fadt, 40))), 0);
}

TEST_P(AcpiTablesTest, TheFadtLeadsToItsTables) {
    const LoadedTables tables = load_tables(machine_of(GetParam()));
    const auto fadt = tables.table(tables.by_rsdt().at("FACP"));
    EXPECT_EQ(tables.signature(load<std::uint32_t>(fadt, 36)), "FACS");
    EXPECT_EQ(load<std::uint32_t>(fadt, 36) % 64, 0u);
    EXPECT_EQ(tables.signature(load<std::uint32_t>(fadt, 40)), "DSDT");
    EXPECT_EQ(load<std::uint16_t>(fadt, 46), 9u);
    EXPECT_EQ(load<std::uint32_t>(fadt, 48), 0u) << "no SMI_CMD: ACPI mode is always on";
    EXPECT_EQ(load<std::uint32_t>(fadt, 56), 0x600u);
    EXPECT_EQ(load<std::uint32_t>(fadt, 76), 0x608u);
}

TEST_P(AcpiTablesTest, TheDisassemblerFindsNothingWrong) {
    AcpiMachine machine = machine_of(GetParam(), 300);
    const Disassembly disassembly{load_tables(machine)};
    for (const std::string name : {"FACP", "APIC", "HPET", "WAET", "FACS"}) {
        const std::string text = disassembly.of(name);
        EXPECT_THAT(text, HasSubstr("Signature : \"" + name)) << text;
        EXPECT_THAT(text, Not(HasSubstr("nvalid"))) << name;
        EXPECT_THAT(text, Not(HasSubstr("ncorrect"))) << name;
    }
    for (const std::string name : {"DSDT", "SSDT"}) {
        const std::string options = name == "SSDT" ? "-e DSDT.dat" : "-e SSDT.dat";
        const std::string text = disassembly.of(name, options);
        EXPECT_THAT(text, HasSubstr("DefinitionBlock")) << text;
        EXPECT_THAT(text, Not(HasSubstr("ncorrect"))) << name;
        const std::string again = disassembly.recompile(name);
        EXPECT_THAT(again, HasSubstr(" 0 Errors")) << again;
    }
}

TEST_P(AcpiTablesTest, TheHostBridgeHasItsWindows) {
    AcpiMachine machine = machine_of(GetParam());
    const std::string ssdt = Disassembly{load_tables(machine)}.of("SSDT");
    for (const char* value : {"0x00000000000A0000", "0x0CF8", "0x0D00"})
        EXPECT_THAT(ssdt, ::testing::AnyOf(HasSubstr(value), HasSubstr("0x000A0000"))) << ssdt;
    if (GetParam() == Chipset::I440fx) {
        EXPECT_THAT(ssdt, HasSubstr("0xC0000000,         // Range Minimum"));
        EXPECT_THAT(ssdt, HasSubstr("0xFEBFFFFF,         // Range Maximum"));
    } else {
        EXPECT_THAT(ssdt, HasSubstr("0x80000000,         // Range Minimum"));
        EXPECT_THAT(ssdt, HasSubstr("0xAFFFFFFF,         // Range Maximum"));
        EXPECT_THAT(ssdt, HasSubstr("0xC0000000,         // Range Minimum"));
        EXPECT_THAT(ssdt, HasSubstr("0xB0000000,         // Address Base"));
    }
    EXPECT_THAT(ssdt, HasSubstr("0x0000000140000000, // Range Minimum"));
    EXPECT_THAT(ssdt, HasSubstr("0x0000000FFFFFFFFF, // Range Maximum"));
}

TEST_P(AcpiTablesTest, AbsentDevicesSaySo) {
    AcpiMachine machine = machine_of(GetParam());
    const auto status = [](const std::string& dsdt, const std::string& device) {
        const std::size_t at = dsdt.find("_STA", dsdt.find("Device (" + device + ")"));
        return dsdt.substr(at + 6, 4);
    };
    machine.hpet = machine.keyboard = machine.mouse = false;
    machine.serial_ports = 0;
    machine.floppy = machine.parallel_port = true;
    const LoadedTables bare = load_tables(machine);
    const std::string without = Disassembly{bare}.of("DSDT");
    EXPECT_FALSE(bare.by_rsdt().contains("HPET"));
    for (const char* device : {"HPET", "KBD", "MOU", "COM1", "COM2"})
        EXPECT_EQ(status(without, device), "0x00") << device;
    for (const char* device : {"FDC0", "LPT1"})
        EXPECT_EQ(status(without, device), "0x0F") << device;

    const std::string with = Disassembly{load_tables(machine_of(GetParam()))}.of("DSDT");
    for (const char* device : {"HPET", "KBD", "MOU", "COM1"})
        EXPECT_EQ(status(with, device), "0x0F") << device;
    for (const char* device : {"FDC0", "LPT1", "COM2"})
        EXPECT_EQ(status(with, device), "0x00") << device;
}

INSTANTIATE_TEST_SUITE_P(, AcpiTablesTest, ::testing::Values(Chipset::I440fx, Chipset::Q35),
                         [](const auto& info) {
                             return info.param == Chipset::I440fx ? "I440fx" : "Q35";
                         });

TEST(AcpiTables, OfTheOlderChipsetAreThoseOfAcpi1) {
    const LoadedTables tables = load_tables(machine_of(Chipset::I440fx));
    EXPECT_THAT(names(tables.by_rsdt()), ElementsAre("APIC", "FACP", "HPET", "SSDT", "WAET"));
    const auto fadt = tables.table(tables.by_rsdt().at("FACP"));
    EXPECT_EQ(fadt.size(), 116u);
    EXPECT_EQ(load<std::uint8_t>(fadt, 8), 1);
    EXPECT_EQ(make_acpi_files(machine_of(Chipset::I440fx)).root.size(), 20u);
}

TEST(AcpiTables, OfTheNewerChipsetHaveConfigurationSpaceAndAReset) {
    const LoadedTables tables = load_tables(machine_of(Chipset::Q35));
    EXPECT_THAT(names(tables.by_rsdt()),
                ElementsAre("APIC", "FACP", "HPET", "MCFG", "SSDT", "WAET"));
    EXPECT_EQ(tables.by_xsdt(), tables.by_rsdt());
    EXPECT_EQ(checksum(tables.at(tables.root()).first(36)), 0);
    const auto fadt = tables.table(tables.by_rsdt().at("FACP"));
    EXPECT_EQ(fadt.size(), 244u);
    EXPECT_EQ(load<std::uint64_t>(fadt, 120), 0xcf9u);
    EXPECT_EQ(load<std::uint8_t>(fadt, 128), 6);
    EXPECT_EQ(tables.signature(load<std::uint64_t>(fadt, 140)), "DSDT");
    const auto mcfg = tables.table(tables.by_rsdt().at("MCFG"));
    EXPECT_EQ(load<std::uint64_t>(mcfg, 44), 0xb0000000u);
    EXPECT_EQ(load<std::uint8_t>(mcfg, 55), 255);

    AcpiMachine without = machine_of(Chipset::Q35);
    without.configuration_size = 0;
    EXPECT_FALSE(load_tables(without).by_rsdt().contains("MCFG"));
}

TEST(AcpiTables, ListEachProcessorAndTheInterruptsThatMove) {
    const LoadedTables tables = load_tables(machine_of(Chipset::I440fx, 257));
    const auto madt = tables.table(tables.by_rsdt().at("APIC"));
    std::map<int, int> kinds;
    std::map<int, std::pair<unsigned, unsigned>> overrides;
    for (std::size_t at = 44; at < madt.size(); at += std::to_integer<std::size_t>(madt[at + 1])) {
        const int kind = std::to_integer<int>(madt[at]);
        ++kinds[kind];
        if (kind == 0) {
            EXPECT_EQ(madt[at + 3], std::byte(kinds[0] - 1));
            EXPECT_EQ(load<std::uint32_t>(madt, at + 4), 1u);
        }
        if (kind == 9) {
            EXPECT_EQ(load<std::uint32_t>(madt, at + 4), 254u + static_cast<unsigned>(kinds[9]));
        }
        if (kind == 2) {
            overrides[std::to_integer<int>(madt[at + 3])] = {load<std::uint32_t>(madt, at + 4),
                                                             load<std::uint16_t>(madt, at + 8)};
        }
    }
    EXPECT_EQ(kinds, (std::map<int, int>{{0, 255}, {1, 1}, {2, 5}, {4, 1}, {9, 2}, {10, 1}}));
    const std::map<int, std::pair<unsigned, unsigned>> expected{
        {0, {2, 0}}, {5, {5, 0xd}}, {9, {9, 0xd}}, {10, {10, 0xd}}, {11, {11, 0xd}}};
    EXPECT_EQ(overrides, expected);
}

TEST(AcpiTables, ScriptIsCountedInWholeRecords) {
    const AcpiFiles files = make_acpi_files(machine_of(Chipset::Q35));
    EXPECT_EQ(files.script.size() % 128, 0u);
    EXPECT_EQ(load<std::uint32_t>(files.script, 0), 1u) << "places come first";
}

TEST(Aml, LengthsCountTheirOwnBytes) {
    const auto length = [](std::size_t content) {
        const Table scope = aml::scope("ABCD", Table(content));
        return std::vector<int>{std::to_integer<int>(scope[1]), std::to_integer<int>(scope[2])};
    };
    EXPECT_EQ(length(58)[0], 63);
    EXPECT_EQ(length(59), (std::vector<int>{0x40 | 1, 4})) << "65 in two bytes";
    EXPECT_EQ(length(4089), (std::vector<int>{0x4f, 0xff})) << "4095 in two bytes";
    EXPECT_EQ(length(4090), (std::vector<int>{0x81, 0x00})) << "4097 in three bytes";
}

}  // namespace
}  // namespace backplane::firmware
