#include "tier1/glue.h"

#include "tier1/core_in_r12.h"
#include "tier1/core_offsets.h"
#include "tier1/locality.h"
#include "tier1/native_block.h"
#include "tier1/registers.h"
#include "x86/fp_availability.h"

// Assembly, as every register has its meaning here. Offsets come from the types.
namespace backplane::jit {
namespace {

using x86::CpuState;

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Winvalid-offsetof"
constexpr int zero = offsetof(CpuState, flags) + offsetof(x86::LazyFlags, zero),
              sign = offsetof(CpuState, flags) + offsetof(x86::LazyFlags, sign),
              aux = offsetof(CpuState, flags) + offsetof(x86::LazyFlags, aux),
              carry = offsetof(CpuState, flags) + offsetof(x86::LazyFlags, carry),
              block_ip = offsetof(CpuState, block_ip), block = offsetof(Core, block),
              compiled = offsetof(Core, compiled), recalls = offsetof(Core, recalls),
              page_ip = compiled + offsetof(Core::Compiled, page_ip),
              page_key = compiled + offsetof(Core::Compiled, page_key),
              link_key = offsetof(Core, link_key),
              pages = compiled + offsetof(Core::Compiled, pages),
              frame = compiled + offsetof(Core::Compiled, frame),
              host_stack = compiled + offsetof(Core::Compiled, host_stack),
              vectors = compiled + offsetof(Core::Compiled, vectors),
              vector_size = compiled + offsetof(Core::Compiled, vector_size),
              x87 = compiled + offsetof(Core::Compiled, x87),
              vector_registers = offsetof(CpuState, vectors), mxcsr = offsetof(CpuState, mxcsr),
              cr0 = offsetof(CpuState, cr0), cr4 = offsetof(CpuState, cr4),
              xcr0 = offsetof(CpuState, xcr0), physical = offsetof(Block, physical);
// Where an access in two pages has been gathered: see Translator.
constexpr int transfer = offsetof(Core, transfer);
constexpr int count_of(interp::Counter counter) {
    return offsetof(Core, counts) + static_cast<int>(counter) * 8;
}
// Others wait for so many instructions at most when they want attention: about a microsecond.
constexpr int budget_part = 4096;
static_assert(offsetof(Core, state) == 0);
static_assert(offsetof(NativeBlock, handlers) == 0 && sizeof(x86::Op) == 4 * sizeof(void*));
#pragma clang diagnostic pop

static_assert(offset_of::recent_of(static_cast<interp::View>(interp::view_count)) <
              std::size_t{1} << (32 - recall_slot_shift));
static_assert(host_of[x86::RAX] == r15 && host_of[x86::RSP] == r11 && host_of[x86::R12] == r9 &&
              host_of[x86::R13] == r10 && !is_pinned(x86::R9) && !is_pinned(x86::R15));

}  // namespace

#define BACKPLANE_REGISTERS(move)                                                                  \
    move("r15", "0") move("rcx", "8") move("rdx", "16") move("rbx", "24") move("r11", "32")        \
        move("rbp", "40") move("rsi", "48") move("rdi", "56") move("r8", "64") move("r9", "96")    \
            move("r10", "104")
#define BACKPLANE_LOAD(host, offset) "movq " offset "(%%r12), %%" host "\n\t"
#define BACKPLANE_STORE(host, offset) "movq %%" host ", " offset "(%%r12)\n\t"

#define BACKPLANE_ALL_VECTORS(move)                                                                \
    move("0") move("1") move("2") move("3") move("4") move("5") move("6") move("7") move("8")      \
        move("9") move("10") move("11") move("12") move("13") move("14") move("15")
#define BACKPLANE_LOAD_XMM(n) "movaps %c[vector_registers]+32*" n "(%%r12), %%xmm" n "\n\t"
#define BACKPLANE_STORE_XMM(n) "movaps %%xmm" n ", %c[vector_registers]+32*" n "(%%r12)\n\t"
#define BACKPLANE_LOAD_YMM(n) "vmovaps %c[vector_registers]+32*" n "(%%r12), %%ymm" n "\n\t"
#define BACKPLANE_STORE_YMM(n) "vmovaps %%ymm" n ", %c[vector_registers]+32*" n "(%%r12)\n\t"

#define BACKPLANE_RECALL_OFFSETS                                                                   \
    [read_tag] "i"(offsetof(x86::FastPages, read_tags.of)),                                        \
        [write_tag] "i"(offsetof(x86::FastPages, write_tags.of)),                                  \
        [host] "i"(offsetof(x86::FastPages, hosts.of)),                                            \
        [recent_reads] "i"(offset_of::recent_reads),                                               \
        [recent_writes] "i"(offset_of::recent_writes),                                             \
        [recent_hosts] "i"(offset_of::recent_hosts), [entry_shift] "i"(x86::page_shift - 3),       \
        [entry_mask] "i"((x86::fast_pages - 1) << 3), [recalls] "i"(recalls),                      \
        [slot_shift] "i"(recall_slot_shift), [recall_shift] "i"(Locality::index_shift),            \
        [recall_mask] "i"(Locality::indices - 1)

// R12 and RSP, from what handlers have there to what compiled code has, and back. Little of the
// budget is in R12 at a time, as nobody else sees it there; nothing, if attention is wanted.
#define BACKPLANE_STACK_IN                                                                         \
    "movq %%rsp, %c[host_stack](%%r12)\n\t"                                                        \
    "movq %%r12, %%rsp\n\t"                                                                        \
    "movq %c[budget](%%rsp), %%r12\n\t"                                                            \
    "movl %[budget_part], %%r14d\n\t"                                                              \
    "cmpq %%r14, %%r12\n\t"                                                                        \
    "cmovgq %%r14, %%r12\n\t"                                                                      \
    "xorl %%r14d, %%r14d\n\t"                                                                      \
    "testq %%r12, %%r12\n\t"                                                                       \
    "cmovsq %%r14, %%r12\n\t"                                                                      \
    "subq %%r12, %c[budget](%%rsp)\n\t"
#define BACKPLANE_STACK_OUT                                                                        \
    "addq %%r12, %c[budget](%%rsp)\n\t"                                                            \
    "movq %%rsp, %%r12\n\t"                                                                        \
    "movq %c[host_stack](%%r12), %%rsp\n\t"

// The flags are in RAX, or in CpuState.
#define BACKPLANE_COUNT "incq %c[count](%%r12)\n\t"
#define BACKPLANE_OFFSETS                                                                          \
    [zero] "i"(zero), [sign] "i"(sign), [aux] "i"(aux), [carry] "i"(carry),                        \
        [block_ip] "i"(block_ip), [block] "i"(block), [page_ip] "i"(page_ip),                      \
        [page_key] "i"(page_key), [link_key] "i"(link_key), [pages] "i"(pages),                    \
        [frame] "i"(frame), [host_stack] "i"(host_stack), [budget] "i"(offset_of::budget),         \
        [budget_part] "i"(budget_part), [core_mask] "i"(alignof(Core) - 1),                        \
        [vectors] "i"(vectors), [vector_size] "i"(vector_size), [x87] "i"(x87),                    \
        [vector_registers] "i"(vector_registers), [mxcsr] "i"(mxcsr), [cr0] "i"(cr0),              \
        [cr4] "i"(cr4), [xcr0] "i"(xcr0), [physical] "i"(physical)

// LazyFlags to RAX: AH as LAHF gives it (SF ZF - AF - PF 1 CF), AL the overflow.
#define BACKPLANE_FLAGS_IN                                                                         \
    "movq %c[aux](%%r12), %%rcx\n\t"                                                               \
    "movq %c[carry](%%r12), %%rdx\n\t"                                                             \
    "movq %c[sign](%%r12), %%rsi\n\t"                                                              \
    "movl %%ecx, %%eax\n\t"                                                                        \
    "andl $16, %%eax\n\t"                                                                          \
    "leal 2(%%rax,%%rdx), %%eax\n\t"                                                               \
    "shll $8, %%eax\n\t"                                                                           \
    "shrq $63, %%rcx\n\t"                                                                          \
    "xorl %%edx, %%ecx\n\t"                                                                        \
    "orl %%ecx, %%eax\n\t"                                                                         \
    "xorl %%edi, %%edi\n\t"                                                                        \
    "cmpq $0, %c[zero](%%r12)\n\t"                                                                 \
    "sete %%dil\n\t"                                                                               \
    "shll $14, %%edi\n\t"                                                                          \
    "orl %%edi, %%eax\n\t"                                                                         \
    "xorl %%edi, %%edi\n\t"                                                                        \
    "testb %%sil, %%sil\n\t"                                                                       \
    "setp %%dil\n\t"                                                                               \
    "shll $10, %%edi\n\t"                                                                          \
    "orl %%edi, %%eax\n\t"                                                                         \
    "shrq $63, %%rsi\n\t"                                                                          \
    "shll $15, %%esi\n\t"                                                                          \
    "orl %%esi, %%eax\n\t"

// And back, as LazyFlags::from_rflags makes them. Only RAX, RCX, RDX and RSI are used.
#define BACKPLANE_FLAGS_OUT                                                                        \
    "movl %%eax, %%ecx\n\t"                                                                        \
    "notl %%ecx\n\t"                                                                               \
    "movl %%ecx, %%edx\n\t"                                                                        \
    "shrl $14, %%edx\n\t"                                                                          \
    "andl $1, %%edx\n\t"                                                                           \
    "movq %%rdx, %c[zero](%%r12)\n\t"                                                              \
    "shrl $10, %%ecx\n\t"                                                                          \
    "andl $1, %%ecx\n\t"                                                                           \
    "movl %%eax, %%edx\n\t"                                                                        \
    "shrl $15, %%edx\n\t"                                                                          \
    "shlq $63, %%rdx\n\t"                                                                          \
    "orq %%rcx, %%rdx\n\t"                                                                         \
    "movq %%rdx, %c[sign](%%r12)\n\t"                                                              \
    "movl %%eax, %%ecx\n\t"                                                                        \
    "shrl $8, %%ecx\n\t"                                                                           \
    "movl %%ecx, %%edx\n\t"                                                                        \
    "andl $1, %%ecx\n\t"                                                                           \
    "movq %%rcx, %c[carry](%%r12)\n\t"                                                             \
    "andl $16, %%edx\n\t"                                                                          \
    "xorl %%eax, %%ecx\n\t"                                                                        \
    "andl $1, %%ecx\n\t"                                                                           \
    "shlq $63, %%rcx\n\t"                                                                          \
    "orq %%rcx, %%rdx\n\t"                                                                         \
    "movq %%rdx, %c[aux](%%r12)\n\t"

#define BACKPLANE_VECTORS_OUT                                                                      \
    "cmpb $0, %c[vectors](%%r12)\n\t"                                                              \
    "je 2f\n\t"                                                                                    \
    "movb $0, %c[vectors](%%r12)\n\t"                                                              \
    "cmpb $1, %c[vector_size](%%r12)\n\t"                                                          \
    "jne 1f\n\t" BACKPLANE_ALL_VECTORS(BACKPLANE_STORE_XMM) "jmp 2f\n"                             \
                                                            "1:\n\t" BACKPLANE_ALL_VECTORS(        \
                                                                BACKPLANE_STORE_YMM) "2:\n\t"

#define BACKPLANE_X87_OUT                                                                          \
    "cmpb $0, %c[x87](%%r12)\n\t"                                                                  \
    "je 3f\n\t"                                                                                    \
    "movq %%r12, %%rdi\n\t"                                                                        \
    "subq $8, %%rsp\n\t"                                                                           \
    "call backplane_jit_store_x87\n\t"                                                             \
    "addq $8, %%rsp\n"                                                                             \
    "3:\n\t"

// Leaves the op in R13 and the handlers' other registers as they want them.
#define BACKPLANE_OUT                                                                              \
    BACKPLANE_REGISTERS(BACKPLANE_STORE)                                                           \
    "movq %c[frame](%%r12), %%rbp\n\t" BACKPLANE_FLAGS_OUT BACKPLANE_VECTORS_OUT BACKPLANE_X87_OUT \
    "movq %%r14, %c[block](%%r12)\n\t"                                                             \
    "movl %c[physical](%%r14), %%ecx\n\t"                                                          \
    "andl $0xfff, %%ecx\n\t"                                                                       \
    "addq %c[page_ip](%%r12), %%rcx\n\t"                                                           \
    "movq %%rcx, %c[block_ip](%%r12)\n\t"                                                          \
    "addq %%r14, %%r13\n\t"                                                                        \
    "movq %c[pages](%%r12), %%r14\n\t"                                                             \
    "xorl %%r15d, %%r15d\n\t"

extern "C" {

[[gnu::naked]] void backplane_jit_enter() {
    asm(BACKPLANE_COUNT
        "movq %%r14, %c[pages](%%r12)\n\t"
        "movq %%rbp, %c[frame](%%r12)\n\t"
        "movq %c[block_ip](%%r12), %%rcx\n\t"
        "subq %%r15, %%rcx\n\t"
        "movq %%rcx, %c[page_ip](%%r12)\n\t"
        "addq %c[link_key](%%r12), %%rcx\n\t"
        "movq %%rcx, %c[page_key](%%r12)\n\t" BACKPLANE_FLAGS_IN BACKPLANE_REGISTERS(BACKPLANE_LOAD)
            BACKPLANE_STACK_IN "jmpq *%%r13"
        :
        : BACKPLANE_OFFSETS, [count] "i"(count_of(interp::Counter::CompiledEntries)));
}

[[gnu::naked]] void backplane_jit_resume() {
    asm(BACKPLANE_COUNT
        "movq %%rbp, %c[frame](%%r12)\n\t"
        "movq %c[page_ip](%%r12), %%rcx\n\t"
        "addq %c[link_key](%%r12), %%rcx\n\t"
        "movq %%rcx, %c[page_key](%%r12)\n\t" BACKPLANE_FLAGS_IN BACKPLANE_REGISTERS(BACKPLANE_LOAD)
            BACKPLANE_STACK_IN "jmpq *%%r13"
        :
        : BACKPLANE_OFFSETS, [count] "i"(count_of(interp::Counter::CompiledResumes)));
}

#define BACKPLANE_LEAVE(reason, counter)                                                           \
    [[gnu::naked]] void backplane_jit_leave_##reason() {                                           \
        asm(BACKPLANE_STACK_OUT BACKPLANE_COUNT BACKPLANE_OUT "movq %c[block](%%r12), %%rcx\n\t"   \
                                                              "movq %%r13, %%rdx\n\t"              \
                                                              "subq %%rcx, %%rdx\n\t"              \
                                                              "shrl $2, %%edx\n\t"                 \
                                                              "movq %c[native](%%rcx), %%rcx\n\t"  \
                                                              "movq (%%rcx), %%rcx\n\t"            \
                                                              "jmpq *-%c[handlers](%%rcx,%%rdx)"   \
            :                                                                                      \
            : BACKPLANE_OFFSETS, [native] "i"(offsetof(Block, compiled)),                          \
              [handlers] "i"(sizeof(Block) / 4), [count] "i"(count_of(interp::Counter::counter))); \
    }
BACKPLANE_LEAVE(untranslated, LeftUntranslated)
BACKPLANE_LEAVE(access, LeftAccess)
BACKPLANE_LEAVE(target, LeftTarget)
BACKPLANE_LEAVE(value, LeftValue)

[[gnu::naked]] void backplane_jit_leave_second_page() {
    asm(BACKPLANE_STACK_OUT BACKPLANE_COUNT BACKPLANE_OUT "jmp backplane_jit_interpret_block"
        :
        : BACKPLANE_OFFSETS, [count] "i"(count_of(interp::Counter::LeftTarget)));
}

[[gnu::naked]] void backplane_jit_need_budget() {
    asm("pushq %%rax\n\t"
        "movq %c[budget]+16(%%rsp), %%rax\n\t"
        "addq %%r12, %%rax\n\t"
        "js 1f\n\t"
        "movl %[budget_part], %%r12d\n\t"
        "cmpq %%rax, %%r12\n\t"
        "cmovgq %%rax, %%r12\n\t"
        "subq %%r12, %%rax\n\t"
        "movq %%rax, %c[budget]+16(%%rsp)\n\t"
        "popq %%rax\n\t"
        "ret\n"
        "1:\n\t"
        "popq %%rax\n\t"
        "addq $8, %%rsp\n\t" BACKPLANE_STACK_OUT BACKPLANE_OUT "jmp backplane_jit_out_of_budget"
        :
        : BACKPLANE_OFFSETS);
}

[[gnu::naked]] void backplane_jit_leave_by_edge() {
    asm(BACKPLANE_STACK_OUT BACKPLANE_OUT "jmp backplane_jit_follow_edge" : : BACKPLANE_OFFSETS);
}

// OUT wants a block; what it notes of it is overwritten when one is entered.
[[gnu::naked]] void backplane_jit_leave_to_block() {
    asm(BACKPLANE_STACK_OUT "movq %%r14, %c[kept](%%r12)\n\t"
                            "xorl %%r13d, %%r13d\n\t"
                            "movq %c[block](%%r12), %%r14\n\t" BACKPLANE_OUT
                            "jmp backplane_jit_enter_block"
        :
        : BACKPLANE_OFFSETS, [kept] "i"(compiled + offsetof(Core::Compiled, kept)));
}

[[gnu::naked]] void backplane_jit_leave_to_region() {
    asm(BACKPLANE_STACK_OUT BACKPLANE_OUT "jmpq *(%%r13)" : : BACKPLANE_OFFSETS);
}

// SDM 2 table 2-21 and 2.4: neither CR0.EM nor CR0.TS, and CR4.OSFXSR. With an unmasked exception
// each instruction has to be looked at.
#define BACKPLANE_MAY_USE_VECTORS                                                                  \
    "testb $0xc, %c[cr0](%%r12)\n\t"                                                               \
    "jne backplane_jit_refuse\n\t"                                                                 \
    "testb $2, %c[cr4]+1(%%r12)\n\t"                                                               \
    "je backplane_jit_refuse\n\t"                                                                  \
    "movl %c[mxcsr](%%r12), %%eax\n\t"                                                             \
    "notl %%eax\n\t"                                                                               \
    "testl $0x1f80, %%eax\n\t"                                                                     \
    "movq %c[kept](%%r12), %%rax\n\t"                                                              \
    "jne backplane_jit_refuse\n\t"
static_assert((x86::fp_control::cr0_em | x86::fp_control::cr0_ts) == 0xc &&
              x86::fp_control::cr4_osfxsr == 2 << 8 && x86::mxcsr::masks == 0x1f80);

[[gnu::naked]] void backplane_jit_refuse() {
    asm(BACKPLANE_CORE_OUT "addq $8, %%rsp\n\t" BACKPLANE_STACK_OUT BACKPLANE_OUT
                           "jmp backplane_jit_refuse_block"
        :
        : BACKPLANE_OFFSETS);
}

[[gnu::naked]] void backplane_jit_load_xmm() {
    asm(BACKPLANE_CORE_IN
        "movq %%rax, %c[kept](%%r12)\n\t" BACKPLANE_MAY_USE_VECTORS BACKPLANE_COUNT
        "movb $1, %c[vectors](%%r12)\n\t"
        "cmpb $1, %c[vector_size](%%r12)\n\t"
        "jne 1f\n\t" BACKPLANE_ALL_VECTORS(BACKPLANE_LOAD_XMM) BACKPLANE_CORE_OUT
        "ret\n"
        "1:\n\t" BACKPLANE_ALL_VECTORS(BACKPLANE_LOAD_YMM) BACKPLANE_CORE_OUT "ret"
        :
        : BACKPLANE_OFFSETS, [kept] "i"(compiled + offsetof(Core::Compiled, kept)),
          [count] "i"(count_of(interp::Counter::VectorLoads)));
}

// CR4.OSXSAVE and both states in XCR0 besides (SDM 2 table 2-27); a model without AVX has no such
// blocks.
[[gnu::naked]] void backplane_jit_load_ymm() {
    asm(BACKPLANE_CORE_IN "movq %%rax, %c[kept](%%r12)\n\t" BACKPLANE_MAY_USE_VECTORS
                          "testb $4, %c[cr4]+2(%%r12)\n\t"
                          "je backplane_jit_refuse\n\t"
                          "movl %c[xcr0](%%r12), %%eax\n\t"
                          "notl %%eax\n\t"
                          "testl $6, %%eax\n\t"
                          "movq %c[kept](%%r12), %%rax\n\t"
                          "jne backplane_jit_refuse\n\t"
                          "cmpb $0, %c[vectors](%%r12)\n\t"
                          "movb $2, %c[vectors](%%r12)\n\t"
                          "jne 1f\n\t" BACKPLANE_COUNT BACKPLANE_ALL_VECTORS(
                              BACKPLANE_LOAD_YMM) "1:\n\t" BACKPLANE_CORE_OUT "ret"
        :
        : BACKPLANE_OFFSETS, [kept] "i"(compiled + offsetof(Core::Compiled, kept)),
          [count] "i"(count_of(interp::Counter::VectorLoads)));
}

// The callee keeps RBX, RBP and R12 to R15, and the x87 unit, as nothing there computes with long
// double.
#define BACKPLANE_VECTORS(move_xmm, move_ymm)                                                      \
    "cmpb $0, %c[vectors](%%r12)\n\t"                                                              \
    "je 1f\n\t"                                                                                    \
    "cmpb $1, %c[vector_size](%%r12)\n\t"                                                          \
    "jne 2f\n\t" BACKPLANE_ALL_VECTORS(move_xmm) "jmp 1f\n"                                        \
                                                 "2:\n\t" BACKPLANE_ALL_VECTORS(move_ymm) "1:\n\t"

// Calls with RSI and RDX from R13 and R14, and brings the result to R14. The stack ends at Core and
// is less deep than Core is aligned.
#define BACKPLANE_CALL(call)                                                                       \
    "pushq %%rax\n\tpushq %%rcx\n\tpushq %%rdx\n\tpushq %%rsi\n\tpushq %%rdi\n\t"                  \
    "pushq %%r8\n\tpushq %%r9\n\tpushq %%r10\n\tpushq %%r11\n\t"                                   \
    "pushq %%rbp\n\tpushq %%r12\n\t"                                                               \
    "movq %%rsp, %%rbp\n\t"                                                                        \
    "movq %%r12, %%rax\n\t"                                                                        \
    "leaq %c[core_mask](%%rsp), %%r12\n\t"                                                         \
    "andq $~%c[core_mask], %%r12\n\t"                                                              \
    "addq %%rax, %c[budget](%%r12)\n\t"                                                            \
    "movq %c[host_stack](%%r12), %%rsp\n\t"                                                        \
    "andq $-16, %%rsp\n\t" BACKPLANE_VECTORS(                                                      \
        BACKPLANE_STORE_XMM,                                                                       \
        BACKPLANE_STORE_YMM) "movq %%r12, %%rdi\n\t"                                               \
                             "movq %%r13, %%rsi\n\t"                                               \
                             "movl %%r14d, %%edx\n\t" call                                         \
                             "movl %%eax, %%r14d\n\t" BACKPLANE_VECTORS(                           \
                                 BACKPLANE_LOAD_XMM,                                               \
                                 BACKPLANE_LOAD_YMM) "movq %%rbp, %%rsp\n\t"                       \
                                                     "movq (%%rsp), %%rax\n\t"                     \
                                                     "subq %%rax, %c[budget](%%r12)\n\t"           \
                                                     "popq %%r12\n\tpopq %%rbp\n\t"                \
                                                     "popq %%r11\n\tpopq %%r10\n\tpopq "           \
                                                     "%%r9\n\tpopq %%r8\n\t"                       \
                                                     "popq %%rdi\n\tpopq %%rsi\n\tpopq "           \
                                                     "%%rdx\n\tpopq %%rcx\n\tpopq %%rax\n\t"       \
                                                     "ret\n\t"
// Compares the result with 1. What was gathered looks like a page that is somewhere else.
#define BACKPLANE_REFILL(call)                                                                     \
    asm("call 1f\n\t"                                                                              \
        "cmpl $1, %%r14d\n\t"                                                                      \
        "jbe 2f\n\t"                                                                               \
        "movl %[no_window], %%r13d\n\t"                                                            \
        "leaq %c[transfer]+8(%%rsp), %%r14\n"                                                      \
        "2:\n\t"                                                                                   \
        "ret\n"                                                                                    \
        "1:\n\t" BACKPLANE_CALL(call)                                                              \
        :                                                                                          \
        : BACKPLANE_OFFSETS, [no_window] "i"(no_window), [transfer] "i"(transfer - no_window))

[[gnu::naked]] void backplane_jit_refill_read() {
    BACKPLANE_REFILL("xorl %%ecx, %%ecx\n\tcall backplane_jit_refill\n\t");
}

[[gnu::naked]] void backplane_jit_refill_write() {
    BACKPLANE_REFILL("movl $1, %%ecx\n\tcall backplane_jit_refill\n\t");
}

// With the tag that counts first. An access that misses the recent page though that is the right
// one crosses into the next. Behind the four pushed registers is the return address.
#define BACKPLANE_RECALL(tag, recent_tag, refill)                                                  \
    asm(BACKPLANE_CORE_IN "pushq %%rcx\n\tpushq %%rdx\n\tpushq %%rsi\n\t"                          \
                          "movq %%r13, %%rcx\n\t"                                                  \
                          "shrq %[entry_shift], %%rcx\n\t"                                         \
                          "andl %[entry_mask], %%ecx\n\t"                                          \
                          "addq %c[pages](%%r12), %%rcx\n\t"                                       \
                          "movq %%r13, %%rdx\n\t"                                                  \
                          "subq %c[" tag "](%%rcx), %%rdx\n\t"                                     \
                          "cmpq $0xfff, %%rdx\n\t"                                                 \
                          "ja 2f\n\t"                                                              \
                          "movl %%r14d, %%esi\n\t"                                                 \
                          "shrl %[slot_shift], %%esi\n\t"                                          \
                          "addq %%r12, %%rsi\n\t"                                                  \
                          "movq %c[" tag "](%%rcx), %%rdx\n\t"                                     \
                          "cmpq %%rdx, %c[" recent_tag "](%%rsi)\n\t"                              \
                          "je 2f\n\t"                                                              \
                          "movq %c[read_tag](%%rcx), %%rdx\n\t"                                    \
                          "movq %%rdx, %c[recent_reads](%%rsi)\n\t"                                \
                          "movq %c[write_tag](%%rcx), %%rdx\n\t"                                   \
                          "movq %%rdx, %c[recent_writes](%%rsi)\n\t"                               \
                          "movq %c[host](%%rcx), %%rdx\n\t"                                        \
                          "movq %%rdx, %c[recent_hosts](%%rsi)\n\t"                                \
                          "movl 32(%%rsp), %%edx\n\t"                                              \
                          "shrl %[recall_shift], %%edx\n\t"                                        \
                          "andl %[recall_mask], %%edx\n\t"                                         \
                          "decb %c[recalls](%%r12,%%rdx)\n\t"                                      \
                          "je 4f\n\t"                                                              \
                          "cmpl %%edx, %%edx\n\t"                                                  \
                          "popq %%rsi\n\tpopq %%rdx\n\tpopq %%rcx\n\t" BACKPLANE_CORE_OUT "ret\n"  \
                          "2:\n\t"                                                                 \
                          "popq %%rsi\n\tpopq %%rdx\n\tpopq %%rcx\n\t" BACKPLANE_CORE_OUT          \
                          "jmp " refill "\n"                                                       \
                          "4:\n\t"                                                                 \
                          "popq %%rsi\n\tpopq %%rdx\n\tpopq %%rcx\n\t" BACKPLANE_CORE_OUT          \
                          "jmp backplane_jit_look_at_recall"                                       \
        :                                                                                          \
        : BACKPLANE_OFFSETS, BACKPLANE_RECALL_OFFSETS)

[[gnu::naked]] void backplane_jit_recall_read() {
    BACKPLANE_RECALL("read_tag", "recent_reads", "backplane_jit_refill_read");
}

[[gnu::naked]] void backplane_jit_recall_write() {
    BACKPLANE_RECALL("write_tag", "recent_writes", "backplane_jit_refill_write");
}

[[gnu::naked]] void backplane_jit_recall_stack_read() {
    BACKPLANE_RECALL("read_tag", "recent_reads", "backplane_jit_lose_stack");
}

[[gnu::naked]] void backplane_jit_recall_stack_write() {
    BACKPLANE_RECALL("write_tag", "recent_writes", "backplane_jit_lose_stack");
}

// RBP is where BACKPLANE_CALL has put its eleven registers, and behind the return addresses.
[[gnu::naked]] void backplane_jit_look_at_recall() {
    BACKPLANE_REFILL("movq 96(%%rbp), %%rcx\n\tcall backplane_jit_recalled\n\t");
}

[[gnu::naked]] void backplane_jit_lose_stack() {
    BACKPLANE_REFILL("movq 96(%%rbp), %%rcx\n\tcall backplane_jit_lost_stack\n\t");
}

[[gnu::naked]] void backplane_jit_check_second_page() {
    asm(BACKPLANE_CALL("call backplane_jit_find_second_page\n\t") : : BACKPLANE_OFFSETS);
}

[[gnu::naked]] void backplane_jit_find_target() {
    asm(BACKPLANE_CALL("call backplane_jit_recollect\n\t") : : BACKPLANE_OFFSETS);
}

[[gnu::naked]] void backplane_jit_link_far() {
    asm(BACKPLANE_CALL("call backplane_jit_link\n\t") : : BACKPLANE_OFFSETS);
}
}

}  // namespace backplane::jit
