// The host's program counter leads back to the guest's.
#include "compiled_code.h"
#include "tier1/translator.h"
#include "x86/instruction_set.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <vector>

namespace backplane::jit::testing {
namespace {

using x86::RAX, x86::RBX, x86::RCX, x86::RSI;
constexpr std::uint64_t code = TestProcessor::code, data = TestProcessor::data;

// again: add rbx, [rsi];  addps xmm0, xmm1;  xlatb;  call next;  next: pop rdx;  dec rcx;
// jnz again;  hlt
void place_program(TestProcessor& processor) {
    processor.place(code, {0x48, 0x03, 0x1e, 0x0f, 0x58, 0xc1, 0xd7, 0xe8, 0x00, 0x00, 0x00, 0x00,
                           0x5a, 0x48, 0xff, 0xc9, 0x75, 0xee, 0xf4});
    processor[RSI] = processor[RBX] = data;
    processor[RAX] = 0;
    processor[RCX] = 100;
}

TEST(CodeMap, CoversTheCodeOfABlockInOrder) {
    TestProcessor processor;
    place_program(processor);
    ASSERT_TRUE(processor.run_to_halt());
    const NativeBlock* native = native_at(processor, code);
    ASSERT_TRUE(native);
    const CodeMap map = compiler_of(processor).map_of(*native);
    EXPECT_EQ(map.parts().front().place, native->start);
    EXPECT_NE(std::ranges::find(map.parts(), native->cold_start, &CodePart::place),
              map.parts().end());
    EXPECT_LT(map.parts().back().place, native->cold_end);
    EXPECT_TRUE(std::ranges::is_sorted(map.parts(), {}, &CodePart::place));
    const auto count = [&](CodePart::Kind kind) {
        return std::ranges::count(map.parts(), kind, &CodePart::kind);
    };
    EXPECT_EQ(count(CodePart::Kind::Instruction) + count(CodePart::Kind::Untranslated),
              native->block->instruction_count);
    EXPECT_EQ(count(CodePart::Kind::Untranslated), 1) << "XLAT";
    EXPECT_GE(count(CodePart::Kind::Resumption), 1);
    EXPECT_GE(count(CodePart::Kind::Exit), 3);
    EXPECT_EQ(count(CodePart::Kind::RegisterLoad), 1);
}

TEST(CodeMap, IsOfTheVeryCodeThatIsThere) {
    TestProcessor processor;
    place_program(processor);
    ASSERT_TRUE(processor.run_to_halt());
    Tier1Compiler& compiler = compiler_of(processor);
    // As much as the arena may have, of which hardly anything is touched.
    constexpr std::size_t size = std::size_t{64} << 20;
    void* const memory = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    auto* const again = static_cast<std::uint8_t*>(memory);
    for (const std::uint64_t at : {code, code + 12, code + 18}) {
        const NativeBlock* native = native_at(processor, at);
        ASSERT_TRUE(native);
        Assembler assembler{again, native->start, size};
        // Counted where the first time did.
        auto& untranslated = const_cast<Untranslated&>(compiler.untranslated());
        std::pmr::monotonic_buffer_resource workspace;
        Translator translator{assembler, compiler.ways(), compiler.model(),
                              false,     untranslated,    workspace};
        NativeBlock made{workspace};
        made.far_links = native->far_links;
        interp::Block& block = *native->block;
        translator.translate(block, compiler.decode(block), native->cold_start, size, made);
        ASSERT_EQ(made.end, native->end);
        ASSERT_EQ(made.cold_end, native->cold_end);
        // But for jumps that are linked by now.
        for (const Edge& edge : native->edges)
            std::memcpy(again + edge.displacement, compiler.address_of(edge.displacement), 4);
        const auto is_same = [&](Place start, Place end) {
            return std::equal(again + start, again + end, compiler.address_of(start));
        };
        EXPECT_TRUE(is_same(native->start, native->end)) << std::hex << at;
        EXPECT_TRUE(is_same(native->cold_start, native->cold_end)) << std::hex << at;
    }
    munmap(memory, size);
}

TEST(CodeMap, LeavesTheCodeAsItIs) {
    TestProcessor processor;
    place_program(processor);
    ASSERT_TRUE(processor.run_to_halt());
    Tier1Compiler& compiler = compiler_of(processor);
    const NativeBlock* native = native_at(processor, code);
    ASSERT_TRUE(native);
    const auto bytes = [&] {
        std::vector<std::uint8_t> all(compiler.address_of(native->start) - 64,
                                      compiler.address_of(native->end) + 64);
        all.insert(all.end(), compiler.address_of(native->cold_start) - 64,
                   compiler.address_of(native->cold_end) + 64);
        return all;
    };
    const auto before = bytes();
    (void)compiler.map_of(*native);
    EXPECT_EQ(bytes(), before) << "with what is linked, and its neighbours";
}

TEST(CodeMap, DoesNotCountWhatItTranslatesAgain) {
    TestProcessor processor;
    place_program(processor);
    ASSERT_TRUE(processor.run_to_halt());
    Tier1Compiler& compiler = compiler_of(processor);
    const auto before = compiler.untranslated()[ZYDIS_MNEMONIC_XLAT];
    EXPECT_EQ(before.left, 100u);
    (void)compiler.map_of(*native_at(processor, code));
    EXPECT_EQ(compiler.untranslated()[ZYDIS_MNEMONIC_XLAT].met, before.met);
    processor[RCX] = 1;
    ASSERT_TRUE(processor.run_to_halt());
    EXPECT_EQ(compiler.untranslated()[ZYDIS_MNEMONIC_XLAT].left, before.left + 1);
}

TEST(CodeMap, KnowsNothingOfAddressesOutsideAndOfCodeThatIsGone) {
    TestProcessor processor;
    place_program(processor);
    ASSERT_TRUE(processor.run_to_halt());
    Tier1Compiler& compiler = compiler_of(processor);
    const NativeBlock* native = native_at(processor, code);
    ASSERT_TRUE(native);
    for (const auto& [start, end] :
         {std::pair{native->start, native->end}, std::pair{native->cold_start, native->cold_end}}) {
        EXPECT_EQ(compiler.place_of(compiler.address_of(start)), start);
        EXPECT_EQ(compiler.block_at(start), native);
        EXPECT_EQ(compiler.block_at(end - 1), native);
        EXPECT_NE(compiler.block_at(end), native);
    }
    EXPECT_FALSE(compiler.block_at(0)) << "the ways";
    EXPECT_FALSE(compiler.block_at(Place{60} << 20)) << "not used yet";
    EXPECT_FALSE(compiler.place_of(nullptr));
    EXPECT_FALSE(compiler.place_of(compiler.address_of(0) - 1));
    EXPECT_FALSE(compiler.place_of(compiler.address_of(Place{64} << 20)));
    processor.cpu.invalidate_physical(code, 1);
    EXPECT_FALSE(compiler.block_at(native->start)) << "nobody knows what it was made of";
}

// ---- As a profiler has it: interrupted anywhere ----

constexpr std::size_t most_samples = 64;
std::array<const void*, most_samples> samples;
std::size_t sample_count = 0;

void take_sample(int, siginfo_t*, void* context) {
    if (sample_count == most_samples) return;
    samples[sample_count++] = reinterpret_cast<const void*>(
        static_cast<const ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP]);
}

TEST(CodeMap, NamesTheGuestsInstructionAtEachSampleOfTheHosts) {
    TestProcessor processor;
    // again: imul rbx, rbx;  inc rbx;  dec rcx;  jnz again;  hlt
    processor.place(code,
                    {0x48, 0x0f, 0xaf, 0xdb, 0x48, 0xff, 0xc3, 0x48, 0xff, 0xc9, 0x75, 0xf4, 0xf4});
    sample_count = 0;
    struct sigaction action{}, before{};
    action.sa_sigaction = take_sample;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    ASSERT_EQ(sigaction(SIGVTALRM, &action, &before), 0);
    const itimerval often{{0, 1000}, {0, 1000}}, never{};
    setitimer(ITIMER_VIRTUAL, &often, nullptr);
    // How often the host's clock ticks is up to the host.
    bool halted = true;
    for (int run = 0; run < 100 && halted && sample_count < most_samples / 2; ++run) {
        processor[RCX] = 20'000'000;
        halted = processor.run_to_halt();
    }
    setitimer(ITIMER_VIRTUAL, &never, nullptr);
    sigaction(SIGVTALRM, &before, nullptr);
    ASSERT_TRUE(halted);
    ASSERT_GE(sample_count, most_samples / 2);
    Tier1Compiler& compiler = compiler_of(processor);
    const NativeBlock* native = native_at(processor, code);
    ASSERT_TRUE(native);
    const CodeMap map = compiler.map_of(*native);
    std::size_t in_loop = 0;
    for (std::size_t i = 0; i < sample_count; ++i) {
        const auto place = compiler.place_of(samples[i]);
        if (!place || compiler.block_at(*place) != native) continue;
        const CodePart& part = map.at(*place);
        in_loop += part.kind == CodePart::Kind::Instruction &&
                   part.instruction < native->block->instruction_count;
    }
    EXPECT_GT(in_loop, sample_count / 2) << "of " << sample_count;
}

}  // namespace
}  // namespace backplane::jit::testing
