#include "firmware_files.h"
#include "linux_boot.h"
#include "register_file.h"
#include "support/temp_path.h"
#include "synthetic_kernel.h"

#include <backplane/testing/device_bench.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>

namespace backplane::linux_boot {
namespace {

using backplane::testing::DeviceBench;
using backplane::testing::FlatMemory;
using backplane::testing::Setting;
using ::testing::HasSubstr;
using testing::mebibyte;
using testing::RegisterFile;
using testing::synthetic_kernel;
using testing::write_file;

class LinuxBootTest : public ::testing::Test {
protected:
    std::string path(const std::string& name) const {
        return test::temp_path("linux_boot_" + name);
    }

    // Boots, and returns why it refused, if it did.
    std::string boot(std::vector<Setting> settings, std::uint64_t ram = 64 * mebibyte,
                     std::uint64_t ram_base = 0) {
        memory = std::make_unique<FlatMemory>(ram, ram_base);
        bench = std::make_unique<DeviceBench>(Declaration<LinuxBoot>::device_type(),
                                              std::move(settings));
        bench->connect("memory", *memory);
        bench->connect("io", io);
        for (unsigned i = 0; i < cpus; ++i)
            bench->connect("cpus", cpu);
        if (!tables.files.empty()) bench->connect("tables", tables);
        return bench->power_on() ? "" : bench->failure();
    }

    std::string boot_kernel(std::vector<std::byte> kernel, std::uint64_t ram = 64 * mebibyte) {
        return boot({{"kernel", write_file(path("kernel"), kernel)}}, ram);
    }

    std::span<const std::byte> at(std::uint64_t address) const {
        return std::as_bytes(std::span{memory->bytes}).subspan(address);
    }
    template <class T>
    T zero_page(std::size_t offset) const {
        return load<T>(at(cpu.values.at("rsi")), offset);
    }

    RegisterFile cpu;
    unsigned cpus = 1;
    testing::FirmwareFiles tables;
    FlatMemory io{0x10000};
    std::unique_ptr<FlatMemory> memory;
    std::unique_ptr<DeviceBench> bench;
};

TEST_F(LinuxBootTest, PutsThePayloadWhereTheKernelPrefersAndEntersItThere) {
    const auto kernel = synthetic_kernel();
    ASSERT_EQ(boot_kernel(kernel), "");
    EXPECT_EQ(cpu.values["rip"], 16 * mebibyte + 0x200);
    EXPECT_TRUE(std::ranges::equal(at(16 * mebibyte).first(kernel.size() - 1024),
                                   std::span{kernel}.subspan(1024)));
}

TEST_F(LinuxBootTest, EntersInFlat64BitModeWithInterruptsOff) {
    ASSERT_EQ(boot_kernel(synthetic_kernel()), "");
    EXPECT_EQ(cpu.values["efer"], 0x500u);
    EXPECT_EQ(cpu.values["cr0"] & 0x80000001, 0x80000001u);
    EXPECT_EQ(cpu.values["cr4"], 0x20u);
    EXPECT_EQ(cpu.values["rflags"], 2u);
    EXPECT_EQ(cpu.values["cs"], 0x10u);
    EXPECT_EQ(cpu.values["cs.attributes"], 0xa09bu);
    EXPECT_EQ(cpu.values["ss"], 0x18u);
    EXPECT_EQ(cpu.values["ss.attributes"], 0xc093u);
    EXPECT_EQ(cpu.values["ds.base"], 0u);
    EXPECT_EQ(load<std::uint64_t>(at(cpu.values["gdtr.base"]), 0x10), 0x00af9b000000ffffu);
    EXPECT_EQ(load<std::uint64_t>(at(cpu.values["gdtr.base"]), 0x18), 0x00cf93000000ffffu);
}

TEST_F(LinuxBootTest, EntersA32BitKernelInFlatProtectedModeAtItsFirstByte) {
    auto kernel = synthetic_kernel();
    cpu = RegisterFile{{"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"}};
    EXPECT_THAT(boot_kernel(kernel),
                HasSubstr("is for 64-bit processors: the CPU engine has no register \"r8\""));
    store(std::span{kernel}, boot_params::extended_load_flags, std::uint16_t{0});
    ASSERT_EQ(boot_kernel(kernel), "");
    EXPECT_EQ(cpu.values["rip"], 16 * mebibyte);
    EXPECT_EQ(cpu.values["efer"], 0u);
    EXPECT_EQ(cpu.values["cr0"], 0x11u);
    EXPECT_EQ(cpu.values["cr4"], 0u);
    EXPECT_EQ(cpu.values["rflags"], 2u);
    EXPECT_EQ(cpu.values["cs"], 0x10u);
    EXPECT_EQ(cpu.values["cs.attributes"], 0xc09bu);
    EXPECT_EQ(cpu.values["ss.attributes"], 0xc093u);
    for (const char* name : {"rbx", "rbp", "rdi"})
        EXPECT_EQ(cpu.values[name], 0u) << name;
    EXPECT_EQ(load<std::uint64_t>(at(cpu.values["gdtr.base"]), 0x10), 0x00cf9b000000ffffu);
    EXPECT_EQ(zero_page<std::uint32_t>(boot_params::signature), boot_params::signature_value);
}

TEST_F(LinuxBootTest, MapsTheFirstFourGibibytesToThemselves) {
    ASSERT_EQ(boot_kernel(synthetic_kernel()), "");
    for (const std::uint64_t address : {std::uint64_t{0}, std::uint64_t{0x1000200},
                                        std::uint64_t{0x7fffffff}, std::uint64_t{0xffffffff}}) {
        std::uint64_t entry = cpu.values["cr3"];
        for (const unsigned shift : {39, 30, 21}) {
            entry = load<std::uint64_t>(at(entry & ~0xfffull), (address >> shift & 0x1ff) * 8);
            ASSERT_EQ(entry & 3, 3u);
        }
        EXPECT_TRUE(entry & 0x80);
        EXPECT_EQ((entry & ~0x1fffffull) | (address & 0x1fffff), address);
    }
}

TEST_F(LinuxBootTest, DescribesTheMachineInTheZeroPage) {
    const auto kernel = synthetic_kernel();
    const auto initrd = std::vector<std::byte>(5000, std::byte{0x5a});
    ASSERT_EQ(boot({{"kernel", write_file(path("kernel"), kernel)},
                    {"initrd", write_file(path("initrd"), initrd)},
                    {"command-line", std::string{"console=ttyS0 quiet"}}}),
              "");
    EXPECT_EQ(zero_page<std::uint32_t>(boot_params::signature), boot_params::signature_value);
    EXPECT_EQ(zero_page<std::uint8_t>(boot_params::type_of_loader), 0xff);
    EXPECT_EQ(zero_page<std::uint32_t>(boot_params::code32_start), 16 * mebibyte);
    EXPECT_STREQ(reinterpret_cast<const char*>(
                     at(zero_page<std::uint32_t>(boot_params::command_line_pointer)).data()),
                 "console=ttyS0 quiet");

    ASSERT_EQ(zero_page<std::uint32_t>(boot_params::ramdisk_size), 5000u);
    const auto address = zero_page<std::uint32_t>(boot_params::ramdisk_image);
    EXPECT_EQ(address, 64 * mebibyte - 8192);
    EXPECT_TRUE(std::ranges::equal(at(address).first(5000), initrd));

    ASSERT_EQ(zero_page<std::uint8_t>(boot_params::e820_entries), 4);
    const std::size_t last = boot_params::e820_table + 3 * 20;
    EXPECT_EQ(zero_page<std::uint64_t>(last), mebibyte);
    EXPECT_EQ(zero_page<std::uint64_t>(last + 8), 63 * mebibyte);
    EXPECT_EQ(zero_page<std::uint32_t>(last + 16), 1u);
    EXPECT_EQ(zero_page<std::uint32_t>(boot_params::alt_mem_k), 63u << 10);
}

TEST_F(LinuxBootTest, GivesAcpiTablesForAllProcessorsUnlessToldNotTo) {
    cpus = 2;
    const std::string kernel = write_file(path("kernel"), synthetic_kernel());
    ASSERT_EQ(boot({{"kernel", kernel}}), "");
    EXPECT_EQ(zero_page<std::uint64_t>(boot_params::acpi_rsdp_address), 0xe0000u);
    EXPECT_EQ(std::memcmp(at(0xe0000).data(), "RSD PTR ", 8), 0);

    ASSERT_EQ(boot({{"kernel", kernel}, {"acpi", false}}), "");
    EXPECT_EQ(zero_page<std::uint64_t>(boot_params::acpi_rsdp_address), 0u);
    EXPECT_EQ(load<std::uint64_t>(at(0xe0000), 0), 0u);
}

TEST_F(LinuxBootTest, WithoutAKernelTheFirmwareStartsWhereOneIsNotRequired) {
    EXPECT_THAT(boot({}), HasSubstr("there is no kernel to boot"));
    cpu.values.clear();
    ASSERT_EQ(boot({{"required", false}, {"pci-settings", std::string{"1.3/40.b=1"}}}), "");
    EXPECT_TRUE(cpu.values.empty());
    EXPECT_EQ(std::ranges::count(memory->bytes, 0), std::ssize(memory->bytes));
    EXPECT_EQ(std::ranges::count(io.bytes, 0), std::ssize(io.bytes));
}

TEST_F(LinuxBootTest, SetsPciConfigurationRegistersAtEveryReset) {
    const std::string kernel = write_file(path("kernel"), synthetic_kernel());
    ASSERT_EQ(boot({{"kernel", kernel}, {"pci-settings", std::string{"1f.3/42.b=9"}}}), "");
    EXPECT_EQ(io.bytes[0xcfe], 9u);
    EXPECT_EQ(load<std::uint32_t>(std::as_bytes(std::span{io.bytes}), 0xcf8), 0u);
    io.bytes[0xcfe] = 0;
    bench->reset();
    EXPECT_EQ(io.bytes[0xcfe], 9u);
    EXPECT_THAT(boot({{"kernel", kernel}, {"pci-settings", std::string{"rubbish"}}}),
                HasSubstr("\"pci-settings\" has \"rubbish\""));
}

TEST_F(LinuxBootTest, WritesPortsAtEveryReset) {
    const std::string kernel = write_file(path("kernel"), synthetic_kernel());
    ASSERT_EQ(boot({{"kernel", kernel}, {"port-settings", std::string{"d6=c0 d4=7 d4=1"}}}), "");
    EXPECT_EQ(io.bytes[0xd6], 0xc0u);
    EXPECT_EQ(io.bytes[0xd4], 1u) << "in their order";
    io.bytes[0xd6] = 0;
    bench->reset();
    EXPECT_EQ(io.bytes[0xd6], 0xc0u);
    EXPECT_THAT(boot({{"kernel", kernel}, {"port-settings", std::string{"rubbish"}}}),
                HasSubstr("\"port-settings\" has \"rubbish\""));
}

class TablesOfOthersTest : public LinuxBootTest {
protected:
    TablesOfOthersTest() {
        std::vector<std::byte> root(20);
        std::memcpy(root.data(), "RSD PTR ", 8);
        tables.add("rsdp", std::move(root));
        tables.add("tables", std::vector<std::byte>(5000, std::byte{0x77}));
        tables.add_script({testing::allocate("rsdp", 16, 2), testing::allocate("tables", 64),
                           testing::add_pointer("rsdp", "rsdp", 16, 4)});
    }

    std::string kernel = write_file(path("kernel"), synthetic_kernel());
};

TEST_F(TablesOfOthersTest, LieInTheExtendedBiosDataAreaAndAtTheEndOfMemory) {
    const std::vector<std::byte> initrd(5000);
    ASSERT_EQ(boot({{"kernel", kernel}, {"initrd", write_file(path("initrd"), initrd)}}), "");
    EXPECT_EQ(zero_page<std::uint64_t>(boot_params::acpi_rsdp_address), 0x9fc10u);
    EXPECT_EQ(std::memcmp(at(0x9fc10).data(), "RSD PTR ", 8), 0);
    EXPECT_EQ(load<std::uint32_t>(at(0x9fc10), 16), 0x9fc10u);
    EXPECT_EQ(load<std::uint16_t>(at(0x40e), 0), 0x9fc0u);
    EXPECT_EQ(load<std::uint16_t>(at(0x413), 0), 639u);
    EXPECT_EQ(at(0x9fc00)[0], std::byte{1});
    const std::uint64_t area = 64 * mebibyte - 8192;
    EXPECT_EQ(at(area + 4999)[0], std::byte{0x77});
    EXPECT_EQ(load<std::uint64_t>(at(0xe0000), 0), 0u) << "no tables of its own";
    EXPECT_EQ(zero_page<std::uint32_t>(boot_params::ramdisk_image), area - 8192);

    ASSERT_EQ(zero_page<std::uint8_t>(boot_params::e820_entries), 5);
    const auto entry = [&](unsigned index) {
        const std::size_t offset = boot_params::e820_table + index * 20;
        return std::tuple{zero_page<std::uint64_t>(offset), zero_page<std::uint64_t>(offset + 8),
                          zero_page<std::uint32_t>(offset + 16)};
    };
    EXPECT_EQ(entry(3), (std::tuple{mebibyte, area - mebibyte, 1u}));
    EXPECT_EQ(entry(4), (std::tuple{area, std::uint64_t{8192}, 4u}));
}

TEST_F(TablesOfOthersTest, AreTakenAgainAtEveryReset) {
    ASSERT_EQ(boot({{"kernel", kernel}}), "");
    const auto fresh = memory->bytes;
    tables.files[1].content.resize(9000, std::byte{0x66});
    std::ranges::fill(memory->bytes, 0);
    bench->reset();
    EXPECT_EQ(at(64 * mebibyte - 12288 + 8999)[0], std::byte{0x66});
    tables.files[1].content.resize(5000);
    std::ranges::fill(memory->bytes, 0);
    bench->reset();
    EXPECT_TRUE(memory->bytes == fresh);
}

TEST_F(TablesOfOthersTest, AreNotAskedForWithoutAcpi) {
    tables.files.clear();
    tables.add("unusable", {});
    ASSERT_EQ(boot({{"kernel", kernel}, {"acpi", false}}), "");
    EXPECT_FALSE(bench->host().power_off.has_value());
    EXPECT_EQ(zero_page<std::uint64_t>(boot_params::acpi_rsdp_address), 0u);
    EXPECT_EQ(load<std::uint16_t>(at(0x40e), 0), 0u);
}

TEST_F(TablesOfOthersTest, EndTheRunWhenTheyCannotBePlaced) {
    tables.files.pop_back();
    ASSERT_EQ(boot({{"kernel", kernel}}), "");
    ASSERT_TRUE(bench->host().power_off.has_value());
    EXPECT_EQ(bench->host().power_off->exit_code, 1);
    EXPECT_EQ(bench->host().power_off->why,
              "cannot start the kernel: nobody offers the script \"etc/table-loader\"");
    EXPECT_FALSE(cpu.values.contains("rip"));
}

TEST_F(LinuxBootTest, LoadsEverythingAgainAtEveryReset) {
    ASSERT_EQ(boot_kernel(synthetic_kernel()), "");
    const auto fresh = memory->bytes;
    const auto registers = cpu.values;
    std::ranges::fill(memory->bytes, 0);
    cpu.values.clear();
    bench->reset();
    EXPECT_EQ(cpu.values, registers);
    EXPECT_TRUE(memory->bytes == fresh);
}

TEST_F(LinuxBootTest, PutsARelocatableKernelWithoutPreferenceAboveLowMemory) {
    auto kernel = synthetic_kernel();
    store(std::span{kernel}, boot_params::preferred_address, std::uint64_t{0});
    ASSERT_EQ(boot_kernel(kernel, 8 * mebibyte), "");
    EXPECT_EQ(cpu.values["rip"], 2 * mebibyte + 0x200);
}

TEST_F(LinuxBootTest, SaysWhatDoesNotFitAndWhereRamIs) {
    auto kernel = synthetic_kernel();
    EXPECT_THAT(boot_kernel(kernel, 16 * mebibyte),
                HasSubstr("does not fit: it needs 2 MiB of RAM between 16 MiB and 4 GiB; RAM is "
                          "at 0x0-0xffffff"));
    store(std::span{kernel}, boot_params::relocatable_kernel, std::uint8_t{0});
    EXPECT_THAT(boot_kernel(kernel, 8 * mebibyte),
                HasSubstr("it needs 2 MiB of RAM at 0x1000000-0x11fffff; RAM is at 0x0-0x7fffff"));

    const std::vector<std::byte> initrd(50 * mebibyte);
    EXPECT_THAT(boot({{"kernel", write_file(path("kernel"), synthetic_kernel())},
                      {"initrd", write_file(path("initrd"), initrd)}}),
                HasSubstr("initrd \"" + path("initrd") +
                          "\" does not fit: it needs 50 MiB of RAM beside the kernel's 2 MiB"));
}

TEST_F(LinuxBootTest, NamesTheFileThatCannotBeUsed) {
    EXPECT_EQ(boot({{"kernel", std::string{"/no/such/kernel"}}}),
              "kernel \"/no/such/kernel\" cannot be read: No such file or directory");
    EXPECT_EQ(boot({{"kernel", std::string{"/"}}}), "kernel \"/\" cannot be read: Is a directory");
    EXPECT_EQ(boot({{"kernel", std::string{"/dev/null"}}}),
              "kernel \"/dev/null\" cannot be read: it is not a regular file");
    EXPECT_THAT(boot_kernel({}), HasSubstr("kernel \"" + path("kernel") + "\" is not a bzImage"));
    EXPECT_EQ(boot({{"kernel", write_file(path("kernel"), synthetic_kernel())},
                    {"initrd", std::string{"/no/such/initrd"}}}),
              "initrd \"/no/such/initrd\" cannot be read: No such file or directory");
}

TEST_F(LinuxBootTest, RefusesAHugeFileWithoutReadingIt) {
    const std::string huge = write_file(path("huge"), {});
    std::filesystem::resize_file(huge, std::uint64_t{1} << 40);
    EXPECT_EQ(boot({{"kernel", huge}}), "kernel \"" + huge + "\" is too large: 4 GiB or more");
    std::filesystem::remove(huge);
}

TEST_F(LinuxBootTest, RefusesACommandLineThatTheKernelWouldCut) {
    const std::string kernel = write_file(path("kernel"), synthetic_kernel());
    EXPECT_EQ(boot({{"kernel", kernel}, {"command-line", std::string(2047, 'x')}}), "");
    EXPECT_THAT(boot({{"kernel", kernel}, {"command-line", std::string(2048, 'x')}}),
                HasSubstr("the command line has 2048 bytes, but kernel \"" + kernel +
                          "\" takes at most 2047"));
}

TEST_F(LinuxBootTest, NeedsLowRamAndACpuWithTheUsualRegisters) {
    const std::string kernel = write_file(path("kernel"), synthetic_kernel());
    EXPECT_THAT(boot({{"kernel", kernel}}, 64 * mebibyte, mebibyte),
                HasSubstr("there must be RAM at 0x1000-0x3ffff"));

    cpus = 0;
    EXPECT_THAT(boot({{"kernel", kernel}}), HasSubstr("\"cpus\" names no CPU"));
    cpus = 1;
    cpu = RegisterFile{{"cs.attributes"}};
    EXPECT_THAT(boot({{"kernel", kernel}}),
                HasSubstr("the CPU engine has no register \"cs.attributes\""));
}

TEST_F(LinuxBootTest, EndsTheRunWhenTheCpuRefusesARegister) {
    cpu.refuses = "efer";
    ASSERT_EQ(boot_kernel(synthetic_kernel()), "");
    ASSERT_TRUE(bench->host().power_off.has_value());
    EXPECT_EQ(bench->host().power_off->exit_code, 1);
    EXPECT_THAT(bench->host().power_off->why,
                HasSubstr("does not accept 0x500 in register \"efer\""));
}

TEST_F(LinuxBootTest, TakesDebiansKernel) {
    const char* home = std::getenv("HOME");
    const std::string kernel = std::string{home != nullptr ? home : ""} +
                               "/.cache/backplane/guest/vmlinuz";
    if (!std::filesystem::exists(kernel))
        GTEST_SKIP() << "tools/guest has not fetched " << kernel << " yet";
    ASSERT_EQ(boot({{"kernel", kernel}}, 128 * mebibyte), "");
    EXPECT_EQ(cpu.values["rip"], 16 * mebibyte + 0x200);
    EXPECT_EQ(load<std::uint8_t>(at(cpu.values["rip"]), 0), 0xfc);  // head_64.S, startup_64: cld
}

}  // namespace
}  // namespace backplane::linux_boot
