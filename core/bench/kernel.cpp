#include "bench/kernel.h"

#include "bench/kernel_checksums.h"

#include <array>

// layout, for the assembler.
#define BENCH_CODE 0x10000
#define BENCH_KERNEL_OFFSET 0x100
#define BENCH_ITERATIONS_OFFSET 0x800
#define BENCH_SCRATCH 0x20000
#define BENCH_STACK 0x31000
#define BENCH_TEXT_OF(number) #number
#define BENCH_TEXT(number) BENCH_TEXT_OF(number)

asm(".section .rodata,\"a\"\n"
    ".intel_syntax noprefix\n"
    ".set bench_kernel_offset, " BENCH_TEXT(
        BENCH_KERNEL_OFFSET) "\n"
                             ".set bench_iterations, " BENCH_TEXT(BENCH_CODE) " + " BENCH_TEXT(
                                 BENCH_ITERATIONS_OFFSET) "\n"
                                                          ".set bench_scratch, " BENCH_TEXT(
                                                              BENCH_SCRATCH) "\n"
                                                                             ".set "
                                                                             "bench_stack,"
                                                                             " " BENCH_TEXT(
                                                                                 BENCH_STACK) "\n"
                                                                                              ".inc"
                                                                                              "lude"
                                                                                              " "
                                                                                              "\"" BACKPLANE_BENCH_SOURCES
                                                                                              "/ker"
                                                                                              "nel_"
                                                                                              "harn"
                                                                                              "ess."
                                                                                              "S\""
                                                                                              "\n"
                                                                                              ".inc"
                                                                                              "lude"
                                                                                              " "
                                                                                              "\"" BACKPLANE_BENCH_SOURCES
                                                                                              "/pf0"
                                                                                              "08_"
                                                                                              "kern"
                                                                                              "els."
                                                                                              "S\""
                                                                                              "\n"
                                                                                              ".cod"
                                                                                              "e64"
                                                                                              "\n"
                                                                                              ".att"
                                                                                              "_syn"
                                                                                              "tax "
                                                                                              "pref"
                                                                                              "ix\n"
                                                                                              ".pre"
                                                                                              "viou"
                                                                                              "s"
                                                                                              "\n");

#define BENCH_CODE_LABELS(name) extern "C" const std::byte name[], name##_end[];
BENCH_CODE_LABELS(harness64)
BENCH_CODE_LABELS(harness32)
BENCH_CODE_LABELS(alu64)
BENCH_CODE_LABELS(branch_pred64)
BENCH_CODE_LABELS(branch_unpred64)
BENCH_CODE_LABELS(mem_seq64)
BENCH_CODE_LABELS(mem_stride64)
BENCH_CODE_LABELS(call_ret64)
BENCH_CODE_LABELS(alu32)
BENCH_CODE_LABELS(branch_pred32)
BENCH_CODE_LABELS(branch_unpred32)
BENCH_CODE_LABELS(mem_seq32)
BENCH_CODE_LABELS(mem_stride32)
BENCH_CODE_LABELS(call_ret32)
extern "C" const std::byte harness64_return[], harness32_return[];

namespace backplane::bench {

static_assert(layout::code == BENCH_CODE && layout::scratch == BENCH_SCRATCH &&
              layout::stack == BENCH_STACK && layout::kernel == BENCH_CODE + BENCH_KERNEL_OFFSET &&
              layout::iterations == BENCH_CODE + BENCH_ITERATIONS_OFFSET);

namespace {

// NOLINTBEGIN(bugprone-macro-parentheses): names of labels.
#define BENCH_SPAN(name)                                                                           \
    std::span { name, name##_end }
// NOLINTEND(bugprone-macro-parentheses)

using Word64 = std::uint64_t;
using Word32 = std::uint32_t;

// Two loads of constants and RET are there once; branch_unpred moves its checksum, too.
const std::array<Kernel, 12> all{{
    {"alu64", CodeSize::Bits64, BENCH_SPAN(alu64), 7, 3, 0, 1, alu<Word64>},
    {"branch_pred64", CodeSize::Bits64, BENCH_SPAN(branch_pred64), 10, 3, 0, 1,
     branch_predicted<Word64>},
    {"branch_unpred64", CodeSize::Bits64, BENCH_SPAN(branch_unpred64), 16, 4, 0, 1,
     branch_unpredicted<Word64>},
    {"mem_seq64", CodeSize::Bits64, BENCH_SPAN(mem_seq64), 8, 3, 2, 1, memory<Word64, 8>},
    {"mem_stride64", CodeSize::Bits64, BENCH_SPAN(mem_stride64), 8, 3, 2, 1, memory<Word64, 64>},
    {"call_ret64", CodeSize::Bits64, BENCH_SPAN(call_ret64), 11, 3, 6, 1, call_and_return<Word64>},
    {"alu32", CodeSize::Bits32, BENCH_SPAN(alu32), 7, 3, 0, 1, alu<Word32>},
    {"branch_pred32", CodeSize::Bits32, BENCH_SPAN(branch_pred32), 10, 3, 0, 1,
     branch_predicted<Word32>},
    {"branch_unpred32", CodeSize::Bits32, BENCH_SPAN(branch_unpred32), 16, 4, 0, 1,
     branch_unpredicted<Word32>},
    {"mem_seq32", CodeSize::Bits32, BENCH_SPAN(mem_seq32), 8, 3, 2, 1, memory<Word32, 4>},
    {"mem_stride32", CodeSize::Bits32, BENCH_SPAN(mem_stride32), 8, 3, 2, 1, memory<Word32, 64>},
    {"call_ret32", CodeSize::Bits32, BENCH_SPAN(call_ret32), 11, 3, 6, 1, call_and_return<Word32>},
}};

}  // namespace

std::span<const Kernel> kernels() { return all; }

Harness harness(CodeSize size) {
    if (size == CodeSize::Bits64)
        return {BENCH_SPAN(harness64), static_cast<std::uint64_t>(harness64_return - harness64)};
    return {BENCH_SPAN(harness32), static_cast<std::uint64_t>(harness32_return - harness32)};
}

}  // namespace backplane::bench
