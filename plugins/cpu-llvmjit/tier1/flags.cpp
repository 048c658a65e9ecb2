// Where the guest's arithmetic flags are, from one instruction to the next.
//
// An instruction that is executed as it is leaves them in the host's. Whatever compiled code does
// besides overwrites these, so they are kept in an image; or, which is free, it is remembered how
// to make them again from registers that have not changed since. Hardly anybody looks: an exception
// might, or an interrupt.
#include "tier1/operands.h"
#include "tier1/translator.h"

namespace backplane::jit {
namespace {

// Of the group 80 to 83, and of the first 64 opcodes.
enum Arithmetic : unsigned { Add, Or, AddCarry, SubBorrow, And, Sub, Xor, Cmp };

}  // namespace

// LAHF has all but OF. RAX is a fresh one, so that nothing waits for what was there; its upper half
// is anything.
void Translator::keep_flags() {
    lacks_flags_ |= flags_ == Flags::Dead;
    if (flags_ == Flags::Recipe) remake_flags(*recipe_);
    if (flags_ != Flags::Host) return;
    if (overflow_is_clear_)
        code_.load_immediate(flags_image, 0);
    else
        code_.mov32(flags_image, core);
    code_.byte(0x9f);  // LAHF
    if (!overflow_is_clear_)
        for (const unsigned byte : {0x0f, 0x90, 0xc0})  // SETO AL
            code_.byte(byte);
    flags_ = Flags::Both;
}

// AL minus -127 overflows if AL is 1, and not if it is 0.
void Translator::restore_flags() {
    if (flags_ == Flags::Recipe) remake_flags(*recipe_);
    if (flags_ != Flags::Image) return;
    for (const unsigned byte : {0x3c, 0x81, 0x9e})  // CMP AL, -127; SAHF
        code_.byte(byte);
    flags_ = Flags::Both;
}

void Translator::lose_flags() {
    if (flags_ == Flags::Host && recipe_) flags_ = Flags::Recipe;
    if (flags_ == Flags::Recipe || flags_ == Flags::Dead) return;
    keep_flags();
    flags_ = Flags::Image;
}

void Translator::image_flags() {
    keep_flags();
    flags_ = Flags::Image;
}

void Translator::made_flags(bool overflow_is_clear) {
    flags_ = Flags::Host;
    recipe_.reset();
    overflow_is_clear_ = overflow_is_clear;
}

// RAX is free, as there is no image.
void Translator::remake_flags(const Recipe& recipe) {
    const auto emit = [&](std::uint8_t byte, unsigned reg, const Operand& rm,
                          unsigned immediate_bytes = 0) {
        Opcode opcode = recipe.opcode;
        opcode.byte = byte;
        code_.emit(opcode, reg, rm, recipe.immediate, immediate_bytes);
    };
    switch (recipe.kind) {
    case Recipe::Again:
        emit(recipe.opcode.byte, recipe.reg, recipe.rm, recipe.immediate_bytes);
        break;
    case Recipe::Test: emit(0x85, recipe.rm.reg, recipe.rm); break;
    case Recipe::Undo:
        emit(0x8b, rax, recipe.rm);
        // What was added is taken away and added again, or the other way round.
        if (recipe.immediate_bytes != 0) {
            const std::uint8_t byte = recipe.immediate_bytes == 1 ? 0x83 : 0x81;
            emit(byte, recipe.reg == Add ? Sub : Add, Operand::of(rax), recipe.immediate_bytes);
            emit(byte, recipe.reg, Operand::of(rax), recipe.immediate_bytes);
        } else {
            const bool adds = recipe.opcode.byte == 0x03;
            emit(adds ? 0x2b : 0x03, rax, Operand::of(recipe.reg));
            emit(adds ? 0x03 : 0x2b, rax, Operand::of(recipe.reg));
        }
        break;
    }
    flags_ = Flags::Host;
    overflow_is_clear_ = recipe.kind == Recipe::Test;
}

// How to make again what this instruction, which has just been emitted with these operands, has
// made of the flags. Its registers are where they were.
void Translator::note_recipe(const Opcode& opcode, unsigned reg, const Operand& rm,
                             std::uint64_t immediate, unsigned immediate_bytes) {
    recipe_.reset();
    if (opcode.map != OpcodeMap::Primary || opcode.vex) return;
    const bool to_reg = immediate_bytes == 0 && (opcode.byte & 2) != 0;
    const bool is_logic = instruction_->mnemonic() == ZYDIS_MNEMONIC_AND ||
                          instruction_->mnemonic() == ZYDIS_MNEMONIC_OR ||
                          instruction_->mnemonic() == ZYDIS_MNEMONIC_XOR;
    if (!rm.is_register() && !(is_logic && to_reg)) return;
    if (opcode.operand16 || opcode.byte_registers) {
        const bool compares = instruction_->mnemonic() == ZYDIS_MNEMONIC_CMP ||
                              instruction_->mnemonic() == ZYDIS_MNEMONIC_TEST;
        if (!compares) return;
    }
    Recipe recipe{.kind = Recipe::Again,
                  .opcode = opcode,
                  .reg = static_cast<std::uint8_t>(reg),
                  .rm = rm,
                  .immediate = immediate,
                  .immediate_bytes = static_cast<std::uint8_t>(immediate_bytes),
                  .registers = named_registers(*instruction_)};
    const auto result_only = [&] {
        recipe.registers = static_cast<std::uint16_t>(1u << number_of(operand(0).reg.value));
    };
    recipe.opcode.locked = false;
    switch (instruction_->mnemonic()) {
    case ZYDIS_MNEMONIC_CMP:
    case ZYDIS_MNEMONIC_TEST: break;
    case ZYDIS_MNEMONIC_AND:
    case ZYDIS_MNEMONIC_OR:
    case ZYDIS_MNEMONIC_XOR: {
        // Only the result counts.
        recipe.kind = Recipe::Test;
        result_only();
        if (to_reg) recipe.rm = Operand::of(static_cast<std::uint8_t>(reg));
        recipe.immediate_bytes = 0;
        break;
    }
    case ZYDIS_MNEMONIC_ADD:
    case ZYDIS_MNEMONIC_SUB:
        recipe.kind = Recipe::Undo;
        if (immediate_bytes == 0) {
            // As the form with the result in reg.
            const auto result = to_reg ? static_cast<std::uint8_t>(reg) : rm.reg;
            const auto other = to_reg ? rm.reg : static_cast<std::uint8_t>(reg);
            if (result == other) return;
            recipe.opcode.byte = (opcode.byte & 0x38) | 3;
            recipe.rm = Operand::of(result);
            recipe.reg = other;
        }
        break;
    default: return;
    }
    recipe_ = recipe;
}

namespace {

// Computes with registers alone: no way out, and no use of flags but what the decoder says. A
// mistake costs another attempt.
bool only_computes(const x86::Instruction& instruction) {
    switch (instruction.decoded.meta.category) {
    case ZYDIS_CATEGORY_BINARY:
    case ZYDIS_CATEGORY_LOGICAL:
    case ZYDIS_CATEGORY_ROTATE:
    case ZYDIS_CATEGORY_SHIFT:
    case ZYDIS_CATEGORY_DATAXFER:
    case ZYDIS_CATEGORY_CMOV:
    case ZYDIS_CATEGORY_CONVERT:
    case ZYDIS_CATEGORY_SETCC:
    case ZYDIS_CATEGORY_BITBYTE:
    case ZYDIS_CATEGORY_BMI1:
    case ZYDIS_CATEGORY_BMI2:
    case ZYDIS_CATEGORY_MISC: break;
    default: return false;
    }
    if (instruction.mnemonic() == ZYDIS_MNEMONIC_DIV ||
        instruction.mnemonic() == ZYDIS_MNEMONIC_IDIV)
        return false;
    for (unsigned i = 0; i < instruction.decoded.operand_count; ++i) {
        const ZydisDecodedOperand& operand = instruction.operands[i];
        const bool is_address = operand.type == ZYDIS_OPERAND_TYPE_MEMORY &&
                                operand.mem.type == ZYDIS_MEMOP_TYPE_AGEN;
        const bool is_register = operand.type == ZYDIS_OPERAND_TYPE_REGISTER &&
                                 (x86::is_part_of_general(operand.reg.value) ||
                                  x86::is_flags(operand.reg.value));
        if (!is_address && !is_register && operand.type != ZYDIS_OPERAND_TYPE_IMMEDIATE)
            return false;
    }
    return true;
}

}  // namespace

// From the end, as they are seen there.
void Translator::find_needed_flags(std::span<const x86::Instruction> instructions) {
    needed_flags_ = ~std::uint64_t{0};
    if (native_->keeps_all_flags) return;
    for (auto number = static_cast<unsigned>(instructions.size()); number-- > 0;) {
        const x86::Instruction& instruction = instructions[number];
        if (!only_computes(instruction)) continue;
        const ZydisAccessedFlags* accessed = instruction.decoded.cpu_flags;
        const bool reads = accessed && (accessed->tested & x86::rflags::arithmetic) != 0;
        if (reads || (!replaces_flags(instruction) && needs_flags_behind(number))) continue;
        needed_flags_ &= ~(std::uint64_t{1} << number);
    }
}

// In front of an instruction: what it overwrites may be in the recipe.
void Translator::keep_recipe_from(const Instruction& instruction, bool replaces_flags) {
    const std::uint16_t written = written_registers(instruction);
    if (!recipe_ || !(recipe_->registers & written)) return;
    if (flags_ == Flags::Recipe && !replaces_flags) keep_flags();
    if (flags_ != Flags::Recipe) recipe_.reset();
}

}  // namespace backplane::jit
