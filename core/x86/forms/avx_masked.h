// Forms of the masked moves and the gathers, whose elements are addressed one by one.
#pragma once

#include "x86/forms/vex_operands.h"
#include "x86/semantics/avx_masked.h"

namespace backplane::x86 {
namespace forms {

// The memory operand as VectorElements wants it. The vector index of a gather is Op::index.
inline void fill_elements(const Instruction& instruction, const ZydisDecodedOperand& operand,
                          Op& op) {
    fill_address_registers(operand, op);
    if (operand.mem.type == ZYDIS_MEMOP_TYPE_VSIB) op.index = register_number(operand.mem.index);
    op.immediate = static_cast<std::uint64_t>(displacement_of(instruction, operand));
    op.extra = SegmentedStrings::pack(segment_number(operand.mem.segment),
                                      instruction.decoded.address_width, instruction.is_code64());
}

// The mask is always Op::rm.
template <class Engine, class T>
typename Engine::Handler vex_masked_elements(const Instruction& instruction, Op& op) {
    if (!is_vex(instruction)) return nullptr;
    const auto of_width = [&]<class Bits> {
        const ZydisDecodedOperand& first = instruction.operands[0];
        op.rm = register_number(instruction.operands[1].reg.value);
        if (is_memory(first)) {
            fill_elements(instruction, first, op);
            op.reg = register_number(instruction.operands[2].reg.value);
            return Engine::template handler<semantics::masked_store_elements<T>, VexReg<Bits>,
                                            VexRm<Bits>, VectorElements>();
        }
        fill_elements(instruction, instruction.operands[2], op);
        op.reg = register_number(first.reg.value);
        return Engine::template handler<semantics::masked_load<T>, VexReg<Bits>, VexRm<Bits>,
                                        VectorElements>();
    };
    return is_ymm_wide(instruction) ? of_width.template operator()<Bits256>()
                                    : of_width.template operator()<Bits128>();
}

template <class Bits> using VexIndices = VexRegister<Bits, InIndex>;

// Data and index registers are as wide as the vector length, but the one with the narrower elements
// is an XMM register.
template <class Engine, class T, class Index>
typename Engine::Handler vex_gather(const Instruction& instruction, Op& op) {
    if (!is_vex(instruction)) return nullptr;
    op.reg = register_number(instruction.operands[0].reg.value);
    op.rm = register_number(instruction.operands[2].reg.value);
    fill_elements(instruction, instruction.operands[1], op);
    using DataYmm = std::conditional_t<sizeof(T) < sizeof(Index), Bits128, Bits256>;
    using IndexYmm = std::conditional_t<sizeof(Index) < sizeof(T), Bits128, Bits256>;
    constexpr auto semantic = semantics::gather<T, Index>;
    return is_ymm_wide(instruction)
               ? Engine::template handler<semantic, VexReg<DataYmm>, VexRm<DataYmm>,
                                          VexIndices<IndexYmm>, VectorElements>()
               : Engine::template handler<semantic, VexReg<Bits128>, VexRm<Bits128>,
                                          VexIndices<Bits128>, VectorElements>();
}

}  // namespace forms

template <class Engine>
void register_avx_masked(FormTable<Engine>& table) {
    using namespace forms;
    using u32 = std::uint32_t;
    using u64 = std::uint64_t;
    using i32 = std::int32_t;
    using i64 = std::int64_t;
    table[ZYDIS_MNEMONIC_VMASKMOVPS] = vex_masked_elements<Engine, u32>;
    table[ZYDIS_MNEMONIC_VMASKMOVPD] = vex_masked_elements<Engine, u64>;
    table[ZYDIS_MNEMONIC_VPMASKMOVD] = vex_masked_elements<Engine, u32>;
    table[ZYDIS_MNEMONIC_VPMASKMOVQ] = vex_masked_elements<Engine, u64>;
    for (const auto mnemonic : {ZYDIS_MNEMONIC_VGATHERDPS, ZYDIS_MNEMONIC_VPGATHERDD})
        table[mnemonic] = vex_gather<Engine, u32, i32>;
    for (const auto mnemonic : {ZYDIS_MNEMONIC_VGATHERQPS, ZYDIS_MNEMONIC_VPGATHERQD})
        table[mnemonic] = vex_gather<Engine, u32, i64>;
    for (const auto mnemonic : {ZYDIS_MNEMONIC_VGATHERDPD, ZYDIS_MNEMONIC_VPGATHERDQ})
        table[mnemonic] = vex_gather<Engine, u64, i32>;
    for (const auto mnemonic : {ZYDIS_MNEMONIC_VGATHERQPD, ZYDIS_MNEMONIC_VPGATHERQQ})
        table[mnemonic] = vex_gather<Engine, u64, i64>;
}

}  // namespace backplane::x86
