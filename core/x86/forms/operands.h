// The parts every form binder is made of: operand fields of an Op, and the choice of operand kinds
// by width and shape.
#pragma once

#include "x86/cpu_state.h"
#include "x86/forms.h"
#include "x86/operand.h"
#include "x86/segmented_address.h"
#include "x86/semantics/address.h"

#include <cstddef>
#include <cstdint>

namespace backplane::x86::forms {

inline bool is_register(const ZydisDecodedOperand& operand) {
    return operand.type == ZYDIS_OPERAND_TYPE_REGISTER;
}
inline bool is_memory(const ZydisDecodedOperand& operand) {
    return operand.type == ZYDIS_OPERAND_TYPE_MEMORY;
}
inline bool is_immediate(const ZydisDecodedOperand& operand) {
    return operand.type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
}

// Byte offset of a general register in CpuState; AH, CH, DH and BH are the second byte of their
// register.
constexpr std::uint8_t register_offset(ZydisRegister name) {
    const auto within = [&](ZydisRegister first, ZydisRegister last) {
        return name >= first && name <= last;
    };
    const auto slot = [&](ZydisRegister first) {
        return static_cast<std::uint8_t>((name - first) * 8);
    };
    if (within(ZYDIS_REGISTER_AL, ZYDIS_REGISTER_BL)) return slot(ZYDIS_REGISTER_AL);
    if (within(ZYDIS_REGISTER_AH, ZYDIS_REGISTER_BH))
        return static_cast<std::uint8_t>(slot(ZYDIS_REGISTER_AH) + 1);
    if (within(ZYDIS_REGISTER_SPL, ZYDIS_REGISTER_R15B))
        return static_cast<std::uint8_t>(slot(ZYDIS_REGISTER_SPL) + RSP * 8);
    if (within(ZYDIS_REGISTER_AX, ZYDIS_REGISTER_R15W)) return slot(ZYDIS_REGISTER_AX);
    if (within(ZYDIS_REGISTER_EAX, ZYDIS_REGISTER_R15D)) return slot(ZYDIS_REGISTER_EAX);
    if (within(ZYDIS_REGISTER_RAX, ZYDIS_REGISTER_R15)) return slot(ZYDIS_REGISTER_RAX);
    if (within(ZYDIS_REGISTER_IP, ZYDIS_REGISTER_RIP)) return offsetof(CpuState, block_ip);
    return offsetof(CpuState, zero);
}

// The architectural number of any register: what Op holds for vector, MMX, x87, segment, control
// and debug registers.
inline std::uint8_t register_number(ZydisRegister name) {
    return static_cast<std::uint8_t>(ZydisRegisterGetId(name));
}

// SDM 2, POP: a memory destination based on RSP is addressed after the increment, so the increment
// is folded in here.
inline std::int64_t displacement_adjustment(const Instruction& instruction) {
    if (instruction.mnemonic() != ZYDIS_MNEMONIC_POP) return 0;
    const ZydisRegister base = instruction.operands[0].mem.base;
    const bool on_stack_pointer = is_memory(instruction.operands[0]) &&
                                  (base == ZYDIS_REGISTER_RSP || base == ZYDIS_REGISTER_ESP);
    return on_stack_pointer ? instruction.decoded.operand_width / 8 : 0;
}

// The displacement against the register slots of an Op; RIP-relative addresses are expressed from
// the block's start.
inline std::int64_t displacement_of(const Instruction& instruction,
                                    const ZydisDecodedOperand& operand) {
    const std::int64_t adjusted = operand.mem.disp.value + displacement_adjustment(instruction);
    const bool relative = operand.mem.base == ZYDIS_REGISTER_RIP ||
                          operand.mem.base == ZYDIS_REGISTER_EIP;
    return relative
               ? adjusted + static_cast<std::int64_t>(instruction.next_ip() - instruction.block_ip)
               : adjusted;
}

inline bool has_bit_index(const Instruction& instruction) {
    const ZydisMnemonic mnemonic = instruction.mnemonic();
    return (mnemonic == ZYDIS_MNEMONIC_BT || mnemonic == ZYDIS_MNEMONIC_BTS ||
            mnemonic == ZYDIS_MNEMONIC_BTR || mnemonic == ZYDIS_MNEMONIC_BTC) &&
           is_register(instruction.operands[1]);
}

inline bool only_computes_address(const Instruction& instruction) {
    const ZydisInstructionCategory category = instruction.decoded.meta.category;
    return instruction.mnemonic() == ZYDIS_MNEMONIC_LEA || category == ZYDIS_CATEGORY_NOP ||
           category == ZYDIS_CATEGORY_WIDENOP || category == ZYDIS_CATEGORY_PREFETCH;
}

// Gathers and masked moves check and address each element apart (vector_elements.h).
inline bool addresses_elements(const Instruction& instruction) {
    switch (instruction.mnemonic()) {
    case ZYDIS_MNEMONIC_VMASKMOVPS:
    case ZYDIS_MNEMONIC_VMASKMOVPD:
    case ZYDIS_MNEMONIC_VPMASKMOVD:
    case ZYDIS_MNEMONIC_VPMASKMOVQ: return true;
    default: return instruction.memory_operand()->mem.type == ZYDIS_MEMOP_TYPE_VSIB;
    }
}

// Whether the memory operand is more than base + index * scale + displacement over 64 bits without
// a segment base.
inline bool needs_address_op(const Instruction& instruction) {
    const ZydisDecodedOperand* operand = instruction.memory_operand();
    if (!operand || only_computes_address(instruction)) return false;
    if (addresses_elements(instruction)) return false;
    if (!instruction.is_code64() || instruction.decoded.address_width != 64) return true;
    if (operand->mem.segment == ZYDIS_REGISTER_FS || operand->mem.segment == ZYDIS_REGISTER_GS)
        return true;
    const std::int64_t displacement = displacement_of(instruction, *operand);
    return displacement != static_cast<std::int32_t>(displacement) || has_bit_index(instruction);
}

inline void fill_address_registers(const ZydisDecodedOperand& operand, Op& op) {
    op.base = register_offset(operand.mem.base);
    op.index = register_offset(operand.mem.index);
    op.scale = operand.mem.scale == 8   ? 3
               : operand.mem.scale == 4 ? 2
               : operand.mem.scale == 2 ? 1
                                        : 0;
}

// Address fields of the instruction's own op.
inline void fill_memory(const Instruction& instruction, const ZydisDecodedOperand& operand,
                        Op& op) {
    if (needs_address_op(instruction)) {
        op.base = offsetof(CpuState, effective_address);
        op.index = offsetof(CpuState, zero);
        op.scale = 0;
        op.displacement = 0;
        return;
    }
    fill_address_registers(operand, op);
    op.displacement = static_cast<std::int32_t>(displacement_of(instruction, operand));
}

// Calls f.operator()<T>() for the T whose width is `bits`; a default result when none of Ts is.
template <class... Ts, class F>
auto with_width(unsigned bits, F f) {
    using Result = std::common_type_t<decltype(f.template operator()<Ts>())...>;
    Result result{};
    (void)((bits == 8 * sizeof(Ts) && (result = f.template operator()<Ts>(), true)) || ...);
    return result;
}

template <class F>
auto with_any_width(unsigned bits, F f) {
    return with_width<std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t>(bits, f);
}

template <class F>
auto with_wide_width(unsigned bits, F f) {
    return with_width<std::uint16_t, std::uint32_t, std::uint64_t>(bits, f);
}

inline std::uint16_t segment_number(ZydisRegister segment) { return register_number(segment); }

// SDM 2, CLFLUSH: checked like a load of one byte, whatever the line's size.
inline bool names_cache_line(ZydisMnemonic mnemonic) {
    return mnemonic == ZYDIS_MNEMONIC_CLFLUSH || mnemonic == ZYDIS_MNEMONIC_CLFLUSHOPT ||
           mnemonic == ZYDIS_MNEMONIC_CLWB;
}

// The micro-op that has to run before `instruction`, or null when it needs none. Its op has the
// same length and offset, so a fault in it is a fault of the instruction.
template <class Engine>
typename Engine::Handler bind_address(const Instruction& instruction, Op& op) {
    using Handler = typename Engine::Handler;
    if (!needs_address_op(instruction)) return nullptr;
    const ZydisDecodedOperand& operand = *instruction.memory_operand();
    op.length = instruction.decoded.length;
    op.offset = static_cast<std::uint16_t>(instruction.ip - instruction.block_ip);
    fill_address_registers(operand, op);
    op.immediate = static_cast<std::uint64_t>(displacement_of(instruction, operand));
    const unsigned checked = names_cache_line(instruction.mnemonic()) ? 1 : operand.size / 8;
    op.extra = address_op::pack(segment_number(operand.mem.segment), checked,
                                (operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0);
    if (has_bit_index(instruction)) op.reg = register_offset(instruction.operands[1].reg.value);

    const auto with_index = [&]<class Space>() -> Handler {
        if (!has_bit_index(instruction))
            return Engine::template handler<semantics::form_address, Space, NoBitIndex>();
        return with_wide_width(operand.size, [&]<class T>() -> Handler {
            return Engine::template handler<semantics::form_address, Space, BitIndex<T>>();
        });
    };
    if (!instruction.is_code64() && instruction.mnemonic() == ZYDIS_MNEMONIC_INVLPG)
        return instruction.decoded.address_width == 16
                   ? with_index.template operator()<UncheckedSpace<std::uint16_t>>()
                   : with_index.template operator()<UncheckedSpace<std::uint32_t>>();
    if (!instruction.is_code64())
        return instruction.decoded.address_width == 16
                   ? with_index.template operator()<LegacySpace<std::uint16_t>>()
                   : with_index.template operator()<LegacySpace<std::uint32_t>>();
    const bool based = operand.mem.segment == ZYDIS_REGISTER_FS ||
                       operand.mem.segment == ZYDIS_REGISTER_GS;
    if (instruction.decoded.address_width == 32)
        return based ? with_index.template operator()<BasedSpace<std::uint32_t>>()
                     : with_index.template operator()<FlatSpace<std::uint32_t>>();
    return based ? with_index.template operator()<BasedSpace<std::uint64_t>>()
                 : with_index.template operator()<FlatSpace<std::uint64_t>>();
}

}  // namespace backplane::x86::forms
