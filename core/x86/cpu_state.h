// The architectural state of one x86 processor. The layout is an ABI: compiled code addresses it by
// offset.
#pragma once

#include "x86/flags.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace backplane::x86 {

enum Gpr : std::uint8_t {
    RAX,
    RCX,
    RDX,
    RBX,
    RSP,
    RBP,
    RSI,
    RDI,
    R8,
    R9,
    R10,
    R11,
    R12,
    R13,
    R14,
    R15
};
enum SegmentIndex : std::uint8_t { ES, CS, SS, DS, FS, GS };

// A segment register with its hidden part. `attributes` are bits 40 to 55 of the descriptor (SDM
// 3A 3.4.5): type in 0-3, S 4, DPL 5-6, P 7, AVL 12, L 13, D/B 14, G 15. The limit is in bytes,
// already scaled by G.
struct SegmentRegister {
    std::uint64_t base = 0;
    std::uint32_t limit = 0xffff;
    std::uint16_t selector = 0;
    std::uint16_t attributes = 0;
};
static_assert(sizeof(SegmentRegister) == 16);

struct DescriptorTableRegister {
    std::uint64_t base = 0;
    std::uint64_t limit = 0xffff;
};

// The 80-bit extended format; sixteen bytes apart as in the FXSAVE image.
struct alignas(16) Float80 {
    std::uint64_t significand = 0;
    std::uint16_t sign_exponent = 0;
};

// Physical registers R0 to R7; ST(i) is st[(top + i) & 7]. MMX register i is the significand of
// R(i).
struct X87State {
    std::array<Float80, 8> registers{};
    std::uint16_t control = 0x037f;
    std::uint16_t status = 0;  // TOP included (bits 11-13)
    std::uint8_t valid = 0;    // abridged tags as FXSAVE has them: bit i set = R(i) is not empty
    std::uint16_t last_opcode = 0;
    // Offsets, and the selectors of their segments (FCS and FDS).
    std::uint64_t last_instruction = 0;
    std::uint64_t last_data = 0;
    std::uint16_t last_instruction_selector = 0;
    std::uint16_t last_data_selector = 0;
};

struct alignas(32) VectorRegister {
    std::array<std::uint8_t, 32> bytes{};
};

struct alignas(64) CpuState {
    // Within the first 256 bytes, so that an op names each by one byte (op.h).
    std::array<std::uint64_t, 16> gpr{};
    std::uint64_t zero = 0;      // what an absent base or index register reads; never written
    std::uint64_t block_ip = 0;  // RIP of the first instruction of the block being executed
    // linear address left by an address micro-op for the op behind it
    std::uint64_t effective_address = 0;
    LazyFlags flags;
    // every bit but the six arithmetic flags, which are in `flags`
    std::uint64_t rflags = rflags::reserved1;
    std::uint64_t rip = 0xfff0;  // exact whenever the engine is not inside a block

    std::array<SegmentRegister, 6> segments{};
    SegmentRegister ldtr, tr;
    DescriptorTableRegister gdtr, idtr;
    std::uint8_t cpl = 0;
    bool interrupt_shadow = false;  // MOV SS, POP SS or STI was the last instruction (SDM 3A 6.8.3)
    bool debug_shadow = false;      // MOV SS or POP SS was: debug exceptions wait too
    bool nmi_blocked = false;
    bool halted = false;
    bool waiting_for_sipi = false;
    // The IGNNE# pin as the machine would drive it: see x87_error_pending (fp_availability.h).
    bool ignore_numeric_error = false;
    // Debug traps that the last instruction met, as bits of DR6; delivered before the next one.
    std::uint32_t pending_debug = 0;

    std::uint64_t cr0 = 0x60000010, cr2 = 0, cr3 = 0, cr4 = 0, efer = 0, xcr0 = 1;
    std::array<std::uint64_t, 8> dr{0, 0, 0, 0, 0, 0, 0xffff0ff0, 0x400};

    // Model-specific registers that instructions use; the rest are in msr.h's table.
    std::uint64_t star = 0, lstar = 0, cstar = 0, sfmask = 0, kernel_gs_base = 0, tsc_aux = 0;
    std::uint64_t sysenter_cs = 0, sysenter_esp = 0, sysenter_eip = 0;
    std::uint64_t pat = 0x0007040600070406;
    std::uint64_t random = 0;      // where RDRAND's sequence stands (semantics/random.h)
    std::uint64_t tsc_offset = 0;  // guest TSC = machine time in TSC ticks + offset

    X87State x87;
    std::uint32_t mxcsr = 0x1f80;
    std::array<VectorRegister, 16> vectors{};  // XMM in the low half, YMM whole

    std::uint64_t full_rflags() const { return rflags | flags.to_rflags(); }

    void set_full_rflags(std::uint64_t value) {
        flags.from_rflags(value);
        rflags = (value & ~rflags::arithmetic) | rflags::reserved1;
    }

    bool long_mode() const { return (efer >> 10) & 1; }  // EFER.LMA
    bool code64() const { return long_mode() && ((segments[CS].attributes >> 13) & 1); }  // CS.L
    bool protected_mode() const { return cr0 & 1; }
    bool paging() const { return cr0 >> 31; }
};

static_assert(offsetof(CpuState, gpr) == 0);
static_assert(offsetof(CpuState, zero) == 128);
static_assert(offsetof(CpuState, block_ip) == 136);
static_assert(offsetof(CpuState, effective_address) == 144);
static_assert(offsetof(CpuState, flags) == 152);

}  // namespace backplane::x86
