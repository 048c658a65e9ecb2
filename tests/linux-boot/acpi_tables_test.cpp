#include "acpi_tables.h"
#include "little_endian.h"
#include "support/temp_path.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <numeric>
#include <string>

namespace backplane::linux_boot {
namespace {

constexpr std::uint64_t base = 0xe0000;

// The tables as a kernel finds them: from the root pointer through the XSDT.
class Tables {
public:
    explicit Tables(unsigned cpus) : tables_{acpi_tables(base, cpus)} {}

    std::span<const std::byte> at(std::uint64_t address) const {
        return std::span{tables_.bytes}.subspan(address - base);
    }
    std::span<const std::byte> root() const { return at(tables_.rsdp).first(36); }

    std::span<const std::byte> whole(std::uint64_t address) const {
        const auto table = at(address);
        return table.first(load<std::uint32_t>(table, 4));
    }

    static std::string text(std::span<const std::byte> bytes, std::size_t offset,
                            std::size_t size) {
        return {reinterpret_cast<const char*>(bytes.data()) + offset, size};
    }

    static unsigned sum(std::span<const std::byte> bytes) {
        return std::accumulate(bytes.begin(), bytes.end(), 0u, [](unsigned sum, std::byte b) {
            return (sum + std::to_integer<unsigned>(b)) & 0xff;
        });
    }

    template <class Pointer>
    std::map<std::string, std::uint64_t> listed(std::uint64_t root) const {
        std::map<std::string, std::uint64_t> found;
        const auto table = whole(root);
        for (std::size_t offset = 36; offset < table.size(); offset += sizeof(Pointer)) {
            const std::uint64_t address = load<Pointer>(table, offset);
            found[text(at(address), 0, 4)] = address;
        }
        return found;
    }

    std::map<std::string, std::uint64_t> by_xsdt() const {
        return listed<std::uint64_t>(load<std::uint64_t>(root(), 24));
    }
    std::map<std::string, std::uint64_t> by_rsdt() const {
        return listed<std::uint32_t>(load<std::uint32_t>(root(), 16));
    }

private:
    AcpiTables tables_;
};

TEST(AcpiTables, StartWithARootPointerThatKernelsFindBySearching) {
    const Tables tables{1};
    EXPECT_EQ(Tables::text(tables.root(), 0, 8), "RSD PTR ");
    EXPECT_EQ(Tables::sum(tables.root().first(20)), 0u);
    EXPECT_EQ(Tables::sum(tables.root()), 0u);
}

TEST(AcpiTables, AreListedTheSameByBothRootTables) {
    const Tables tables{2};
    const auto found = tables.by_xsdt();
    EXPECT_EQ(found, tables.by_rsdt());
    EXPECT_TRUE(found.contains("FACP"));
    EXPECT_TRUE(found.contains("APIC"));
}

TEST(AcpiTables, AllSumToZeroOverTheirStatedLength) {
    const Tables tables{4};
    auto addresses = tables.by_xsdt();
    addresses["XSDT"] = load<std::uint64_t>(tables.root(), 24);
    addresses["RSDT"] = load<std::uint32_t>(tables.root(), 16);
    addresses["DSDT"] = load<std::uint64_t>(tables.at(addresses["FACP"]), 140);
    for (const auto& [name, address] : addresses) {
        EXPECT_EQ(Tables::text(tables.at(address), 0, 4), name);
        EXPECT_EQ(Tables::sum(tables.whole(address)), 0u) << name;
    }
}

TEST(AcpiTables, GiveTheFixedHardwareItsPorts) {
    const Tables tables{1};
    const auto fadt = tables.whole(tables.by_xsdt().at("FACP"));
    ASSERT_EQ(fadt.size(), 244u);
    EXPECT_EQ(load<std::uint16_t>(fadt, 46), 9);            // SCI_INT
    EXPECT_EQ(load<std::uint32_t>(fadt, 48), 0u);           // SMI_CMD: always in ACPI mode
    EXPECT_EQ(load<std::uint32_t>(fadt, 56), 0x600u);       // PM1a_EVT_BLK
    EXPECT_EQ(load<std::uint32_t>(fadt, 64), 0x604u);       // PM1a_CNT_BLK
    EXPECT_EQ(load<std::uint32_t>(fadt, 76), 0x608u);       // PM_TMR_BLK
    EXPECT_EQ(load<std::uint32_t>(fadt, 80), 0x60cu);       // GPE0_BLK
    EXPECT_TRUE(load<std::uint32_t>(fadt, 112) & 1 << 10);  // RESET_REG_SUP
    EXPECT_FALSE(load<std::uint32_t>(fadt, 112) & 1 << 8);  // the timer has 24 bits
    EXPECT_EQ(load<std::uint64_t>(fadt, 120), 0xcf9u);
    EXPECT_EQ(std::to_integer<int>(fadt[128]), 6);
    for (const auto& [legacy, extended] :
         std::map<std::size_t, std::size_t>{{56, 148}, {64, 172}, {76, 208}, {80, 220}}) {
        EXPECT_EQ(load<std::uint64_t>(fadt, extended + 4), load<std::uint32_t>(fadt, legacy));
    }
    EXPECT_EQ(load<std::uint64_t>(fadt, 132), 0u);  // X_FIRMWARE_CTRL, or there would be two
    const std::uint64_t facs = load<std::uint32_t>(fadt, 36);
    EXPECT_EQ(facs % 64, 0u);
    EXPECT_EQ(Tables::text(tables.at(facs), 0, 4), "FACS");
}

// Every entry of the MADT: type to its bodies.
std::multimap<int, std::vector<std::byte>> interrupt_entries(const Tables& tables) {
    std::multimap<int, std::vector<std::byte>> entries;
    const auto madt = tables.whole(tables.by_xsdt().at("APIC"));
    for (std::size_t offset = 44; offset < madt.size();) {
        const auto length = std::to_integer<std::size_t>(madt[offset + 1]);
        const auto entry = madt.subspan(offset, length);
        entries.emplace(std::to_integer<int>(entry[0]), std::vector(entry.begin(), entry.end()));
        offset += length;
    }
    return entries;
}

TEST(AcpiTables, ListEveryProcessorAndTheInterruptWiring) {
    const auto entries = interrupt_entries(Tables{3});
    EXPECT_EQ(entries.count(0), 3u);
    int next = 0;
    for (auto [entry, end] = entries.equal_range(0); entry != end; ++entry, ++next) {
        EXPECT_EQ(std::to_integer<int>(entry->second[3]), next);  // APIC ID
        EXPECT_EQ(load<std::uint32_t>(entry->second, 4), 1u);     // enabled
    }
    ASSERT_EQ(entries.count(1), 1u);
    EXPECT_EQ(load<std::uint32_t>(entries.find(1)->second, 4), 0xfec00000u);

    std::map<int, std::pair<std::uint32_t, int>> overrides;
    for (auto [entry, end] = entries.equal_range(2); entry != end; ++entry) {
        overrides[std::to_integer<int>(entry->second[3])] = {load<std::uint32_t>(entry->second, 4),
                                                             load<std::uint16_t>(entry->second, 8)};
    }
    const std::map<int, std::pair<std::uint32_t, int>> expected{{0, {2, 0}}, {9, {9, 0xd}}};
    EXPECT_EQ(overrides, expected);

    ASSERT_EQ(entries.count(4), 1u);
    EXPECT_EQ(std::to_integer<int>(entries.find(4)->second[5]), 1);  // LINT1
}

// The compiler that made the DSDT can also take tables apart, and complains about what is wrong
// with them.
TEST(AcpiTables, SatisfyTheAcpiDisassembler) {
    if (std::system("command -v iasl >/dev/null") != 0) GTEST_SKIP() << "iasl is not installed";
    const Tables tables{2};
    auto addresses = tables.by_xsdt();
    addresses["XSDT"] = load<std::uint64_t>(tables.root(), 24);
    addresses["DSDT"] = load<std::uint64_t>(tables.at(addresses["FACP"]), 140);
    for (const auto& [name, address] : addresses) {
        const auto bytes = tables.whole(address);
        const auto file = test::temp_path(name + ".aml");
        std::ofstream{file, std::ios::binary}.write(reinterpret_cast<const char*>(bytes.data()),
                                                    static_cast<std::streamsize>(bytes.size()));
        const std::string log = file + ".log";
        EXPECT_EQ(std::system(("iasl -d " + file + " >" + log + " 2>&1").c_str()), 0) << name;
        std::ifstream stream{log};
        const std::string output{std::istreambuf_iterator{stream}, {}};
        for (const char* complaint : {"Error", "Warning", "Invalid", "Incorrect"}) {
            EXPECT_EQ(output.find(complaint), std::string::npos) << name << ":\n" << output;
        }
    }
}

}  // namespace
}  // namespace backplane::linux_boot
