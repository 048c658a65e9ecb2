#include "profile/symbol_table.h"
#include "profile/symbolizer.h"
#include "recording_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

// Found by its name in this very program.
extern "C" [[gnu::noinline, gnu::used]] int backplane_symbol_table_test_function(int x) {
    return x * 3;
}

namespace backplane::profile {
namespace {

using profiler::testing::RecordingFile;
using ::testing::HasSubstr;

constexpr const char* system_map = "0000000000000000 A fixed_percpu_data\n"
                                   "ffffffff81000000 T _stext\n"
                                   "ffffffff81000000 T startup_64\n"
                                   "ffffffff81000040 t helper\n"
                                   "ffffffff81000100 D data\n"
                                   "ffffffffc0000000 t probe\t[virtio_blk]\n";

std::expected<SymbolTable, std::string> table_of(const std::string& text) {
    const RecordingFile file{".map"};
    std::ofstream{file.path} << text;
    return read_symbols(file.path);
}

TEST(SymbolTable, ReadsSystemMap) {
    const auto table = table_of(system_map);
    ASSERT_TRUE(table) << table.error();
    EXPECT_EQ(table->symbols().size(), 4u);
    EXPECT_EQ(table->find(0xffff'ffff'8100'0010)->name, "_stext") << "the first of several";
    EXPECT_EQ(table->find(0xffff'ffff'8100'0050)->name, "helper");
    EXPECT_EQ(table->find(0xffff'ffff'c000'0004)->name, "probe [virtio_blk]");
    EXPECT_EQ(table->find(0xffff'ffff'80ff'ffff), nullptr);
    EXPECT_EQ(table->find(0xffff'ffff'd000'0000), nullptr) << "functions are not that long";
    EXPECT_TRUE(table->has_start(0xffff'ffff'8100'0040));
    EXPECT_FALSE(table->has_start(0xffff'ffff'8100'0041));
}

TEST(SymbolTable, ReadsPerfMaps) {
    const auto table = table_of("7f0000001000 20 LazyCompile:~foo file.js:3\n7f0000001040 8 bar\n");
    ASSERT_TRUE(table) << table.error();
    EXPECT_EQ(table->find(0x7f00'0000'1010)->name, "LazyCompile:~foo file.js:3");
    EXPECT_EQ(table->find(0x7f00'0000'1030), nullptr) << "behind its end";
    EXPECT_EQ(table->find(0x7f00'0000'1047)->name, "bar");
}

TEST(SymbolTable, ReadsElfFiles) {
    const auto table = read_symbols("/proc/self/exe");
    ASSERT_TRUE(table) << table.error();
    bool is_there = false;
    for (const Symbol& symbol : table->symbols())
        is_there |= symbol.name == "backplane_symbol_table_test_function" && symbol.size != 0;
    EXPECT_TRUE(is_there);
    bool is_demangled = false;
    for (const Symbol& symbol : table->symbols())
        is_demangled |= symbol.name.starts_with("backplane::profile::SymbolTable::find(");
    EXPECT_TRUE(is_demangled);
}

TEST(SymbolTable, SaysWhatAFileIsNot) {
    EXPECT_THAT(table_of("this is\nno list of symbols\n").error(),
                HasSubstr("neither an ELF file"));
    EXPECT_THAT(table_of("").error(), HasSubstr("neither an ELF file"));
    EXPECT_THAT(table_of("0000000000000000 T hidden\n").error(), HasSubstr("has no symbols"));
    EXPECT_THAT(table_of("\177ELFgarbage").error(), HasSubstr("a damaged ELF file"));
    EXPECT_THAT(read_symbols("/nowhere").error(), HasSubstr("cannot open /nowhere"));
}

TEST(SymbolTable, ATruncatedElfFileIsDamaged) {
    std::ifstream input{"/proc/self/exe", std::ios::binary};
    std::string bytes(200'000, '\0');
    input.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    for (const std::size_t length : {4u, 16u, 63u, 64u, 1000u, 200'000u}) {
        const auto symbols = parse_elf(std::string_view{bytes}.substr(0, length));
        EXPECT_FALSE(symbols && !symbols->empty()) << length;
    }
}

Recording recording_of_calls(std::uint64_t offset) {
    Recording recording;
    for (std::uint64_t i = 0; i < 64; ++i) {
        Sample sample;
        sample.activity = Activity::Interpreter;
        sample.pc = 0xffff'ffff'8100'0000 + offset + i * 0x100 + 8;
        sample.callers = {{sample.pc + 0x100, 0xffff'ffff'8100'0000 + offset + i * 0x100},
                          {sample.pc + 0x200, 0xffff'ffff'8100'0000 + offset + i * 0x100 + 3}};
        recording.samples.push_back(sample);
    }
    return recording;
}

SymbolTable many_functions() {
    std::vector<Symbol> symbols;
    for (std::uint64_t i = 0; i < 64; ++i)
        // Not at every multiple: only the right offset fits.
        symbols.push_back({0xffff'ffff'8100'0000 + i * 0x100, 0, "f" + std::to_string(i)});
    return SymbolTable{"System.map", symbols};
}

TEST(Symbolizer, FindsHowFarAKernelHasMovedItself) {
    for (const std::uint64_t offset : {0ull, 0x20'0000ull, 0x1ea0'0000ull}) {
        Symbolizer symbolizer;
        symbolizer.add(Space::Kernel, many_functions());
        symbolizer.find_kernel_offset(recording_of_calls(offset));
        EXPECT_EQ(symbolizer.kernel_offset(), offset);
        const Place place = symbolizer.find(Space::Kernel, 0xffff'ffff'8100'0300 + offset + 4);
        ASSERT_TRUE(place.symbol);
        EXPECT_EQ(place.symbol->name, "f3");
        EXPECT_EQ(place.start, 0xffff'ffff'8100'0300 + offset);
        EXPECT_EQ(symbolizer.find(Space::User, 0xffff'ffff'8100'0300 + offset).symbol, nullptr);
    }
}

TEST(Symbolizer, TakesAFilesOffset) {
    const RecordingFile file{".map"};
    std::ofstream{file.path} << "0000000000001000 T main\n";
    Symbolizer symbolizer;
    ASSERT_TRUE(symbolizer.add_file(Space::User, file.path.string() + "@0x555500000000"));
    ASSERT_TRUE(symbolizer.find(Space::User, 0x5555'0000'1004).symbol);
    EXPECT_FALSE(symbolizer.find(Space::User, 0x1004).symbol);
    EXPECT_FALSE(symbolizer.add_file(Space::User, "/nowhere@zz"));
}

}  // namespace
}  // namespace backplane::profile
