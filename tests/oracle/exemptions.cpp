#include "exemptions.h"

#include "engine_process.h"
#include "x86/instruction_set.h"

#include <array>

namespace backplane::oracle {
namespace {

constexpr bool refused_only = true, not_executed = false;

// clang-format off
constexpr Exemption table[] = {
    {ZYDIS_MNEMONIC_SYSCALL, not_executed, "enters the host's kernel", "tests/x86/syscall_test.cpp"},
    {ZYDIS_MNEMONIC_SYSENTER, not_executed, "enters the host's kernel", "tests/x86/syscall_test.cpp"},
    {ZYDIS_MNEMONIC_CPUID, not_executed, "describes the host", "tests/x86/cpuid_test.cpp"},
    {ZYDIS_MNEMONIC_RDTSC, not_executed, "gives another time", "tests/x86/system_test.cpp"},
    {ZYDIS_MNEMONIC_RDTSCP, not_executed, "gives another time", "tests/x86/system_test.cpp"},
    {ZYDIS_MNEMONIC_RDPMC, not_executed, "counts the host's events", "tests/x86/system_test.cpp"},
    {ZYDIS_MNEMONIC_RDRAND, not_executed, "gives another number", "tests/x86/system_features_test.cpp"},
    {ZYDIS_MNEMONIC_RDSEED, not_executed, "gives another number", "tests/x86/system_features_test.cpp"},
    {ZYDIS_MNEMONIC_RDPID, not_executed, "names the host's processor", "tests/x86/system_test.cpp"},
    {ZYDIS_MNEMONIC_XGETBV, not_executed, "the host enables more components", "tests/x86/xsave_test.cpp"},
    {ZYDIS_MNEMONIC_SGDT, not_executed, "Linux emulates it under UMIP", "tests/x86/system_test.cpp"},
    {ZYDIS_MNEMONIC_SIDT, not_executed, "Linux emulates it under UMIP", "tests/x86/system_test.cpp"},
    {ZYDIS_MNEMONIC_SMSW, not_executed, "Linux emulates it under UMIP", "tests/x86/system_test.cpp"},
    {ZYDIS_MNEMONIC_SLDT, not_executed, "refused under UMIP, which the host has on", "tests/x86/system_test.cpp"},
    {ZYDIS_MNEMONIC_STR, not_executed, "refused under UMIP, which the host has on", "tests/x86/system_test.cpp"},
    {ZYDIS_MNEMONIC_MONITOR, not_executed, "the host's hypervisor decides", "tests/x86/system_test.cpp"},
    {ZYDIS_MNEMONIC_MWAIT, not_executed, "the host's hypervisor decides", "tests/x86/system_test.cpp"},
    {ZYDIS_MNEMONIC_CLAC, refused_only, "privileged", "tests/x86/system_test.cpp"},
    {ZYDIS_MNEMONIC_STAC, refused_only, "privileged", "tests/x86/system_test.cpp"},
    {ZYDIS_MNEMONIC_HLT, refused_only, "privileged", "tests/x86/system_test.cpp"},
    {ZYDIS_MNEMONIC_CLI, refused_only, "privileged", "tests/x86/system_test.cpp"},
    {ZYDIS_MNEMONIC_STI, refused_only, "privileged", "tests/x86/system_test.cpp"},
    {ZYDIS_MNEMONIC_CLTS, refused_only, "privileged", "tests/x86/system_test.cpp"},
    {ZYDIS_MNEMONIC_INVD, refused_only, "privileged", "tests/x86/system_test.cpp"},
    {ZYDIS_MNEMONIC_WBINVD, refused_only, "privileged", "tests/x86/system_test.cpp"},
    {ZYDIS_MNEMONIC_INVLPG, refused_only, "privileged", "tests/x86/paging_test.cpp"},
    {ZYDIS_MNEMONIC_INVPCID, refused_only, "privileged", "tests/x86/paging_test.cpp"},
    {ZYDIS_MNEMONIC_LGDT, refused_only, "privileged", "tests/x86/system_test.cpp"},
    {ZYDIS_MNEMONIC_LIDT, refused_only, "privileged", "tests/x86/system_test.cpp"},
    {ZYDIS_MNEMONIC_LLDT, refused_only, "privileged", "tests/x86/segmentation_test.cpp"},
    {ZYDIS_MNEMONIC_LTR, refused_only, "privileged", "tests/x86/segmentation_test.cpp"},
    {ZYDIS_MNEMONIC_LMSW, refused_only, "privileged", "tests/x86/system_test.cpp"},
    {ZYDIS_MNEMONIC_RDMSR, refused_only, "privileged", "tests/x86/msr_test.cpp"},
    {ZYDIS_MNEMONIC_WRMSR, refused_only, "privileged", "tests/x86/msr_test.cpp"},
    {ZYDIS_MNEMONIC_SYSRET, refused_only, "privileged", "tests/x86/syscall_test.cpp"},
    {ZYDIS_MNEMONIC_SYSEXIT, refused_only, "privileged", "tests/x86/syscall_test.cpp"},
    {ZYDIS_MNEMONIC_SWAPGS, refused_only, "privileged", "tests/x86/syscall_test.cpp"},
    {ZYDIS_MNEMONIC_XSETBV, refused_only, "privileged", "tests/x86/xsave_test.cpp"},
    {ZYDIS_MNEMONIC_RSM, refused_only, "there is no system management mode", "tests/oracle/oracle_test.cpp"},
    {ZYDIS_MNEMONIC_IN, refused_only, "no I/O permission", "tests/x86/port_io_test.cpp"},
    {ZYDIS_MNEMONIC_OUT, refused_only, "no I/O permission", "tests/x86/port_io_test.cpp"},
    {ZYDIS_MNEMONIC_INSB, refused_only, "no I/O permission", "tests/x86/port_io_test.cpp"},
    {ZYDIS_MNEMONIC_INSW, refused_only, "no I/O permission", "tests/x86/port_io_test.cpp"},
    {ZYDIS_MNEMONIC_INSD, refused_only, "no I/O permission", "tests/x86/port_io_test.cpp"},
    {ZYDIS_MNEMONIC_OUTSB, refused_only, "no I/O permission", "tests/x86/port_io_test.cpp"},
    {ZYDIS_MNEMONIC_OUTSW, refused_only, "no I/O permission", "tests/x86/port_io_test.cpp"},
    {ZYDIS_MNEMONIC_OUTSD, refused_only, "no I/O permission", "tests/x86/port_io_test.cpp"},
    {ZYDIS_MNEMONIC_UD0, refused_only, "raises #UD", "tests/oracle/oracle_test.cpp"},
    {ZYDIS_MNEMONIC_UD1, refused_only, "raises #UD", "tests/oracle/oracle_test.cpp"},
    {ZYDIS_MNEMONIC_UD2, refused_only, "raises #UD", "tests/oracle/oracle_test.cpp"},
    {ZYDIS_MNEMONIC_INT, refused_only, "Linux's gates refuse it", "tests/x86/interrupt_delivery_test.cpp"},
    {ZYDIS_MNEMONIC_INT3, refused_only, "always traps", "tests/x86/interrupt_delivery_test.cpp"},
    {ZYDIS_MNEMONIC_INT1, not_executed, "hypervisors report it with another RIP", "tests/x86/interrupt_delivery_test.cpp"},
};
// clang-format on

}  // namespace

std::span<const Exemption> exemptions() { return table; }

const Exemption* exemption_of(const x86::Instruction& instruction) {
    // MOV of control and debug registers shares its name with everybody's.
    static constexpr Exemption system_move{ZYDIS_MNEMONIC_MOV, refused_only, "privileged",
                                           "tests/x86/system_test.cpp"};
    for (unsigned i = 0; i < instruction.decoded.operand_count_visible; ++i) {
        const auto& operand = instruction.operands[i];
        if (operand.type != ZYDIS_OPERAND_TYPE_REGISTER) continue;
        const auto kind = ZydisRegisterGetClass(operand.reg.value);
        if (kind == ZYDIS_REGCLASS_CONTROL || kind == ZYDIS_REGCLASS_DEBUG) return &system_move;
    }
    static const auto by_mnemonic = [] {
        std::array<const Exemption*, ZYDIS_MNEMONIC_MAX_VALUE + 1> made{};
        for (const Exemption& entry : table)
            made[entry.mnemonic] = &entry;
        return made;
    }();
    return by_mnemonic[instruction.mnemonic()];
}

bool may_execute(const x86::Instruction& instruction) {
    if (!x86::has_instruction(complete_model(), instruction)) return false;
    const Exemption* exemption = exemption_of(instruction);
    if (exemption && !exemption->privileged) return false;
    // Linux's other way in.
    constexpr std::uint64_t linux_system_call = 0x80;
    return instruction.mnemonic() != ZYDIS_MNEMONIC_INT ||
           (instruction.operands[0].imm.value.u & 0xff) != linux_system_call;
}

bool may_try_invalid(std::span<const std::uint8_t> bytes, x86::CodeSize size) {
    std::size_t at = 0;
    const auto is_prefix = [&](std::uint8_t byte) {
        switch (byte) {
        case 0x26:
        case 0x2e:
        case 0x36:
        case 0x3e:
        case 0x64:
        case 0x65:
        case 0x66:
        case 0x67:
        case 0xf0:
        case 0xf2:
        case 0xf3: return true;
        default: return size == x86::CodeSize::Bits64 && (byte & 0xf0) == 0x40;
        }
    };
    while (at < bytes.size() && is_prefix(bytes[at]))
        ++at;
    if (at + 1 >= bytes.size()) return true;
    const std::uint8_t opcode = bytes[at];
    if (opcode == 0x62 || opcode == 0x8f || opcode == 0xc4 || opcode == 0xc5) return false;
    return true;
}

}  // namespace backplane::oracle
