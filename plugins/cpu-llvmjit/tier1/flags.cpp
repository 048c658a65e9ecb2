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

// LAHF has all but OF; a fresh RAX, so that nothing waits for what was there.
void Translator::keep_flags() {
    if (flags_ == Flags::Recipe) remake_flags(*recipe_);
    if (flags_ != Flags::Host) return;
    code_.load_immediate(flags_image, 0);
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
    if (flags_ == Flags::Recipe) return;
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
    recipe.opcode.locked = false;
    switch (instruction_->mnemonic()) {
    case ZYDIS_MNEMONIC_CMP:
    case ZYDIS_MNEMONIC_TEST: break;
    case ZYDIS_MNEMONIC_AND:
    case ZYDIS_MNEMONIC_OR:
    case ZYDIS_MNEMONIC_XOR: {
        // Only the result counts.
        recipe.kind = Recipe::Test;
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

// In front of an instruction: what it overwrites may be in the recipe.
void Translator::keep_recipe_from(const Instruction& instruction, bool replaces_flags) {
    const std::uint16_t written = written_registers(instruction);
    if (!recipe_ || !(recipe_->registers & written)) return;
    if (flags_ == Flags::Recipe && !replaces_flags) keep_flags();
    if (flags_ != Flags::Recipe) recipe_.reset();
}

}  // namespace backplane::jit
