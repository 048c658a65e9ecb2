#include "x86/fp_comparison.h"

#include "support/fp_registers.h"
#include "x86/forms/avx_float.h"
#include "x86/forms/avx_integer.h"
#include "x86/forms/avx_masked.h"
#include "x86/forms/avx_move.h"
#include "x86/forms/avx_permute.h"
#include "x86/forms/avx_shuffle.h"
#include "x86/forms/crypto.h"
#include "x86/forms/f16c.h"
#include "x86/forms/fma.h"
#include "x86/forms/sse4a.h"
#include "x86/forms/sse_float.h"
#include "x86/forms/sse_float_sse4.h"
#include "x86/forms/string.h"
#include "x86/forms/vector_element.h"
#include "x86/forms/vector_integer.h"
#include "x86/forms/vector_move.h"
#include "x86/forms/vector_neighbours.h"
#include "x86/forms/vector_shuffle.h"
#include "x86/forms/vector_string.h"
#include "x86/forms/x87.h"
#include "x86/forms/xsave.h"

#include <sys/mman.h>

#include <csignal>
#include <cstdio>
#include <new>
#include <stdexcept>

namespace backplane::x86::testing {

const FormTable<SemanticsEngine>& floating_point_forms() {
    static const FormTable<SemanticsEngine> table = [] {
        FormTable<SemanticsEngine> made;
        // Two mnemonics belong to strings and vectors; the order does not matter, so one comes
        // before and one behind.
        register_sse_float(made);
        register_string(made);
        register_vector_move(made);
        register_vector_integer(made);
        register_vector_element(made);
        register_vector_neighbours(made);
        register_vector_shuffle(made);
        register_vector_string(made);
        register_sse_float_sse4(made);
        register_sse4a(made);
        register_crypto(made);
        register_x87(made);
        register_avx_float(made);
        register_avx_integer(made);
        register_avx_masked(made);
        register_avx_move(made);
        register_avx_permute(made);
        register_avx_shuffle(made);
        register_f16c(made);
        register_xsave(made);
        register_fma(made);
        return made;
    }();
    return table;
}

std::string hex(std::span<const std::uint8_t> bytes) {
    std::string text;
    char digits[4];
    for (const std::uint8_t byte : bytes) {
        std::snprintf(digits, sizeof digits, "%02x ", byte);
        text += digits;
    }
    return text;
}

void load_state(CpuState& state, const FpState& from) {
    state.cr0 = 0x80000033;  // PG, NE, ET, MP, PE
    state.cr4 = fp_control::cr4_osfxsr | fp_control::cr4_osxmmexcpt | fp_control::cr4_osxsave;
    state.xcr0 = 7;
    state.efer = 1u << 10;
    state.segments[CS].attributes = 0xa09b;
    load_fp_registers(state, from);
    state.gpr[RAX] = from.rax;
    state.gpr[RCX] = from.rcx;
    state.gpr[RDX] = from.rdx;
    state.set_full_rflags(from.rflags);
}

FpState store_state(CpuState& state) {
    FpState to;
    store_fp_registers(state, to);
    to.rax = state.gpr[RAX];
    to.rcx = state.gpr[RCX];
    to.rdx = state.gpr[RDX];
    to.rflags = state.full_rflags();
    return to;
}

std::string describe_difference(const FpState& expected, const FpState& found, Ignored ignored) {
    std::string text;
    const auto compare = [&](const char* name, unsigned index, std::uint64_t wanted,
                             std::uint64_t got) {
        if (wanted == got) return;
        char line[120];
        std::snprintf(line, sizeof line, "%s[%u] is %llx, should be %llx; ", name, index,
                      static_cast<unsigned long long>(got),
                      static_cast<unsigned long long>(wanted));
        text += line;
    };
    compare("control", 0, expected.control, found.control);
    compare("status", 0, expected.status & ~ignored.status, found.status & ~ignored.status);
    compare("valid", 0, expected.valid, found.valid);
    // Some processors record the last instruction only when it raised an unmasked exception.
    if (!ignored.pointers && (expected.status & x87_status::error_summary)) {
        compare("last opcode", 0, expected.last_opcode, found.last_opcode);
        compare("last instruction", 0, expected.last_instruction, found.last_instruction);
        compare("last data", 0, expected.last_data, found.last_data);
    }
    compare("mxcsr", 0, expected.mxcsr, found.mxcsr);
    for (unsigned i = 0; i < 8; ++i) {
        compare("significand", i, expected.st[i].significand, found.st[i].significand);
        compare("sign and exponent", i, expected.st[i].sign_exponent, found.st[i].sign_exponent);
    }
    for (unsigned i = 0; i < 16; ++i)
        for (unsigned half = 0; half < 2; ++half) {
            compare(half ? "xmm high" : "xmm low", i, expected.xmm[i][half], found.xmm[i][half]);
            compare(half ? "ymm high" : "ymm third", i, expected.ymm_high[i][half],
                    found.ymm_high[i][half]);
        }
    compare("rax", 0, expected.rax, found.rax);
    compare("rcx", 0, expected.rcx, found.rcx);
    compare("rdx", 0, expected.rdx, found.rdx);
    const bool undefined_flags = ignored.flags_if_unmasked &&
                                 (expected.status & x87_status::error_summary);
    if (!undefined_flags)
        compare("flags", 0, expected.rflags & rflags::arithmetic,
                found.rflags & rflags::arithmetic);
    return text;
}

namespace {

constexpr std::size_t page_size = 4096;

FakeServices& services_with_xsave() {
    static FakeServices services;
    for (const Feature feature :
         {Feature::Avx, Feature::Xsave, Feature::Xsaveopt, Feature::Xsavec, Feature::Xgetbv1})
        services.cpu_model.features.add(feature);
    return services;
}

std::uint8_t* map_guarded_page() {
    void* pages = mmap(nullptr, 3 * page_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    auto* page = static_cast<std::uint8_t*>(pages) + page_size;
    if (pages == MAP_FAILED || mprotect(page, page_size, PROT_READ | PROT_WRITE) != 0)
        throw std::bad_alloc();
    return page;
}

}  // namespace

void FpComparison::Unmap::operator()(std::uint8_t* page) const {
    munmap(page - page_size, 3 * page_size);
}

FpComparison::FpComparison(const Code& code, Ignored ignored)
    : code_(code), ignored_(ignored), native_(code), page_(map_guarded_page()),
      machine_(reinterpret_cast<std::uint64_t>(page_.get()),
               std::as_writable_bytes(std::span{page_.get(), page_size})) {
    const auto bytes = std::as_bytes(std::span{code_});
    if (Decoder{}.decode(bytes, CodeSize::Bits64, native_.address(), instruction_) !=
            DecodeStatus::Complete ||
        instruction_.decoded.length != code.size())
        throw std::invalid_argument("no single instruction: " + hex(code_));
    machine_.services = &services_with_xsave();
}

namespace {

// Leaves the host's x87 unit as earlier operations might: flags and conditions set, TOP anywhere,
// the stack empty.
void dirty_host_x87(std::uint64_t by) {
    const std::uint32_t status = static_cast<std::uint32_t>(by * 0x9e3779b97f4a7c15 >> 40) & 0x7f3f;
    const std::array<std::uint32_t, 7> environment{x87_control::power_on, status, 0xffff};
    asm volatile("fldenv %0" : : "m"(environment));
}

}  // namespace

std::string FpComparison::difference(const FpState& before,
                                     const std::array<std::uint8_t, memory_size>& memory) {
    auto* operand = page_.get() + misalignment;
    std::uint8_t* pointer = operand + pointer_offset;
    std::memcpy(operand, memory.data(), memory.size());
    FpState expected = before;
    const int signal = native_.execute(expected, pointer);
    std::array<std::uint8_t, memory_size> expected_memory;
    std::memcpy(expected_memory.data(), operand, memory.size());

    std::memcpy(operand, memory.data(), memory.size());
    CpuState& state = machine_.state();
    load_state(state, before);
    state.gpr[RSI] = state.gpr[RDI] = reinterpret_cast<std::uint64_t>(pointer);
    dirty_host_x87(executions);
    enter_guest_fp(state);
    const auto outcome = execute(machine_, floating_point_forms(), instruction_);
    leave_guest_fp(state);
    ++executions;
    if (!outcome) return hex(code_) + "is not implemented";

    const FpState found = store_state(state);
    std::string text = describe_difference(expected, found, ignored_);
    if ((signal != 0) != (*outcome == Outcome::Fault))
        text += signal ? "should fault; " : "should not fault; ";
    faults += signal != 0;
    if (signal == SIGFPE && machine_.raised->vector != Vector::FloatingPoint &&
        machine_.raised->vector != Vector::SimdFloatingPoint)
        text += "wrong vector; ";
    for (std::size_t i = 0; i < memory.size(); ++i)
        if (i - ignored_.memory_from >= ignored_.memory_size && operand[i] != expected_memory[i]) {
            text += "memory at " + std::to_string(i) + " is " + hex(std::span{operand + i, 1}) +
                    "should be " + hex(std::span{expected_memory}.subspan(i, 1));
            break;
        }
    return text.empty() ? text : hex(code_) + ": " + text;
}

}  // namespace backplane::x86::testing
