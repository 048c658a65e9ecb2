// Forms of the system instructions: control and debug registers, MSRs, time, halt, fast system
// calls.
#pragma once

#include "x86/doubled.h"
#include "x86/forms/segment.h"
#include "x86/forms/string.h"
#include "x86/semantics/fsgsbase.h"
#include "x86/semantics/invpcid.h"
#include "x86/semantics/monitor.h"
#include "x86/semantics/random.h"
#include "x86/semantics/syscall.h"
#include "x86/semantics/system.h"

namespace backplane::x86 {
namespace forms {

inline bool is_of_class(const ZydisDecodedOperand& operand, ZydisRegisterClass name) {
    return is_register(operand) && ZydisRegisterGetClass(operand.reg.value) == name;
}

// MOV between a general register and a control or debug register.
template <class Engine, ZydisRegisterClass special, auto write, auto read>
typename Engine::Handler mov_special(const Instruction& instruction, Op& op) {
    const ZydisDecodedOperand& first = instruction.operands[0];
    const ZydisDecodedOperand& second = instruction.operands[1];
    const bool writes = is_of_class(first, special);
    if (!writes && !is_of_class(second, special)) return nullptr;
    op.reg = register_number(writes ? first.reg.value : second.reg.value);
    fill_rm(writes ? second : first, op);
    return with_width<std::uint32_t, std::uint64_t>(
        first.size, [&]<class T>() -> typename Engine::Handler {
            return writes ? Engine::template handler<write, Rm<T>>()
                          : Engine::template handler<read, Rm<T>>();
        });
}

template <class Engine>
typename Engine::Handler invlpg(const Instruction& instruction, Op& op) {
    fill_memory(instruction, instruction.operands[0], op);
    return Engine::template handler<semantics::invlpg, Memory<std::uint8_t>>();
}

template <class Engine>
typename Engine::Handler invpcid(const Instruction& instruction, Op& op) {
    fill_reg(instruction.operands[0], op);
    fill_memory(instruction, instruction.operands[1], op);
    using PcidAndAddress = Memory<Doubled<std::uint64_t>::Unsigned>;
    if (instruction.is_code64())
        return Engine::template handler<semantics::invpcid, Reg<std::uint64_t>, PcidAndAddress>();
    return Engine::template handler<semantics::invpcid, Reg<std::uint32_t>, PcidAndAddress>();
}

// One register of any wide size.
template <class Engine, auto semantic>
typename Engine::Handler one_register(const Instruction& instruction, Op& op) {
    fill_reg(instruction.operands[0], op);
    return with_wide_width(instruction.operands[0].size,
                           []<class T>() { return Engine::template handler<semantic, Reg<T>>(); });
}

// SYSRET and SYSEXIT: the operand size is that of the code gone to.
template <class Engine, auto to_legacy, auto to_long>
typename Engine::Handler by_operand_size(const Instruction& instruction, Op&) {
    if (instruction.decoded.operand_width == 64) return Engine::template handler<to_long>();
    return Engine::template handler<to_legacy>();
}

}  // namespace forms

template <class Engine>
void register_system(FormTable<Engine>& table) {
    using namespace forms;
    using u32 = std::uint32_t;
    using u64 = std::uint64_t;
    table[ZYDIS_MNEMONIC_MOV] =
        mov_special<Engine, ZYDIS_REGCLASS_CONTROL, semantics::write_control_register,
                    semantics::read_control_register>;
    table[ZYDIS_MNEMONIC_MOV] =
        mov_special<Engine, ZYDIS_REGCLASS_DEBUG, semantics::write_debug_register,
                    semantics::read_debug_register>;
    table[ZYDIS_MNEMONIC_SMSW] = selector_target<Engine, semantics::smsw>;
    table[ZYDIS_MNEMONIC_LMSW] = selector_source<Engine, semantics::lmsw>;
    table[ZYDIS_MNEMONIC_CLTS] = plain<Engine, semantics::clts>;
    table[ZYDIS_MNEMONIC_INVD] = plain<Engine, semantics::flush_caches>;
    table[ZYDIS_MNEMONIC_WBINVD] = plain<Engine, semantics::flush_caches>;
    table[ZYDIS_MNEMONIC_INVLPG] = invlpg<Engine>;
    table[ZYDIS_MNEMONIC_HLT] = plain<Engine, semantics::hlt>;
    table[ZYDIS_MNEMONIC_CLI] = plain<Engine, semantics::cli>;
    table[ZYDIS_MNEMONIC_STI] = plain<Engine, semantics::sti>;
    table[ZYDIS_MNEMONIC_CPUID] = plain<Engine, semantics::cpuid>;
    table[ZYDIS_MNEMONIC_RDMSR] = plain<Engine, semantics::rdmsr>;
    table[ZYDIS_MNEMONIC_WRMSR] = plain<Engine, semantics::wrmsr>;
    table[ZYDIS_MNEMONIC_RDTSC] = plain<Engine, semantics::rdtsc>;
    table[ZYDIS_MNEMONIC_RDTSCP] = plain<Engine, semantics::rdtscp>;
    table[ZYDIS_MNEMONIC_RDPMC] = plain<Engine, semantics::rdpmc>;
    table[ZYDIS_MNEMONIC_SYSCALL] = plain<Engine, semantics::syscall>;
    table[ZYDIS_MNEMONIC_SYSRET] =
        by_operand_size<Engine, semantics::sysret<u32>, semantics::sysret<u64>>;
    table[ZYDIS_MNEMONIC_SYSENTER] = plain<Engine, semantics::sysenter>;
    table[ZYDIS_MNEMONIC_SYSEXIT] =
        by_operand_size<Engine, semantics::sysexit<u32>, semantics::sysexit<u64>>;
    table[ZYDIS_MNEMONIC_SWAPGS] = plain<Engine, semantics::swapgs>;

    table[ZYDIS_MNEMONIC_RDRAND] = one_register<Engine, semantics::random>;
    table[ZYDIS_MNEMONIC_RDSEED] = one_register<Engine, semantics::random>;
    table[ZYDIS_MNEMONIC_RDPID] = one_register<Engine, semantics::rdpid>;
    table[ZYDIS_MNEMONIC_RDFSBASE] = one_register<Engine, semantics::read_base<FS>>;
    table[ZYDIS_MNEMONIC_RDGSBASE] = one_register<Engine, semantics::read_base<GS>>;
    table[ZYDIS_MNEMONIC_WRFSBASE] = one_register<Engine, semantics::write_base<FS>>;
    table[ZYDIS_MNEMONIC_WRGSBASE] = one_register<Engine, semantics::write_base<GS>>;
    table[ZYDIS_MNEMONIC_INVPCID] = invpcid<Engine>;
    table[ZYDIS_MNEMONIC_MONITOR] = in_string_space<Engine, semantics::monitor>;
    table[ZYDIS_MNEMONIC_MWAIT] = plain<Engine, semantics::mwait>;

    table[ZYDIS_MNEMONIC_CLAC] = plain<Engine, semantics::set_access_check<false>>;
    table[ZYDIS_MNEMONIC_STAC] = plain<Engine, semantics::set_access_check<true>>;

    // Undefined on purpose, or instructions of features that no CPU model reports.
    for (const ZydisMnemonic mnemonic :
         {ZYDIS_MNEMONIC_UD0, ZYDIS_MNEMONIC_UD1, ZYDIS_MNEMONIC_UD2, ZYDIS_MNEMONIC_RSM})
        table[mnemonic] = plain<Engine, semantics::undefined>;
}

}  // namespace backplane::x86
