// Instructions that are executed as they are, but for where their operands lie.
#include "tier1/operands.h"
#include "tier1/translator.h"
#include "x86/flags.h"
#include "x86/host_features.h"

#include <optional>
#include <span>
#include <utility>

namespace backplane::jit {
namespace {

enum class Kind : std::uint8_t { General, Vector };

// A register operand, by the place in the encoding that names it.
struct RegisterOperand {
    bool present = false;
    Kind kind = Kind::General;
    unsigned number = 0;  // of the guest
    unsigned size = 0;    // in bits
    bool high = false;    // AH to BH
    bool reads = false, writes = false;

    // What is written of it needs the rest of the register to be there.
    bool needs_value() const { return reads || (writes && size < 32); }
    // It is worked on in a free register.
    bool is_elsewhere() const {
        return present && kind == Kind::General && (high || !is_pinned(number));
    }
};

std::optional<RegisterOperand> register_operand(const ZydisDecodedOperand& operand) {
    const ZydisRegister name = operand.reg.value;
    if (!is_general(name) && !is_high_byte(name) && !is_vector(name)) return std::nullopt;
    if (is_high_byte(name) && !x86::host_features().has(x86::Feature::Bmi2)) return std::nullopt;
    // What is written on a condition keeps its value otherwise.
    constexpr ZydisOperandActions reading = ZYDIS_OPERAND_ACTION_MASK_READ |
                                            ZYDIS_OPERAND_ACTION_CONDWRITE;
    return RegisterOperand{.present = true,
                           .kind = is_vector(name) ? Kind::Vector : Kind::General,
                           .number = number_of(name),
                           .size = operand.size,
                           .high = is_high_byte(name),
                           .reads = (operand.actions & reading) != 0,
                           .writes = (operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0};
}

// Of a register that the encoding does not name: it has to be where the host's is.
bool is_in_its_place(ZydisRegister name) {
    if (is_general(name)) return host_of[number_of(name)] == number_of(name);
    return is_vector(name) || name == ZYDIS_REGISTER_MXCSR || x86::is_flags(name);
}

std::uint8_t mandatory_prefix(const ZydisDecodedInstruction& decoded) {
    for (unsigned i = 0; i < decoded.raw.prefix_count; ++i)
        if (decoded.raw.prefixes[i].type == ZYDIS_PREFIX_TYPE_MANDATORY)
            return decoded.raw.prefixes[i].value;
    return 0;
}

std::optional<OpcodeMap> opcode_map(const ZydisDecodedInstruction& decoded) {
    switch (decoded.opcode_map) {
    case ZYDIS_OPCODE_MAP_DEFAULT: return OpcodeMap::Primary;
    case ZYDIS_OPCODE_MAP_0F: return OpcodeMap::Escape0F;
    case ZYDIS_OPCODE_MAP_0F38: return OpcodeMap::Escape0F38;
    case ZYDIS_OPCODE_MAP_0F3A: return OpcodeMap::Escape0F3A;
    default: return std::nullopt;
    }
}

// Memory operands that have to be aligned to their size (SDM 1 4.1.1 and 14.9): in legacy encodings
// all of 16 bytes but these, in VEX encodings only those that say so.
unsigned alignment_of(const ZydisDecodedInstruction& decoded, unsigned size) {
    switch (decoded.mnemonic) {
    case ZYDIS_MNEMONIC_MOVUPS:
    case ZYDIS_MNEMONIC_MOVUPD:
    case ZYDIS_MNEMONIC_MOVDQU:
    case ZYDIS_MNEMONIC_LDDQU:
    case ZYDIS_MNEMONIC_PCMPISTRI:
    case ZYDIS_MNEMONIC_PCMPISTRM: return 1;
    case ZYDIS_MNEMONIC_VMOVAPS:
    case ZYDIS_MNEMONIC_VMOVAPD:
    case ZYDIS_MNEMONIC_VMOVDQA:
    case ZYDIS_MNEMONIC_VMOVNTPS:
    case ZYDIS_MNEMONIC_VMOVNTPD:
    case ZYDIS_MNEMONIC_VMOVNTDQ:
    case ZYDIS_MNEMONIC_VMOVNTDQA: return size / 8;
    default: break;
    }
    const bool legacy = decoded.encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY;
    return legacy && size == 128 ? 16 : 1;
}

// VEX.W outside 64-bit code makes no operand wider (SDM 2 2.3.5.5); where it chooses the
// instruction it does so everywhere.
bool means_same_with_w(const ZydisDecodedInstruction& decoded) {
    return decoded.meta.isa_ext == ZYDIS_ISA_EXT_FMA || decoded.meta.isa_ext == ZYDIS_ISA_EXT_AVX2;
}

// Forms without ModRM whose register is the accumulator or in the opcode, as the form with ModRM.
// `extension` is what goes into its reg field.
bool give_modrm(std::uint8_t& opcode, OpcodeMap map, unsigned& extension) {
    if (map == OpcodeMap::Escape0F) return (opcode & 0xf8) == 0xc8;  // BSWAP: it keeps its form
    if (map != OpcodeMap::Primary) return false;
    if ((opcode & 0xf0) == 0x40) {  // INC and DEC, outside 64-bit code
        extension = opcode >> 3 & 1;
        opcode = 0xff;
        return true;
    }
    const bool wide = opcode & 1;
    if (opcode < 0x40 && (opcode & 7) >= 4 && (opcode & 7) <= 5) {  // ADD AL, imm and the like
        extension = opcode >> 3;
        opcode = wide ? 0x81 : 0x80;
        return true;
    }
    if (opcode == 0xa8 || opcode == 0xa9) {  // TEST AL, imm
        extension = 0;
        opcode = wide ? 0xf7 : 0xf6;
        return true;
    }
    return (opcode & 0xf8) == 0x90;  // XCHG with the accumulator
}

// The form with both operands exchanged: of ADD to CMP, MOV and TEST.
bool can_turn_round(Opcode& opcode) {
    if (opcode.map != OpcodeMap::Primary || opcode.vex) return false;
    if (opcode.byte == 0x84 || opcode.byte == 0x85) return true;
    const bool has_directions = (opcode.byte < 0x40 && (opcode.byte & 7) < 4) ||
                                (opcode.byte >= 0x88 && opcode.byte <= 0x8b);
    if (has_directions) opcode.byte ^= 2;
    return has_directions;
}

}  // namespace

bool Translator::translate_generic(bool vector) {
    const ZydisDecodedInstruction& decoded = instruction_->decoded;
    const auto map = opcode_map(decoded);
    if (!map) return false;
    Opcode opcode{.byte = decoded.opcode, .map = *map};
    opcode.locked = instruction_->has_lock() && !is_only_processor_;
    opcode.mandatory = mandatory_prefix(decoded);
    opcode.vex = decoded.encoding == ZYDIS_INSTRUCTION_ENCODING_VEX;
    if (opcode.vex) {
        constexpr std::uint8_t prefixes[]{0, 0x66, 0xf3, 0xf2};
        opcode.mandatory = prefixes[decoded.raw.vex.pp];
        opcode.wide = decoded.raw.vex.W;
        opcode.vector_length = decoded.raw.vex.L;
        if (opcode.wide && !is_code64() && !means_same_with_w(decoded)) return false;
    } else if (decoded.encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY) {
        // A second encoding, which 64-bit code does not have.
        if (opcode.byte == 0x82 && *map == OpcodeMap::Primary) opcode.byte = 0x80;
        opcode.wide = decoded.raw.rex.W;
        opcode.operand16 = !vector && decoded.operand_width == 16;
    } else {
        return false;
    }

    // The operands, by where the encoding has them.
    RegisterOperand reg, rm, third, accumulator;
    const ZydisOperand* memory = nullptr;
    bool memory_written = false;
    const std::span operands{instruction_->operands.data(), decoded.operand_count};
    for (const ZydisOperand& operand : operands) {
        if (operand.type == ZYDIS_OPERAND_TYPE_IMMEDIATE) continue;
        if (operand.type == ZYDIS_OPERAND_TYPE_MEMORY) {
            const bool named = operand.encoding == ZYDIS_OPERAND_ENCODING_MODRM_RM;
            if (!named || operand.mem.type != ZYDIS_MEMOP_TYPE_MEM || memory) return false;
            if (is_vector(operand.mem.index)) return false;
            memory = &operand;
            memory_written = (operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
            continue;
        }
        if (operand.type != ZYDIS_OPERAND_TYPE_REGISTER) return false;
        RegisterOperand* place = nullptr;
        switch (operand.encoding) {
        case ZYDIS_OPERAND_ENCODING_MODRM_REG: place = &reg; break;
        case ZYDIS_OPERAND_ENCODING_MODRM_RM:
        case ZYDIS_OPERAND_ENCODING_OPCODE: place = &rm; break;
        case ZYDIS_OPERAND_ENCODING_NDSNDD: place = &third; break;
        case ZYDIS_OPERAND_ENCODING_IS4:  // a vector register, in the immediate
            if (!is_code64() && (decoded.raw.imm[0].value.u & 0x80)) return false;
            continue;
        default: break;
        }
        const bool is_accumulator = !place && !(decoded.attributes & ZYDIS_ATTRIB_HAS_MODRM) &&
                                    operand.visibility != ZYDIS_OPERAND_VISIBILITY_HIDDEN &&
                                    ZydisRegisterGetId(operand.reg.value) == x86::RAX &&
                                    operand.size >= 8;
        if (is_accumulator) place = &accumulator;
        if (!place) {
            if (!is_in_its_place(operand.reg.value)) return false;
            continue;
        }
        const auto found = register_operand(operand);
        if (!found) return false;
        *place = *found;
        // Without a bit to be found they leave the register as it is.
        if (decoded.mnemonic == ZYDIS_MNEMONIC_BSF || decoded.mnemonic == ZYDIS_MNEMONIC_BSR)
            place->reads = true;
    }
    unsigned extension = decoded.raw.modrm.reg;
    if (!(decoded.attributes & ZYDIS_ATTRIB_HAS_MODRM)) {
        if (!give_modrm(opcode.byte, *map, extension)) return false;
        if ((opcode.byte & 0xf8) == 0x90 && *map == OpcodeMap::Primary) {  // XCHG
            opcode.byte = 0x87;
            reg = accumulator;
        } else if (!rm.present) {
            rm = accumulator;
        }
    }
    if (memory && memory->size == 0) return false;
    if (third.present && third.kind == Kind::General && third.writes) return false;  // MULX
    // Both would need the same register in between.
    if (third.is_elsewhere() && reg.is_elsewhere() && reg.needs_value()) return false;
    // Two parts of one register, both written.
    if (reg.writes && rm.writes && reg.number == rm.number && (reg.high || rm.high)) return false;
    const bool is_bit_string = opcode.map == OpcodeMap::Escape0F &&
                               (opcode.byte == 0xa3 || opcode.byte == 0xab || opcode.byte == 0xb3 ||
                                opcode.byte == 0xbb);
    if (is_bit_string && memory) return false;  // it reaches beyond its operand: bit_string()

    // SPL to DIL need a REX prefix; so do the host's registers in their places.
    for (const RegisterOperand& operand : {reg, rm})
        if (operand.present && operand.kind == Kind::General && operand.size == 8)
            opcode.byte_registers = true;

    if (!memory && reg.is_elsewhere() && !reg.high && !rm.is_elsewhere() && rm.present &&
        (!reg.writes || reg.size == 64) && can_turn_round(opcode))
        std::swap(reg, rm);

    if (vector) need_vectors(opcode.vex ? 2 : 1);

    // The memory operand first: all else is kept until it is known that it can be reached.
    Operand place;
    if (memory) {
        const bool scratch2_needed = reg.is_elsewhere() || third.is_elsewhere();
        place = access(*memory, memory_written ? Access::Write : Access::Read, scratch2_needed,
                       alignment_of(decoded, memory->size));
    } else if (rm.present && rm.kind == Kind::Vector) {
        place = Operand::of(static_cast<std::uint8_t>(rm.number));
    } else if (rm.present) {
        place = place_of(rm.number);
    }

    const ZydisAccessedFlags* accessed = decoded.cpu_flags;
    const auto touched = accessed ? accessed->modified | accessed->set_0 | accessed->set_1 |
                                        accessed->undefined
                                  : 0;
    const bool writes_flags = (touched & x86::rflags::arithmetic) != 0;
    const bool reads_flags = accessed && (accessed->tested & x86::rflags::arithmetic) != 0;
    // The host has to find those that are read, and those that stay.
    if (reads_flags || (writes_flags && !replaces_flags(*instruction_))) restore_flags();

    // An operand in CpuState: by a register where it is written in part, or cannot be in memory.
    bool rm_by_register = false;
    if (rm.is_elsewhere()) {
        const bool exchange = opcode.map == OpcodeMap::Primary &&
                              (opcode.byte == 0x86 || opcode.byte == 0x87);
        const bool add_exchange = opcode.map == OpcodeMap::Escape0F &&
                                  (opcode.byte == 0xc0 || opcode.byte == 0xc1);
        const bool swap = opcode.map == OpcodeMap::Escape0F && (opcode.byte & 0xf8) == 0xc8;
        rm_by_register = rm.high || vector || exchange || add_exchange || swap || is_bit_string ||
                         (rm.writes && rm.size != 64);
        if (rm_by_register) {
            if (rm.needs_value()) load_operand(scratch, rm.number, rm.high);
            place = Operand::of(scratch);
        }
    }
    const auto number_in = [&](const RegisterOperand& operand) -> unsigned {
        if (!operand.present) return extension;
        if (operand.kind == Kind::Vector) return operand.number;
        if (!operand.is_elsewhere()) return pinned(operand.number);
        if (operand.needs_value()) load_operand(scratch2, operand.number, operand.high);
        return scratch2;
    };
    if (third.present) opcode.vector = static_cast<std::uint8_t>(number_in(third));
    const unsigned reg_number = number_in(reg);

    const auto& immediate = decoded.raw.imm[0];
    if (*map == OpcodeMap::Escape0F && (opcode.byte & 0xf8) == 0xc8 && !vector) {
        // BSWAP: the register is in the opcode.
        const unsigned host = place.reg;
        code_.byte(0x40 | (opcode.wide ? 8 : 0) | (host >= 8 ? 1 : 0));
        code_.byte(0x0f);
        code_.byte(0xc8 | (host & 7));
    } else {
        code_.emit(opcode, reg_number, place, immediate.value.u, immediate.size / 8u);
    }

    // XADD of a register with itself leaves the sum.
    if (reg.is_elsewhere() && reg.writes) store_operand(reg.number, reg.high, scratch2);
    if (rm_by_register && rm.writes) store_operand(rm.number, rm.high, scratch);
    keeps_window_ = !rm_by_register && !reg.is_elsewhere() && !third.is_elsewhere();
    if (writes_flags) {
        made_flags((accessed->set_0 & x86::rflags::of) != 0);
        if (keeps_window_)
            note_recipe(opcode, reg_number, place, immediate.value.u, immediate.size / 8u);
    }
    for (const ZydisOperand& operand : operands) {
        if (operand.type != ZYDIS_OPERAND_TYPE_REGISTER ||
            !(operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
            continue;
        const ZydisRegister name = operand.reg.value;
        if (is_general(name) || is_high_byte(name)) note_result(number_of(name), operand.size);
    }
    return true;
}

// BT, BTS, BTR and BTC with a bit anywhere behind or in front of an address in memory (SDM 1
// 3.1.1.9). It is the word with the bit that has to be there; the host's instruction finds it, from
// the address, as the guest's does.
bool Translator::bit_string() {
    const ZydisOperand &place = operand(0), &index = operand(1);
    if (!is_code64() || address_width_ != 64 || place.type != ZYDIS_OPERAND_TYPE_MEMORY ||
        place.size < 32 || !is_general(index, place.size))
        return false;
    const bool wide = place.size == 64;
    const bool writes = instruction_->mnemonic() != ZYDIS_MNEMONIC_BT;
    const unsigned guest = number_of(index.reg.value);
    const auto load_distance = [&] {  // of the word in bytes
        if (wide)
            code_.load(scratch2, place_of(guest));
        else
            code_.emit({.byte = 0x63, .wide = true}, scratch2, place_of(guest));  // MOVSXD
        code_.sar(scratch2, wide ? 6 : 5);
        code_.shl(scratch2, wide ? 3 : 2);
    };
    form_address(scratch, place);
    lose_flags();
    load_distance();
    code_.add(scratch, Operand::of(scratch2));
    check(writes ? Access::Write : Access::Read, place.size / 8u);
    code_.add(scratch, Operand::of(scratch2));
    load_distance();
    code_.sub(scratch, Operand::of(scratch2));
    const Host bit = value_of(guest, scratch2);
    restore_flags();
    code_.emit({.byte = instruction_->decoded.opcode,
                .map = OpcodeMap::Escape0F,
                .wide = wide,
                .locked = instruction_->has_lock() && !is_only_processor_},
               bit, Operand::at(scratch));
    made_flags();
    return true;
}

// A register that only moves by a constant takes the window with it.
void Translator::note_result(unsigned guest, unsigned size) {
    const ZydisMnemonic mnemonic = instruction_->mnemonic();
    const bool adds = mnemonic == ZYDIS_MNEMONIC_ADD || mnemonic == ZYDIS_MNEMONIC_SUB;
    if (adds && size == static_cast<unsigned>(word() * 8) &&
        operand(1).type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
        const std::int64_t distance = operand(1).imm.value.s;
        moved(guest, mnemonic == ZYDIS_MNEMONIC_ADD ? distance : -distance);
    } else {
        wrote(guest);
    }
}

// A register that is not in a register of its own; the second byte of one comes rotated to the
// lowest.
void Translator::load_operand(Host to, unsigned guest, bool high) {
    if (high)
        rotate(to, pinned(guest), 8);
    else
        code_.load(to, slot(guest));
}

void Translator::store_operand(unsigned guest, bool high, Host from) {
    if (high)
        rotate(pinned(guest), from, 56);
    else
        code_.store(slot(guest), from);
}

// RORX, which leaves the flags.
void Translator::rotate(Host to, Host from, unsigned count) {
    code_.emit(
        {.byte = 0xf0, .map = OpcodeMap::Escape0F3A, .mandatory = 0xf2, .wide = true, .vex = true},
        to, Operand::of(from), count, 1);
}

// Of the arithmetic flags nothing is left, and nothing was read.
bool Translator::replaces_flags(const Instruction& instruction) const {
    const ZydisAccessedFlags* accessed = instruction.decoded.cpu_flags;
    if (!accessed || may_keep_flags(instruction)) return false;
    const auto touched = accessed->modified | accessed->set_0 | accessed->set_1 |
                         accessed->undefined;
    return (touched & x86::rflags::arithmetic) == x86::rflags::arithmetic &&
           (accessed->tested & x86::rflags::arithmetic) == 0;
}

// Shifts and rotates by a count that may be zero, and instructions of whose undefined flags
// processors keep some.
bool Translator::may_keep_flags(const Instruction& instruction) const {
    switch (instruction.mnemonic()) {
    case ZYDIS_MNEMONIC_SHL:
    case ZYDIS_MNEMONIC_SHR:
    case ZYDIS_MNEMONIC_SAR: {
        const ZydisOperand& count = instruction.operands[1];
        const unsigned mask = instruction.operands[0].size == 64 ? 63 : 31;
        return count.type != ZYDIS_OPERAND_TYPE_IMMEDIATE || (count.imm.value.u & mask) == 0;
    }
    case ZYDIS_MNEMONIC_MUL:
    case ZYDIS_MNEMONIC_IMUL:
    case ZYDIS_MNEMONIC_BT:
    case ZYDIS_MNEMONIC_BTS:
    case ZYDIS_MNEMONIC_BTR:
    case ZYDIS_MNEMONIC_BTC:
    case ZYDIS_MNEMONIC_TZCNT:
    case ZYDIS_MNEMONIC_LZCNT:
    case ZYDIS_MNEMONIC_ROL:
    case ZYDIS_MNEMONIC_ROR:
    case ZYDIS_MNEMONIC_RCL:
    case ZYDIS_MNEMONIC_RCR:
    case ZYDIS_MNEMONIC_SHLD:
    case ZYDIS_MNEMONIC_SHRD: return true;
    default: return false;
    }
}

}  // namespace backplane::jit
