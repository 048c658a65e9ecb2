#include "elf_image.h"
#include "firmware_files.h"
#include "linux_boot.h"
#include "multiboot_header.h"
#include "register_file.h"
#include "support/temp_path.h"
#include "synthetic_elf.h"
#include "synthetic_kernel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>

namespace backplane::linux_boot {
namespace {

using namespace std::string_literals;
using namespace testing;
using backplane::testing::DeviceBench;
using backplane::testing::FlatMemory;
using backplane::testing::Setting;
using ::testing::HasSubstr;

template <class... Words>
std::vector<std::byte> words(Words... values) {
    std::vector<std::byte> bytes;
    for (const std::uint32_t value : {static_cast<std::uint32_t>(values)...}) {
        bytes.resize(bytes.size() + 4);
        store(std::span{bytes}, bytes.size() - 4, value);
    }
    return bytes;
}

constexpr std::uint32_t magic_1 = 0x1badb002, magic_2 = 0xe85250d6;

std::vector<std::byte> header_1(std::uint32_t flags, std::vector<std::byte> rest = {}) {
    auto header = words(magic_1, flags, 0 - magic_1 - flags);
    header.insert(header.end(), rest.begin(), rest.end());
    return header;
}

std::vector<std::byte> header_2(std::vector<std::byte> tags) {
    const auto end = words(0, 8);
    tags.insert(tags.end(), end.begin(), end.end());
    const auto length = static_cast<std::uint32_t>(16 + tags.size());
    auto header = words(magic_2, 0, length, 0 - magic_2 - length);
    header.insert(header.end(), tags.begin(), tags.end());
    return header;
}

class OtherKernelsTest : public ::testing::Test {
protected:
    ~OtherKernelsTest() override {
        for (const std::string& file : files_)
            std::filesystem::remove(file);
    }

    std::string store_file(const std::string& name, const std::vector<std::byte>& content) {
        return write_file(files_.emplace_back(test::temp_path("other_" + name)), content);
    }

    // Boots, and returns why it refused, if it did.
    std::string boot(const std::vector<std::byte>& kernel, std::vector<Setting> settings = {},
                     std::uint64_t ram = 16 * mebibyte) {
        settings.emplace_back("kernel", store_file("kernel", kernel));
        memory = std::make_unique<FlatMemory>(ram);
        std::ranges::fill(memory->bytes, std::uint8_t{0xcc});
        bench = std::make_unique<DeviceBench>(Declaration<LinuxBoot>::device_type(),
                                              std::move(settings));
        bench->connect("memory", *memory).connect("io", io).connect("cpus", cpu);
        if (!tables.files.empty()) bench->connect("tables", tables);
        return bench->power_on() ? "" : bench->failure();
    }

    template <class T = std::uint32_t>
    T at(std::uint64_t address) const {
        return load<T>(std::as_bytes(std::span{memory->bytes}), address);
    }
    std::string text(std::uint64_t address) const {
        return reinterpret_cast<const char*>(&memory->bytes.at(address));
    }
    std::uint32_t info(std::uint32_t offset) const { return at(cpu.values.at("rbx") + offset); }

    // Where the tag's content begins; 0 when there is none.
    std::uint64_t tag(std::uint32_t type) const {
        const std::uint64_t start = cpu.values.at("rbx"), end = start + at(start);
        for (std::uint64_t tag = start + 8; tag < end; tag += (at(tag + 4) + 7) & ~7u)
            if (at(tag) == type) return tag + 8;
        return 0;
    }

    RegisterFile cpu;
    FirmwareFiles tables;
    FlatMemory io{0x10000};
    std::unique_ptr<FlatMemory> memory;
    std::unique_ptr<DeviceBench> bench;

private:
    std::vector<std::string> files_;
};

TEST_F(OtherKernelsTest, AMultibootElfIsEnteredInProtectedMode) {
    SyntheticElf elf;
    elf.at_start = header_1(3);
    ASSERT_EQ(boot(elf.file()), "");
    EXPECT_EQ(cpu.values["rip"], 0x100010u) << "the entry, at its physical address";
    EXPECT_EQ(cpu.values["rax"], 0x2badb002u);
    EXPECT_EQ(cpu.values["cr0"], 0x11u);
    EXPECT_EQ(cpu.values["efer"], 0u);
    EXPECT_EQ(cpu.values["rflags"], 2u);
    EXPECT_EQ(cpu.values["cs.attributes"], 0xc09bu);
    EXPECT_EQ(cpu.values["ds.attributes"], 0xc093u);
    EXPECT_EQ(at(0x100000), magic_1);
    EXPECT_EQ(at(0x100ffc), 0x5a5a5a5au);
    EXPECT_EQ(at(0x101000), 0u) << "the rest of the segment is cleared";
    EXPECT_EQ(at(0x102ffc), 0u);
    EXPECT_EQ(load<std::uint64_t>(std::as_bytes(std::span{memory->bytes}),
                                  cpu.values["gdtr.base"] + 0x10),
              0x00cf9b000000ffffu);
}

TEST_F(OtherKernelsTest, MultibootTellsOfMemoryAndTheCommandLine) {
    SyntheticElf elf;
    elf.at_start = header_1(2);
    ASSERT_EQ(boot(elf.file(), {{"command-line", "a b"s}}), "");
    EXPECT_EQ(info(0), 0x24du) << "memory, command line, modules, map, loader";
    EXPECT_EQ(info(4), 639u);
    EXPECT_EQ(info(8), 15u << 10);
    EXPECT_THAT(text(info(16)), ::testing::EndsWith("other_kernel a b"));
    EXPECT_EQ(info(20), 0u);
    EXPECT_EQ(info(44), 4u * 24);
    EXPECT_EQ(at(info(48)), 20u);
    EXPECT_EQ(at<std::uint64_t>(info(48) + 12), 0x9fc00u) << "length of the first range";
    EXPECT_EQ(at(info(48) + 20), 1u);
    EXPECT_EQ(text(info(64)), "Backplane");
}

TEST_F(OtherKernelsTest, MultibootModulesLieBehindTheKernelAtPages) {
    SyntheticElf elf;
    elf.at_start = header_1(1);
    const std::string first = store_file("first", std::vector<std::byte>(5000, std::byte{1}));
    const std::string second = store_file("sec,ond", std::vector<std::byte>(10, std::byte{2}));
    std::string escaped = second;
    escaped.insert(escaped.find(','), ",");
    ASSERT_EQ(boot(elf.file(), {{"initrd", first + " with parameters," + escaped}}), "");
    ASSERT_EQ(info(20), 2u);
    const std::uint32_t modules = info(24);
    EXPECT_EQ(at(modules), 0x103000u);
    EXPECT_EQ(at(modules + 4), 0x103000u + 5000);
    EXPECT_EQ(text(at(modules + 8)), first + " with parameters");
    EXPECT_EQ(at(modules + 16), 0x105000u);
    EXPECT_EQ(at(0x105000), 0x02020202u);
    EXPECT_EQ(text(at(modules + 24)), second);
}

TEST_F(OtherKernelsTest, MultibootGivesTheSymbolsOfAnElfKernel) {
    for (const bool is_64 : {false, true}) {
        SyntheticElf elf;
        elf.is_64 = is_64;
        elf.at_start = header_1(0);
        elf.symbols = std::vector<std::byte>(100, std::byte{0x77});
        ASSERT_EQ(boot(elf.file()), "");
        EXPECT_NE(info(0) & 0x20, 0u);
        EXPECT_EQ(info(28), 2u);
        EXPECT_EQ(info(32), is_64 ? 64u : 40u);
        EXPECT_EQ(info(40), 1u);
        const std::uint32_t address = at(info(36) + info(32) + (is_64 ? 16 : 12));
        EXPECT_GE(address, 0x103000u);
        EXPECT_EQ(at(address), 0x77777777u);
    }
}

TEST_F(OtherKernelsTest, AFlatKernelGoesWhereItsHeaderSays) {
    // The header is 0x20 into the file, of which 0x10 bytes before it are loaded too.
    std::vector<std::byte> kernel(0x20);
    const auto header = header_1(0x10000, words(0x200010, 0x200000, 0x200030, 0x200100, 0x200024));
    kernel.insert(kernel.end(), header.begin(), header.end());
    kernel.resize(0x100, std::byte{0x99});
    kernel[0x10] = std::byte{0x42};
    ASSERT_EQ(boot(kernel), "");
    EXPECT_EQ(cpu.values["rip"], 0x200024u);
    EXPECT_EQ(memory->bytes[0x200000], 0x42);
    EXPECT_EQ(at(0x200010), magic_1);
    EXPECT_EQ(at(0x200030), 0u) << "after load_end_addr there are zeros";
    EXPECT_EQ(at(0x2000fc), 0u);
    EXPECT_EQ(memory->bytes[0x200100], 0xcc);
}

TEST_F(OtherKernelsTest, RefusesContradictoryFlatKernels) {
    const auto refusal = [&](std::vector<std::byte> fields) {
        auto kernel = header_1(0x10000, std::move(fields));
        kernel.resize(0x100);
        return boot(kernel);
    };
    EXPECT_THAT(refusal(words(0x200000, 0x200010, 0, 0, 0)), HasSubstr("contradict"));
    EXPECT_THAT(refusal(words(0x200010, 0x200000, 0, 0, 0)), HasSubstr("contradict"));
    EXPECT_THAT(refusal(words(0x200000, 0x200000, 0x1fffff, 0, 0)), HasSubstr("contradict"));
    EXPECT_THAT(refusal(words(0x200000, 0x200000, 0x200101, 0, 0)), HasSubstr("truncated"));
    EXPECT_THAT(refusal(words(0xfffffff0, 0xfffffff0, 0, 0, 0)), HasSubstr("does not fit"));
    EXPECT_THAT(refusal(words(0x200000, 0x200000, 0, 0xfff00000, 0)), HasSubstr("does not fit"));
    EXPECT_THAT(boot(header_1(0x10000)), HasSubstr("truncated"));
}

TEST_F(OtherKernelsTest, RefusesWhatAMultibootHeaderMayNotAsk) {
    EXPECT_THAT(boot(header_1(8)), HasSubstr("unknown flags"));
    EXPECT_THAT(boot(header_1(0)), HasSubstr("neither an ELF file"));
    SyntheticElf elf;
    elf.at_start = header_1(4, words(0, 0, 0, 0, 0, 0, 1024, 768, 32));
    EXPECT_THAT(boot(elf.file()), HasSubstr("graphics"));
    elf.at_start = header_1(4, words(0, 0, 0, 0, 0, 1, 80, 25, 0));
    ASSERT_EQ(boot(elf.file()), "");
    EXPECT_EQ(at<std::uint64_t>(cpu.values["rbx"] + 88), 0xb8000u);
    elf.at_start = header_2(words(0x63, 8));
    EXPECT_THAT(boot(elf.file()), HasSubstr("tag 99"));
    elf.at_start = header_2(words(1, 12, 17, 0));
    EXPECT_THAT(boot(elf.file()), HasSubstr("type 17"));
    elf.at_start = header_2(words(1 | 1 << 16, 12, 17, 0));
    EXPECT_EQ(boot(elf.file()), "") << "it was optional";
    elf.at_start = header_2(words(2, 4));
    EXPECT_THAT(boot(elf.file()), HasSubstr("impossible size"));
    elf.at_start = header_2(words(2, 12, 0, 0));
    EXPECT_THAT(boot(elf.file()), HasSubstr("too short"));
}

TEST_F(OtherKernelsTest, AMultiboot2KernelGetsTags) {
    SyntheticElf elf;
    elf.is_64 = true;
    elf.at_start = header_2(words(1, 16, 6, 15, 4, 12, 2, 0));
    elf.symbols = std::vector<std::byte>(8, std::byte{0x33});
    const std::string module = store_file("module", std::vector<std::byte>(3, std::byte{9}));
    ASSERT_EQ(boot(elf.file(), {{"command-line", "x=1"s}, {"initrd", module + " m"}}), "");
    EXPECT_EQ(cpu.values["rax"], 0x36d76289u);
    EXPECT_EQ(cpu.values["rbx"] % 8, 0u);
    EXPECT_EQ(cpu.values["rip"], 0x100010u);
    EXPECT_EQ(cpu.values["efer"], 0u) << "32-bit mode, also for 64-bit kernels";
    EXPECT_THAT(text(tag(1)), ::testing::EndsWith(" x=1"));
    EXPECT_EQ(text(tag(2)), "Backplane");
    EXPECT_EQ(at(tag(3)), 0x103000u);
    EXPECT_EQ(at(tag(3) + 4), 0x103003u);
    EXPECT_EQ(text(tag(3) + 8), module + " m");
    EXPECT_EQ(at(tag(4)), 639u);
    EXPECT_EQ(at(tag(6)), 24u);
    EXPECT_EQ(at<std::uint64_t>(tag(6) + 16), 0x9fc00u);
    EXPECT_EQ(at<std::uint64_t>(tag(8)), 0xb8000u) << "the text screen that it asked for";
    EXPECT_EQ(at(tag(9)), 2u);
    EXPECT_EQ(at(tag(9) + 4), 64u);
    EXPECT_EQ(text(tag(14)).substr(0, 8), "RSD PTR ");
    EXPECT_EQ(at(tag(15) - 4), 8u + 36);
    EXPECT_EQ(at(tag(21)), 0x100000u);
}

TEST_F(OtherKernelsTest, ARelocatableKernelGoesWhereThereIsMemory) {
    SyntheticElf elf;
    elf.physical = elf.virtual_address = 0x10000000;
    elf.entry = 0x10000020;
    elf.at_start = header_2(words(10, 24, 0x300001, 0xffffffff, 0x100000, 1));
    ASSERT_EQ(boot(elf.file()), "");
    EXPECT_EQ(cpu.values["rip"], 0x400020u);
    EXPECT_EQ(at(tag(21)), 0x400000u);
    elf.at_start = header_2(words(10, 24, 0x300001, 0x400fff, 0x100000, 1));
    EXPECT_THAT(boot(elf.file()), HasSubstr("no room for the kernel"));
    elf.at_start = header_2(words(10, 24, 0, 0xffffffff, 3, 1));
    EXPECT_THAT(boot(elf.file()), HasSubstr("power of two"));
    elf.at_start = header_2({});
    EXPECT_THAT(boot(elf.file()), HasSubstr("does not fit: it needs RAM at 0x10000000"));
}

TEST_F(OtherKernelsTest, APvhKernelIsEnteredWhereItsNoteSays) {
    for (const bool is_64 : {false, true}) {
        SyntheticElf elf;
        elf.is_64 = is_64;
        elf.note = is_64 ? words(0x100040, 0) : words(0x100040);
        const std::string module = store_file("initrd", std::vector<std::byte>(7, std::byte{6}));
        ASSERT_EQ(boot(elf.file(), {{"command-line", "quiet"s}, {"initrd", module}}), "");
        EXPECT_EQ(cpu.values["rip"], 0x100040u);
        EXPECT_EQ(cpu.values["cr0"], 0x11u);
        EXPECT_EQ(info(0), 0x336ec578u);
        EXPECT_EQ(info(4), 1u);
        EXPECT_EQ(info(12), 1u);
        EXPECT_EQ(at<std::uint64_t>(info(16)), 0x103000u);
        EXPECT_EQ(at<std::uint64_t>(info(16) + 8), 7u);
        EXPECT_EQ(text(at(info(16) + 16)), module);
        EXPECT_EQ(text(info(24)), "quiet");
        EXPECT_EQ(text(info(32)).substr(0, 8), "RSD PTR ");
        EXPECT_EQ(info(48), 4u);
        EXPECT_EQ(at<std::uint64_t>(info(40) + 8), 0x9fc00u);
        EXPECT_EQ(at(info(40) + 16), 1u);
    }
}

TEST_F(OtherKernelsTest, LearnOfTheTablesOfOthers) {
    std::vector<std::byte> root(36);
    std::memcpy(root.data(), "RSD PTR ", 8);
    root[15] = std::byte{2};
    tables.add("rsdp", std::move(root));
    tables.add("tables", std::vector<std::byte>(100));
    tables.add_script({allocate("rsdp", 16, 2), allocate("tables"),
                       add_pointer("rsdp", "tables", 24, 8), add_checksum("rsdp", 32, 0, 36)});
    constexpr std::uint64_t area = 16 * mebibyte - 4096;

    SyntheticElf pvh;
    pvh.note = words(0x100040);
    ASSERT_EQ(boot(pvh.file()), "");
    EXPECT_EQ(info(32), 0x9fc10u);
    EXPECT_EQ(text(info(32)).substr(0, 8), "RSD PTR ");
    EXPECT_EQ(info(48), 5u);
    EXPECT_EQ(at<std::uint64_t>(info(40) + 4 * 24), area);
    EXPECT_EQ(at(info(40) + 4 * 24 + 16), 4u);

    SyntheticElf multiboot;
    multiboot.at_start = header_2({});
    ASSERT_EQ(boot(multiboot.file()), "");
    EXPECT_EQ(text(tag(15)).substr(0, 8), "RSD PTR ");
    EXPECT_EQ(at(tag(15) - 4), 8u + 36);
    EXPECT_EQ(at<std::uint64_t>(tag(15) + 24), area);
    EXPECT_EQ(at(tag(15) + 32), at(0x9fc10 + 32)) << "with its checksum";
    EXPECT_EQ(text(tag(14)).substr(0, 8), "RSD PTR ");
}

TEST_F(OtherKernelsTest, AnElfFileWithoutAnEntryIsRefused) {
    SyntheticElf elf;
    EXPECT_THAT(boot(elf.file()), HasSubstr("neither a Multiboot header nor a PVH entry"));
    elf.note = words(0x100040);
    elf.note_type = 17;
    EXPECT_THAT(boot(elf.file()), HasSubstr("neither a Multiboot header nor a PVH entry"));
    elf.note_type = 18;
    elf.note = {std::byte{1}};
    EXPECT_THAT(boot(elf.file()), HasSubstr("neither a Multiboot header nor a PVH entry"));
}

TEST_F(OtherKernelsTest, DamagedElfFilesAreRefused) {
    SyntheticElf elf;
    elf.note = words(0x100040);
    const auto refusal = [&](auto spoil) {
        auto file = elf.file();
        spoil(file);
        return boot(file);
    };
    EXPECT_THAT(refusal([](auto& file) { file.resize(40); }), HasSubstr("truncated"));
    EXPECT_THAT(refusal([](auto& file) { file.resize(0x1800); }), HasSubstr("truncated"));
    EXPECT_THAT(refusal([](auto& file) { store(std::span{file}, 18, std::uint16_t{40}); }),
                HasSubstr("another kind of processor"));
    EXPECT_THAT(refusal([](auto& file) { store(std::span{file}, 28, 0xfffffff0u); }),
                HasSubstr("damaged"));
    EXPECT_THAT(refusal([](auto& file) { store(std::span{file}, 44, std::uint16_t{0}); }),
                HasSubstr("nothing to load"));
    EXPECT_THAT(refusal([](auto& file) { store(std::span{file}, 52 + 20, 0x10u); }),
                HasSubstr("impossible size"));
    EXPECT_THAT(refusal([](auto& file) { store(std::span{file}, 52 + 12, 0xfffff000u); }),
                HasSubstr("does not fit"));
}

TEST_F(OtherKernelsTest, SaysWhichModuleIsMissingOrTooLarge) {
    SyntheticElf elf;
    elf.at_start = header_1(0);
    EXPECT_THAT(boot(elf.file(), {{"initrd", "/nonexistent/module"s}}),
                HasSubstr("module \"/nonexistent/module\" cannot be read"));
    const std::string large = store_file("large", std::vector<std::byte>(15 * mebibyte));
    EXPECT_THAT(boot(elf.file(), {{"initrd", large}}), HasSubstr("no room for module"));
}

TEST_F(OtherKernelsTest, AResetLoadsEverythingAgain) {
    SyntheticElf elf;
    elf.at_start = header_1(0);
    ASSERT_EQ(boot(elf.file()), "");
    std::ranges::fill(memory->bytes, std::uint8_t{0});
    cpu.values.clear();
    bench->reset();
    EXPECT_EQ(cpu.values["rax"], 0x2badb002u);
    EXPECT_EQ(at(0x100000), magic_1);
    EXPECT_EQ(text(info(64)), "Backplane");
}

TEST(ModuleList, IsSplitAtCommasAndSpaces) {
    EXPECT_TRUE(parse_module_list("").empty());
    const std::vector<ModuleName> expected{{"a", "a b c"}, {"d,e", "d,e"}, {"f", "f"}};
    EXPECT_EQ(parse_module_list("a b c,d,,e,f"), expected);
}

}  // namespace
}  // namespace backplane::linux_boot
