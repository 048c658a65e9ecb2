// Multiplication, division and CMPXCHG: the accumulator is in RAX for the moment. And XCHG.
#include "tier1/core_offsets.h"
#include "tier1/operands.h"
#include "tier1/translator.h"
#include "x86/host_features.h"

#include <cstddef>
#include <cstdint>

namespace backplane::jit {

bool Translator::multiply() {
    const ZydisOperand& factor = operand(0);
    Operand place;
    if (factor.type == ZYDIS_OPERAND_TYPE_MEMORY)
        place = access(factor, Access::Read, false);
    else if (is_general(factor, factor.size))
        place = place_of(number_of(factor.reg.value));
    else
        return false;
    restore_flags();  // those it leaves undefined
    code_.mov(rax, pinned(x86::RAX));
    code_.emit({.byte = static_cast<std::uint8_t>(factor.size == 8 ? 0xf6 : 0xf7),
                .operand16 = factor.size == 16,
                .wide = factor.size == 64,
                .byte_registers = factor.size == 8},
               instruction_->decoded.raw.modrm.reg, place);
    code_.mov(pinned(x86::RAX), rax);
    made_flags();
    return true;
}

// Only what surely gives a quotient: SDM 2, DIV and IDIV raise #DE for all others.
bool Translator::divide() {
    const ZydisOperand& divisor = operand(0);
    const bool wide = divisor.size == 64;
    if (divisor.size < 32) return false;
    const Host low = pinned(x86::RAX), high = pinned(x86::RDX);
    if (divisor.type == ZYDIS_OPERAND_TYPE_MEMORY) {
        const Operand place = access(divisor, Access::Read, false);
        code_.emit({.byte = 0x8b, .wide = wide}, scratch2, place);
    } else {
        code_.emit({.byte = 0x8b, .wide = wide}, scratch2, place_of(number_of(divisor.reg.value)));
    }
    lose_flags();
    const auto compare = [&](Host a, Host b) {
        code_.emit({.byte = 0x3b, .wide = wide}, a, Operand::of(b));
    };
    if (instruction_->mnemonic() == ZYDIS_MNEMONIC_DIV) {
        compare(high, scratch2);
        leave_if(condition::above_equal);
    } else {
        // The dividend fits one register, and the divisor is neither 0 nor -1.
        if (wide) {
            code_.mov(scratch, low);
            code_.sar(scratch, 63);
        } else {
            code_.mov32(scratch, low);
            code_.sar32(scratch, 31);
        }
        compare(scratch, high);
        leave_if(condition::not_equal);
        code_.emit({.byte = 0x8d, .wide = wide}, scratch, Operand::at(scratch2, 1));
        code_.emit({.byte = 0x83, .wide = wide}, 7, Operand::of(scratch), 1, 1);
        leave_if(condition::below_equal);
    }
    code_.mov(scratch, rax);
    code_.mov(rax, low);
    code_.emit({.byte = 0xf7, .wide = wide}, instruction_->decoded.raw.modrm.reg,
               Operand::of(scratch2));
    code_.mov(low, rax);
    code_.mov(rax, scratch);
    return true;
}

bool Translator::compare_exchange() {
    const ZydisOperand &place = operand(0), &value = operand(1);
    if (!is_general(value, value.size)) return false;
    const unsigned guest = number_of(value.reg.value);
    const unsigned size = value.size;
    Opcode opcode{.byte = static_cast<std::uint8_t>(size == 8 ? 0xb0 : 0xb1),
                  .map = OpcodeMap::Escape0F,
                  .operand16 = size == 16,
                  .wide = size == 64,
                  .locked = instruction_->has_lock() && !is_only_processor_,
                  .byte_registers = size == 8};
    Operand where;
    if (place.type == ZYDIS_OPERAND_TYPE_MEMORY) {
        where = access(place, Access::Write, true);
    } else {
        if (!is_general(place, size)) return false;
        const unsigned destination = number_of(place.reg.value);
        if (destination == x86::RAX || !is_pinned(destination)) return false;
        where = Operand::of(pinned(destination));
    }
    const Host source = value_of(guest, scratch2);
    code_.mov(rax, pinned(x86::RAX));
    code_.emit(opcode, source, where);
    code_.mov(pinned(x86::RAX), rax);
    made_flags();
    return true;
}

// CMPXCHG16B. Of the flags it changes ZF alone.
bool Translator::compare_exchange_pair() {
    if (!is_code64() || !x86::host_features().has(x86::Feature::Cx16)) return false;
    const Operand where = access(operand(0), Access::Write, true, 16);
    restore_flags();
    code_.mov(rax, pinned(x86::RAX));
    code_.emit({.byte = 0xc7,
                .map = OpcodeMap::Escape0F,
                .wide = true,
                .locked = instruction_->has_lock() && !is_only_processor_},
               1, where);
    code_.mov(pinned(x86::RAX), rax);
    made_flags();
    return true;
}

// XCHG with memory is always locked; one processor alone does without.
bool Translator::exchange_alone() {
    const bool memory_first = operand(0).type == ZYDIS_OPERAND_TYPE_MEMORY;
    const ZydisOperand &place = operand(memory_first ? 0 : 1),
                       &value = operand(memory_first ? 1 : 0);
    if (!is_only_processor_ || place.type != ZYDIS_OPERAND_TYPE_MEMORY || value.size < 32 ||
        !is_general(value, value.size) || !is_pinned(number_of(value.reg.value)))
        return false;
    const Operand where = access(place, Access::Write, true);
    const Host reg = pinned(number_of(value.reg.value));
    const bool wide = value.size == 64;
    code_.emit({.byte = 0x8b, .wide = wide}, scratch2, where);
    code_.emit({.byte = 0x89, .wide = wide}, reg, where);
    code_.emit({.byte = 0x8b, .wide = wide}, reg, Operand::of(scratch2));
    return true;
}

}  // namespace backplane::jit
