// The x87 unit's way into the host's, and back.
#include "interp/core.h"
#include "tier1/core_in_r12.h"
#include "tier1/glue.h"
#include "x86/fp_availability.h"
#include "x86/x87_stack.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace backplane::jit {
namespace {

using x86::CpuState;
using x86::X87State;

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Winvalid-offsetof"
constexpr int cr0 = offsetof(CpuState, cr0),
              registers = offsetof(CpuState, x87) + offsetof(X87State, registers),
              control = offsetof(CpuState, x87) + offsetof(X87State, control),
              status = offsetof(CpuState, x87) + offsetof(X87State, status),
              valid = offsetof(CpuState, x87) + offsetof(X87State, valid),
              compiled = offsetof(Core, compiled), kept = compiled + offsetof(Core::Compiled, kept),
              live = compiled + offsetof(Core::Compiled, x87),
              opcode = compiled + offsetof(Core::Compiled, x87_opcode),
              segment = compiled + offsetof(Core::Compiled, x87_segment);
#pragma clang diagnostic pop
static_assert((x86::fp_control::cr0_em | x86::fp_control::cr0_ts) == 0xc &&
              x86::x87_control::masks == 0x3f && x86::x87_status::error_summary == 0x80 &&
              Core::Compiled::nothing == ~0u && sizeof(x86::Float80) == 16);

// FXSAVE's (SDM 1 10.5.1): registers from ST(0) on, tags by their physical numbers.
struct alignas(16) Image {
    std::uint16_t control, status;
    std::uint8_t valid, reserved;
    std::uint16_t opcode;
    std::array<std::uint64_t, 3> pointers;
    std::array<x86::Float80, 8> registers;
    std::array<std::uint64_t, 44> others;
};
static_assert(sizeof(Image) == 512 && offsetof(Image, registers) == 32);

}  // namespace

extern "C" {

// FLD of the format it holds loads any bit pattern and raises nothing; FLDENV puts the tags, TOP
// and the words in their places. Whether an instruction may be executed is looked at here for all
// that follow: what could change that is the interpreter's.
[[gnu::naked]] void backplane_jit_load_x87() {
    asm(BACKPLANE_CORE_IN "testb $0xc, %c[cr0](%%r12)\n\t"
                          "jne backplane_jit_refuse\n\t"
                          "movq %%rax, %c[kept](%%r12)\n\t"
                          "movzwl %c[control](%%r12), %%eax\n\t"
                          "notl %%eax\n\t"
                          "testb $0x3f, %%al\n\t"
                          "jne 1f\n\t"
                          "testb $0x80, %c[status](%%r12)\n\t"
                          "jne 1f\n\t"
                          "movb $1, %c[live](%%r12)\n\t"
                          "movl $-1, %c[opcode](%%r12)\n\t"
                          "movl $-1, %c[segment](%%r12)\n\t"
                          // Each bit that is clear becomes a tag of two set ones.
                          "movzbl %c[valid](%%r12), %%eax\n\t"
                          "xorl $0xff, %%eax\n\t"
                          "movl %%eax, %%r13d\n\t"
                          "shll $4, %%r13d\n\t"
                          "orl %%r13d, %%eax\n\t"
                          "andl $0x0f0f, %%eax\n\t"
                          "leal (,%%rax,4), %%r13d\n\t"
                          "orl %%r13d, %%eax\n\t"
                          "andl $0x3333, %%eax\n\t"
                          "leal (,%%rax,2), %%r13d\n\t"
                          "orl %%r13d, %%eax\n\t"
                          "andl $0x5555, %%eax\n\t"
                          "leal (%%rax,%%rax,2), %%eax\n\t"
                          "subq $32, %%rsp\n\t"
                          "movl %%eax, 8(%%rsp)\n\t"
                          "movzwl %c[control](%%r12), %%eax\n\t"
                          "movl %%eax, (%%rsp)\n\t"
                          "movzwl %c[status](%%r12), %%eax\n\t"
                          "movl %%eax, 4(%%rsp)\n\t"
                          "xorl %%eax, %%eax\n\t"
                          "movq %%rax, 12(%%rsp)\n\t"
                          "movq %%rax, 20(%%rsp)\n\t"
                          "emms\n\t"
                          "fldt %c[registers]+16*7(%%r12)\n\tfldt %c[registers]+16*6(%%r12)\n\t"
                          "fldt %c[registers]+16*5(%%r12)\n\tfldt %c[registers]+16*4(%%r12)\n\t"
                          "fldt %c[registers]+16*3(%%r12)\n\tfldt %c[registers]+16*2(%%r12)\n\t"
                          "fldt %c[registers]+16*1(%%r12)\n\tfldt %c[registers](%%r12)\n\t"
                          "fldenv (%%rsp)\n\t"
                          "addq $32, %%rsp\n\t"
                          "movq %c[kept](%%r12), %%rax\n\t" BACKPLANE_CORE_OUT "ret\n"
                          "1:\n\t"
                          "movq %c[kept](%%r12), %%rax\n\t"
                          "jmp backplane_jit_refuse"
        :
        : [cr0] "i"(cr0), [registers] "i"(registers), [control] "i"(control), [status] "i"(status),
          [valid] "i"(valid), [kept] "i"(kept), [live] "i"(live), [opcode] "i"(opcode),
          [segment] "i"(segment));
}

// EMMS empties the stack and sets TOP to 0. Exception flags may stay in the host's status word
// (host_x87.h).
void backplane_jit_store_x87(Core* cpu) {
    cpu->count(interp::Counter::X87Loads);
    Image image;
    asm volatile("fxsave %0\n\temms" : "=m"(image));
    if (image.control != x86::x87_control::power_on)
        asm volatile("fldcw %0" : : "m"(x86::x87_control::power_on));

    CpuState& state = cpu->state;
    X87State& x87 = state.x87;
    x87.control = image.control;
    x87.status = image.status;
    x87.valid = image.valid;
    const unsigned top = image.status >> x86::x87_status::top_shift;
    for (unsigned i = 0; i < 8; ++i)
        x87.registers[(top + i) & 7] = image.registers[i];

    Core::Compiled& compiled = cpu->compiled;
    compiled.x87 = false;
    if (compiled.x87_opcode != Core::Compiled::nothing) {
        x87.last_opcode = static_cast<std::uint16_t>(compiled.x87_opcode);
        x87.last_instruction_selector = state.segments[x86::CS].selector;
    }
    if (compiled.x87_segment != Core::Compiled::nothing)
        x87.last_data_selector = state.segments[compiled.x87_segment].selector;
}
}

}  // namespace backplane::jit
