// Emits x86-64 machine code. Instructions of the guest come as they were decoded, with other
// registers and addresses; what compiled code needs besides has functions of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace backplane::jit {

// Registers of the host by their number in ModRM.
enum Host : std::uint8_t {
    rax,
    rcx,
    rdx,
    rbx,
    rsp,
    rbp,
    rsi,
    rdi,
    r8,
    r9,
    r10,
    r11,
    r12,
    r13,
    r14,
    r15,
};

// Of Jcc, by their number (SDM 1 appendix B).
namespace condition {
constexpr unsigned below = 2, above_equal = 3, equal = 4, not_equal = 5, below_equal = 6, above = 7,
                   sign = 8, not_sign = 9, greater = 15;
}

// What ModRM, SIB and displacement say: a register, or a place in memory.
struct Operand {
    static constexpr std::uint8_t none = 0xff;

    std::uint8_t reg = none;  // or memory:
    std::uint8_t base = none, index = none, scale = 0;
    std::int32_t displacement = 0;

    static constexpr Operand of(std::uint8_t reg) { return {.reg = reg}; }
    static constexpr Operand at(std::uint8_t base, std::int32_t displacement = 0) {
        return {.base = base, .displacement = displacement};
    }
    static constexpr Operand at(std::uint8_t base, std::uint8_t index, unsigned scale,
                                std::int32_t displacement) {
        return {.base = base,
                .index = index,
                .scale = static_cast<std::uint8_t>(scale),
                .displacement = displacement};
    }
    constexpr bool is_register() const { return reg != none; }
};

enum class OpcodeMap : std::uint8_t { Primary, Escape0F, Escape0F38, Escape0F3A };

// An instruction but for its operands (SDM 2 2.1).
struct Opcode {
    std::uint8_t byte = 0;
    OpcodeMap map = OpcodeMap::Primary;
    std::uint8_t mandatory = 0;  // 66, F2 or F3
    bool operand16 = false;      // 66 for the operand size
    bool wide = false;           // REX.W
    bool locked = false;
    bool byte_registers = false;  // SPL, BPL, SIL and DIL are meant, not AH to BH
    bool vex = false;
    std::uint8_t vector = 0;     // VEX.vvvv, the register's number
    bool vector_length = false;  // VEX.L
};

// A place in the memory for code, from its start.
using Place = std::uint32_t;

class Assembler {
public:
    // Emits from `place` on, up to `end`.
    Assembler(std::uint8_t* memory, Place place, Place end)
        : memory_{memory}, at_{place}, end_{end} {}

    Place place() const { return at_; }
    void rewind(Place place) { at_ = place; }
    void move_to(Place place, Place end) {
        at_ = place;
        end_ = end;
    }
    // Everything emitted fitted.
    bool fits() const { return fits_; }

    void byte(unsigned value) {
        if (at_ == end_) {
            fits_ = false;
            --at_;
        }
        memory_[at_++] = static_cast<std::uint8_t>(value);
    }
    void dword(std::uint32_t value) {
        for (int i = 0; i < 4; ++i, value >>= 8)
            byte(value & 0xff);
    }
    void qword(std::uint64_t value) {
        dword(static_cast<std::uint32_t>(value));
        dword(static_cast<std::uint32_t>(value >> 32));
    }

    // Any instruction with ModRM; an immediate of so many bytes behind it.
    void emit(const Opcode& opcode, unsigned reg, const Operand& rm, std::uint64_t immediate = 0,
              unsigned immediate_bytes = 0);

    // ---- Of 64 bits, unless they say otherwise ----
    void mov(Host to, Host from) { emit({.byte = 0x8b, .wide = true}, to, Operand::of(from)); }
    void mov32(Host to, Host from) { emit({.byte = 0x8b}, to, Operand::of(from)); }
    void load(Host to, const Operand& from) { emit({.byte = 0x8b, .wide = true}, to, from); }
    void store(const Operand& to, Host from) { emit({.byte = 0x89, .wide = true}, from, to); }
    void load_immediate(Host to, std::uint64_t value);
    // The shortest that leaves flags alone.
    void lea(Host to, const Operand& address) { emit({.byte = 0x8d, .wide = true}, to, address); }
    void add(Host to, const Operand& from) { emit({.byte = 0x03, .wide = true}, to, from); }
    void sub(Host to, const Operand& from) { emit({.byte = 0x2b, .wide = true}, to, from); }
    void exclusive_or(Host to, const Operand& from) {
        emit({.byte = 0x33, .wide = true}, to, from);
    }
    void exclusive_or32(Host to, Host from) { emit({.byte = 0x33}, to, Operand::of(from)); }
    void cmp(Host a, const Operand& b) { emit({.byte = 0x3b, .wide = true}, a, b); }
    void cmp_immediate(Host a, std::int32_t value) {
        immediate_group(7, Operand::of(a), value, true);
    }
    void cmp32_immediate(Host a, std::int32_t value) {
        immediate_group(7, Operand::of(a), value, false);
    }
    void and32(Host to, std::int32_t value) { and32(Operand::of(to), value); }
    void and32(const Operand& to, std::int32_t value) { immediate_group(4, to, value, false); }
    void or32(const Operand& to, std::int32_t value) { immediate_group(1, to, value, false); }
    void or32(Host to, const Operand& from) { emit({.byte = 0x0b}, to, from); }
    void test_immediate32(const Operand& a, std::int32_t value) {
        emit({.byte = 0xf7}, 0, a, static_cast<std::uint32_t>(value), 4);
    }
    // MOVZX of the lowest byte or two.
    void zero_extend(Host to, Host from, unsigned bytes) {
        emit({.byte = static_cast<std::uint8_t>(bytes == 1 ? 0xb6 : 0xb7),
              .map = OpcodeMap::Escape0F,
              .byte_registers = bytes == 1},
             to, Operand::of(from));
    }
    // A word of 64 bits or of 32.
    void add_immediate(const Operand& to, std::int32_t value, bool wide) {
        immediate_group(0, to, value, wide);
    }
    void sub_immediate(const Operand& from, std::int32_t value) {
        immediate_group(5, from, value, true);
    }
    void cmp_byte(const Operand& a, unsigned value) { emit({.byte = 0x80}, 7, a, value, 1); }
    void test_byte(Host a, unsigned value) {
        emit({.byte = 0xf6, .byte_registers = true}, 0, Operand::of(a), value, 1);
    }
    void test32(Host a) { emit({.byte = 0x85}, a, Operand::of(a)); }
    void shl32(Host a, unsigned count) { emit({.byte = 0xc1}, 4, Operand::of(a), count, 1); }
    void shl(Host a, unsigned count) {
        emit({.byte = 0xc1, .wide = true}, 4, Operand::of(a), count, 1);
    }
    void shr(Host a, unsigned count) {
        emit({.byte = 0xc1, .wide = true}, 5, Operand::of(a), count, 1);
    }
    void sar(Host a, unsigned count) {
        emit({.byte = 0xc1, .wide = true}, 7, Operand::of(a), count, 1);
    }
    void sar32(Host a, unsigned count) { emit({.byte = 0xc1}, 7, Operand::of(a), count, 1); }
    void test(Host a) { emit({.byte = 0x85, .wide = true}, a, Operand::of(a)); }
    void negate(Host a) { emit({.byte = 0xf7, .wide = true}, 3, Operand::of(a)); }
    // CMOVcc
    void move_if(unsigned condition, Host to, const Operand& from) {
        emit({.byte = static_cast<std::uint8_t>(0x40 + condition),
              .map = OpcodeMap::Escape0F,
              .wide = true},
             to, from);
    }
    // A string instruction, by its opcode for bytes, of so many bytes.
    void repeat(std::uint8_t opcode, unsigned size) {
        byte(0xf3);
        if (size == 2) byte(0x66);
        if (size == 8) byte(0x48);
        byte(size == 1 ? opcode : opcode + 1);
    }
    void increment(const Operand& place) { emit({.byte = 0xff, .wide = true}, 0, place); }
    void increment32(const Operand& place) { emit({.byte = 0xff}, 0, place); }
    void jump_through(const Operand& place) { emit({.byte = 0xff}, 4, place); }

    // ---- Jumps: a place to be filled in by `patch` ----
    using Jump = Place;  // where the displacement is
    Jump jump() {
        byte(0xe9);
        return displacement();
    }
    Jump call() {
        byte(0xe8);
        return displacement();
    }
    // By the condition's number in Jcc.
    Jump jump_if(unsigned condition) {
        byte(0x0f);
        byte(0x80 + condition);
        return displacement();
    }
    // With something in this code or its data, from where it is.
    Jump lea_of(Host to) { return relative(0x8d, to); }
    Jump cmp_of(Host a) { return relative(0x3b, a); }
    // PEXT, on hosts that have it, with a mask there.
    Jump extract_bits_of(Host to, Host from) {
        prefixes({.byte = 0xf5,
                  .map = OpcodeMap::Escape0F38,
                  .mandatory = 0xf3,
                  .wide = true,
                  .vex = true,
                  .vector = from},
                 to, {});
        return relative(to);
    }
    Jump store_of(Host from) { return relative(0x89, from); }
    void patch(Jump jump, Place target) {
        const std::uint32_t distance = target - (jump + 4);
        if (fits_) std::memcpy(memory_ + jump, &distance, sizeof distance);
    }
    void patch_here(Jump jump) { patch(jump, place()); }

private:
    Jump relative(unsigned opcode, Host reg) {
        byte(0x48 | (reg >= r8 ? 4 : 0));
        byte(opcode);
        return relative(reg);
    }
    // ModRM with RIP for a base.
    Jump relative(unsigned reg) {
        byte(0x05 | (reg & 7) << 3);
        return displacement();
    }
    Jump displacement() {
        const Jump displacement = place();
        dword(0);
        return displacement;
    }
    void immediate_group(unsigned group, const Operand& rm, std::int32_t value, bool wide) {
        const bool small = value >= -128 && value <= 127;
        emit({.byte = static_cast<std::uint8_t>(small ? 0x83 : 0x81), .wide = wide}, group, rm,
             static_cast<std::uint64_t>(static_cast<std::int64_t>(value)), small ? 1 : 4);
    }
    void prefixes(const Opcode& opcode, unsigned reg, const Operand& rm);
    void modrm(unsigned reg, const Operand& rm);

    std::uint8_t* memory_;
    Place at_, end_;
    bool fits_ = true;
};

}  // namespace backplane::jit
