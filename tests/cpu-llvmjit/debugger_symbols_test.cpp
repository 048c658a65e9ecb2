// What a debugger is told of compiled code.
#include "compiled_code.h"
#include "observers/debugger_symbols.h"

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

// As a debugger knows it.
struct jit_code_entry {
    jit_code_entry *next, *previous;
    const char* start;
    std::uint64_t bytes;
};
extern "C" struct {
    std::uint32_t version, action;
    jit_code_entry *relevant, *first;
} __jit_debug_descriptor;

namespace backplane::jit::testing {
namespace {

using ::testing::ContainsRegex, ::testing::ElementsAre, ::testing::HasSubstr;
using x86::RCX;

struct Symbol {
    std::string name;
    std::uint64_t start, bytes;
    bool operator==(const Symbol&) const = default;
};

// The functions of an object file, as readelf would find them.
std::vector<Symbol> symbols_of(const char* image, std::size_t bytes) {
    const auto at = [&]<class T>(std::uint64_t place, T value) {
        EXPECT_LE(place + sizeof value, bytes);
        std::memcpy(&value, image + place, sizeof value);
        return value;
    };
    const auto header = at(0, Elf64_Ehdr{});
    EXPECT_EQ(std::memcmp(header.e_ident, ELFMAG, SELFMAG), 0);
    const auto section = [&](unsigned i) {
        return at(header.e_shoff + i * sizeof(Elf64_Shdr), Elf64_Shdr{});
    };
    std::vector<Symbol> found;
    for (unsigned i = 0; i < header.e_shnum; ++i) {
        const Elf64_Shdr table = section(i);
        if (table.sh_type != SHT_SYMTAB) continue;
        const Elf64_Shdr names = section(table.sh_link);
        for (std::uint64_t place = 0; place < table.sh_size; place += sizeof(Elf64_Sym)) {
            const auto symbol = at(table.sh_offset + place, Elf64_Sym{});
            if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC) continue;
            EXPECT_LE(symbol.st_value + symbol.st_size, section(symbol.st_shndx).sh_size);
            found.push_back({image + names.sh_offset + symbol.st_name,
                             section(symbol.st_shndx).sh_addr + symbol.st_value, symbol.st_size});
        }
    }
    return found;
}

std::vector<const jit_code_entry*> files() {
    std::vector<const jit_code_entry*> all;
    const jit_code_entry* before = nullptr;
    for (const auto* entry = __jit_debug_descriptor.first; entry; entry = entry->next) {
        EXPECT_EQ(entry->previous, before);
        all.push_back(before = entry);
    }
    return all;
}

const std::uint8_t* address(std::uint64_t value) {
    return reinterpret_cast<const std::uint8_t*>(value);
}

InstalledCode block(std::uint64_t number) {
    return {.start = address(0x7000'0000 + number * 0x100),
            .bytes = 0xf0,
            .cold_start = address(0x7100'0000 + number * 0x40),
            .cold_bytes = 0x40,
            .tier = 1,
            .linear = 0xffff'8000'0000'0000 + number,
            .physical = number,
            .guest_bytes = 1,
            .instructions = 1,
            .untranslated = 0,
            .nanoseconds = 1};
}

ReleasedCode blocks_from(std::uint64_t first, std::uint64_t count) {
    const InstalledCode start = block(first);
    return {.start = start.start,
            .bytes = count * 0x100,
            .cold_start = start.cold_start,
            .cold_bytes = count * 0x40};
}

TEST(DebuggerSymbols, NameTheTwoPartsOfABlock) {
    DebuggerSymbols symbols;
    EXPECT_TRUE(files().empty());
    symbols.installed(block(5));
    ASSERT_EQ(files().size(), 1u);
    EXPECT_THAT(symbols_of(files()[0]->start, files()[0]->bytes),
                ElementsAre(Symbol{"guest_ffff800000000005_at_5_tier1", 0x7000'0500, 0xf0},
                            Symbol{"guest_ffff800000000005_at_5_tier1_cold", 0x7100'0140, 0x40}));
    EXPECT_EQ(__jit_debug_descriptor.version, 1u);
}

TEST(DebuggerSymbols, StayFewFilesHoweverManyBlocksThereAre) {
    DebuggerSymbols symbols;
    constexpr std::uint64_t blocks = 1000;
    for (std::uint64_t i = 0; i < blocks; ++i) {
        symbols.installed(block(i));
        EXPECT_LE(files().size(), 45u);
    }
    std::vector<std::uint64_t> hot(blocks);
    for (const auto* file : files())
        for (const Symbol& symbol : symbols_of(file->start, file->bytes))
            if (!symbol.name.ends_with("_cold")) ++hot.at((symbol.start - 0x7000'0000) / 0x100);
    EXPECT_THAT(hot, ::testing::Each(1u));
    symbols.released(blocks_from(0, blocks));
    EXPECT_TRUE(files().empty());
}

// As the memory is used in turns, addresses start over in the middle of what there is.
TEST(DebuggerSymbols, GoWithTheOldestBlocks) {
    DebuggerSymbols symbols;
    constexpr std::uint64_t part = 100, parts = 4;
    std::vector<std::uint64_t> expected(part * parts);
    for (std::uint64_t turn = 0; turn < 11; ++turn) {
        const std::uint64_t first = turn % parts * part;
        if (turn >= parts) symbols.released(blocks_from(first, part));
        std::fill_n(expected.begin() + static_cast<std::ptrdiff_t>(first), part, 0);
        for (std::uint64_t i = 0; i < part; ++i) {
            symbols.installed(block(first + i));
            expected[first + i] = 1;
            std::vector<std::uint64_t> hot(part * parts);
            for (const auto* file : files()) {
                std::uint64_t before = 0;
                for (const Symbol& symbol : symbols_of(file->start, file->bytes)) {
                    if (symbol.name.ends_with("_cold")) continue;
                    EXPECT_LT(before, symbol.start);
                    before = symbol.start;
                    ++hot.at((symbol.start - 0x7000'0000) / 0x100);
                }
            }
            ASSERT_EQ(hot, expected) << turn << ' ' << i;
        }
    }
    EXPECT_LE(files().size(), 60u);
}

TEST(DebuggerSymbols, AreOfSeveralProcessorsAtOnce) {
    DebuggerSymbols one;
    {
        DebuggerSymbols other;
        one.installed(block(1));
        other.installed(block(2));
        one.installed(block(3));
        EXPECT_EQ(files().size(), 3u);
    }
    EXPECT_EQ(files().size(), 2u);
}

// ---- With GDB itself ----

// Run by the test below, under GDB: a signal stops it in the middle of compiled code.
TEST(DebuggerSymbols, DISABLED_SpinsInCompiledCode) {
    TestProcessor processor;
    DebuggerSymbols symbols;
    compiler_of(processor).watch(symbols);
    // again: imul rbx, rbx;  push rbx;  pop rbp;  dec rcx;  jnz again;  hlt
    processor.place(TestProcessor::code,
                    {0x48, 0x0f, 0xaf, 0xdb, 0x53, 0x5d, 0x48, 0xff, 0xc9, 0x75, 0xf5, 0xf4});
    processor[RCX] = 2'000'000'000;
    const itimerval soon{{0, 0}, {0, 200'000}};
    setitimer(ITIMER_VIRTUAL, &soon, nullptr);
    // For longer than that on any host.
    processor.run_to_halt(TestProcessor::code, std::int64_t{1} << 40);
}

TEST(DebuggerSymbols, AreUnderstoodByGdb) {
    if (std::system("gdb --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "needs gdb";
    char program[4096] = {};
    ASSERT_GT(readlink("/proc/self/exe", program, sizeof program - 1), 0);
    const std::string command =
        "gdb -nx -batch -ex 'set debuginfod enabled off' -ex 'handle SIGVTALRM stop nopass' "
        "-ex run -ex 'backtrace 4' -ex 'info symbol $pc' -ex kill --args " +
        std::string{program} +
        " --gtest_also_run_disabled_tests"
        " --gtest_filter=DebuggerSymbols.DISABLED_SpinsInCompiledCode 2>&1";
    // One time in a hundred it is stopped between two slices.
    std::string output;
    for (int attempt = 0; attempt < 5 && output.find(" in guest_") == std::string::npos;
         ++attempt) {
        output.clear();
        std::FILE* pipe = popen(command.c_str(), "r");
        ASSERT_TRUE(pipe);
        for (char line[1024]; std::fgets(line, sizeof line, pipe);)
            output += line;
        pclose(pipe);
        if (output.find("ptrace") != std::string::npos) GTEST_SKIP() << "may not trace: " << output;
    }
    EXPECT_THAT(output, HasSubstr("#0  0x")) << output;
    EXPECT_THAT(output, HasSubstr(" in guest_100000_at_100000_tier1 ()")) << output;
    // With or without the compiler's debug information, and whatever it inlined.
    EXPECT_THAT(output, ContainsRegex("#[1-3] .*(Interpreter::| )run ?\\(")) << output;
    EXPECT_THAT(output, HasSubstr("guest_100000_at_100000_tier1 + ")) << output;
}

}  // namespace
}  // namespace backplane::jit::testing
