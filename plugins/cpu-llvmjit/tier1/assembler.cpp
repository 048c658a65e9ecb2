#include "tier1/assembler.h"

namespace backplane::jit {

// Legacy prefixes and REX (SDM 2 2.2.1), or VEX (2.3.5), the escape bytes, and the opcode.
void Assembler::prefixes(const Opcode& opcode, unsigned reg, const Operand& rm) {
    const bool r = reg >= 8;
    const bool x = !rm.is_register() && rm.index != Operand::none && rm.index >= 8;
    const bool b = rm.is_register() ? rm.reg >= 8 : rm.base != Operand::none && rm.base >= 8;
    const auto map = static_cast<unsigned>(opcode.map);
    if (opcode.vex) {
        const unsigned pp = opcode.mandatory == 0x66   ? 1
                            : opcode.mandatory == 0xf3 ? 2
                            : opcode.mandatory == 0xf2 ? 3
                                                       : 0;
        byte(0xc4);
        byte((r ? 0 : 0x80) | (x ? 0 : 0x40) | (b ? 0 : 0x20) | map);
        byte((opcode.wide ? 0x80 : 0) | (~opcode.vector & 15) << 3 |
             (opcode.vector_length ? 4 : 0) | pp);
        byte(opcode.byte);
        return;
    }
    if (opcode.locked) byte(0xf0);
    if (opcode.operand16) byte(0x66);
    if (opcode.mandatory) byte(opcode.mandatory);
    const bool low_byte = opcode.byte_registers;
    if (opcode.wide || r || x || b || low_byte)
        byte(0x40 | (opcode.wide ? 8 : 0) | (r ? 4 : 0) | (x ? 2 : 0) | (b ? 1 : 0));
    if (map != 0) byte(0x0f);
    if (map == 2) byte(0x38);
    if (map == 3) byte(0x3a);
    byte(opcode.byte);
}

void Assembler::modrm(unsigned reg, const Operand& rm) {
    const unsigned field = (reg & 7) << 3;
    if (rm.is_register()) {
        byte(0xc0 | field | (rm.reg & 7));
        return;
    }
    const unsigned index = rm.index == Operand::none ? 4 : rm.index & 7;
    if (rm.base == Operand::none) {  // [index * scale + disp32]
        byte(field | 4);
        byte(static_cast<unsigned>(rm.scale) << 6 | index << 3 | 5);
        dword(static_cast<std::uint32_t>(rm.displacement));
        return;
    }
    const unsigned base = rm.base & 7;
    const bool small = rm.displacement >= -128 && rm.displacement <= 127;
    // RBP and R13 as a base always have a displacement.
    const unsigned mod = rm.displacement == 0 && base != 5 ? 0 : small ? 0x40 : 0x80;
    if (rm.index != Operand::none || base == 4) {
        byte(mod | field | 4);
        byte(static_cast<unsigned>(rm.scale) << 6 | index << 3 | base);
    } else {
        byte(mod | field | base);
    }
    if (mod == 0x40) byte(static_cast<std::uint8_t>(rm.displacement));
    if (mod == 0x80) dword(static_cast<std::uint32_t>(rm.displacement));
}

void Assembler::emit(const Opcode& opcode, unsigned reg, const Operand& rm, std::uint64_t immediate,
                     unsigned immediate_bytes) {
    prefixes(opcode, reg, rm);
    modrm(reg, rm);
    for (; immediate_bytes != 0; --immediate_bytes, immediate >>= 8)
        byte(immediate & 0xff);
}

void Assembler::load_immediate(Host to, std::uint64_t value) {
    const unsigned high = to >= r8 ? 1 : 0;
    if (value <= 0xffff'ffff) {
        if (high) byte(0x41);
        byte(0xb8 | (to & 7));
        dword(static_cast<std::uint32_t>(value));
    } else if (static_cast<std::int64_t>(value) == static_cast<std::int32_t>(value)) {
        emit({.byte = 0xc7, .wide = true}, 0, Operand::of(to), value, 4);
    } else {
        byte(0x48 | high);
        byte(0xb8 | (to & 7));
        qword(value);
    }
}

}  // namespace backplane::jit
