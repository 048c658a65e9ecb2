// What an instruction needs of its state beyond values: an operand that is mapped, a stack with a
// frame, selectors that mean something.
#include "case_address.h"
#include "state_generator.h"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace backplane::oracle {
namespace {

using namespace x86;

SegmentIndex segment_index(ZydisRegister name) {
    switch (name) {
    case ZYDIS_REGISTER_ES: return ES;
    case ZYDIS_REGISTER_CS: return CS;
    case ZYDIS_REGISTER_SS: return SS;
    case ZYDIS_REGISTER_FS: return FS;
    case ZYDIS_REGISTER_GS: return GS;
    default: return DS;
    }
}

bool uses_selector(ZydisMnemonic mnemonic) {
    switch (mnemonic) {
    case ZYDIS_MNEMONIC_LAR:
    case ZYDIS_MNEMONIC_LSL:
    case ZYDIS_MNEMONIC_VERR:
    case ZYDIS_MNEMONIC_VERW: return true;
    default: return false;
    }
}

bool is_repeatable(const Instruction& instruction) {
    return instruction.decoded.meta.category == ZYDIS_CATEGORY_STRINGOP ||
           instruction.has(ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE);
}

// A call from 16-bit into 64-bit code pushes through all of RSP, whose upper bits are Linux's then,
// and Linux takes the fault there for a stale one of its own, for ever.
std::uint16_t safe_target(const Instruction& instruction, std::uint16_t segment) {
    const bool hangs = instruction.code_size == CodeSize::Bits16 &&
                       instruction.mnemonic() == ZYDIS_MNEMONIC_CALL &&
                       (segment | 3) == selector::code64;
    return hangs ? selector::code32 : segment;
}

}  // namespace

void StateGenerator::plant(Case& test, std::uint64_t linear, std::uint64_t word, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i)
        if (linear + i - data_address < data_bytes)
            test.memory[linear + i - data_address] = static_cast<std::uint8_t>(word >> 8 * i);
}

// Gathers: lanes that stay near the base.
void StateGenerator::aim_vector_index(const ZydisDecodedOperand& operand, Case& test) {
    const unsigned index = forms::register_number(operand.mem.index);
    VectorState& vector = test.before.vector;
    const bool words = random_.percent(50);
    for (auto* half : {&vector.xmm[index], &vector.ymm_high[index]})
        for (auto& lanes : *half) {
            const std::uint64_t a = random_.below(256) - 128, b = random_.below(256) - 128;
            lanes = words ? a : (a & 0xffffffff) | b << 32;
        }
}

// Registers, or the displacement where there are none, so that the operand lies at a target.
void StateGenerator::aim(const Instruction& instruction, Case& test) {
    const ZydisDecodedOperand* operand = instruction.memory_operand();
    aimed_ = 0;
    if (!operand) return;
    const auto& memory = operand->mem;
    const SegmentIndex segment = segment_index(memory.segment);
    aimed_ = target(operand->size / 8);
    std::uint64_t wanted = offset_of(test, segment, aimed_);
    const unsigned bits = instruction.decoded.address_width;
    const bool relative = memory.base == ZYDIS_REGISTER_RIP || memory.base == ZYDIS_REGISTER_EIP;
    std::uint64_t* base = relative ? nullptr : register_of(test, memory.base);
    std::uint64_t* index = nullptr;
    if (memory.type == ZYDIS_MEMOP_TYPE_VSIB)
        aim_vector_index(*operand, test);
    else
        index = register_of(test, memory.index);
    if (!base && !index) {
        const auto& disp = instruction.decoded.raw.disp;
        if (disp.size == 0) return;
        if (relative) wanted -= instruction.next_ip();
        for (unsigned i = 0; i < disp.size / 8u; ++i)
            test.bytes[disp.offset + i] = static_cast<std::uint8_t>(wanted >> 8 * i);
        return;
    }
    wanted -= static_cast<std::uint64_t>(memory.disp.value);
    if (base == index) {
        set_low(*base, wanted / (1 + memory.scale), bits);
    } else if (!base) {
        set_low(*index, wanted / memory.scale, bits);
    } else {
        if (index && random_.percent(70)) set_low(*index, random_.below(4096), bits);
        set_low(*base, wanted - (index ? low(*index, bits) * memory.scale : 0), bits);
    }
    for (unsigned at = 0; at < 64 && aimed_ - data_address < data_bytes - 64; at += 16) {
        const auto words = floats_.vector();
        std::memcpy(&test.memory[aimed_ - data_address + at], words.data(), 16);
    }
}

std::uint64_t StateGenerator::landing(std::uint16_t selector) {
    const std::uint64_t offset = random_.percent(90) ? random_.below(code_bytes) : value();
    return (selector & ~3) == (selector::code16 & ~3) || random_.percent(5) ? offset
                                                                            : code_address + offset;
}

// What RETF, IRET and POP of a segment find on the stack.
void StateGenerator::plant_far_frame(const Instruction& instruction, Case& test) {
    const unsigned bytes = instruction.decoded.operand_width / 8;
    const std::uint64_t sp = test.code_size == CodeSize::Bits64
                                 ? test.before.gpr[RSP]
                                 : base_of(test, SS) +
                                       low(test.before.gpr[RSP],
                                           test.code_size == CodeSize::Bits16 ? 16 : 32);
    static constexpr std::uint16_t code[] = {selector::code32, selector::code64, selector::code16};
    const std::uint16_t cs = random_.percent(85) ? random_.one_of(code) : any_selector();
    constexpr std::uint64_t keep = ~std::uint64_t{rflags::tf | rflags::nt};
    const std::uint64_t frame[] = {landing(cs), cs, value() & keep, offset_of(test, SS, target(8)),
                                   random_.percent(85) ? selector::data : any_selector()};
    const bool is_return = instruction.decoded.meta.category == ZYDIS_CATEGORY_RET;
    for (unsigned i = 0; i < std::size(frame); ++i)
        if (!is_return || i != 2) plant(test, sp + i * bytes, frame[i], bytes);
    if (instruction.mnemonic() != ZYDIS_MNEMONIC_RET) return;
    plant(test, sp,
          test.code_size == CodeSize::Bits16 ? random_.below(code_bytes)
                                             : landing(selector::code64),
          bytes);
}

void StateGenerator::plant_far_pointer(const Instruction& instruction, Case& test) {
    // AMD's offsets have at most 32 bits (APM 3, JMP Far).
    const unsigned widest = instruction.has_amd_operands ? 4 : 8;
    const unsigned bytes = std::min(instruction.decoded.operand_width / 8u, widest);
    static constexpr std::uint16_t code[] = {selector::code32, selector::code64, selector::code16};
    const bool branches = instruction.mnemonic() == ZYDIS_MNEMONIC_JMP ||
                          instruction.mnemonic() == ZYDIS_MNEMONIC_CALL;
    std::uint16_t segment = branches && random_.percent(85) ? random_.one_of(code) : any_selector();
    segment = safe_target(instruction, segment);
    plant(test, aimed_, landing(segment), bytes);
    plant(test, aimed_ + bytes, segment, 2);
}

// XSAVE and XRSTOR: the components that the engine has, and an area that is well formed.
void StateGenerator::plant_extended_state(Case& test) {
    constexpr std::uint64_t components = 7, compacted = std::uint64_t{1} << 63;
    test.before.gpr[RAX] &= components;
    test.before.gpr[RDX] = 0;
    const std::uint64_t held = random_.next() & components;
    plant(test, aimed_ + 24, random_.next() & 0xffff, 4);  // MXCSR
    plant(test, aimed_ + 512, held, 8);
    const bool is_compact = random_.percent(20);
    plant(test, aimed_ + 520, is_compact ? compacted | held : 0, 8);
    for (unsigned i = 2; i < 8; ++i)
        plant(test, aimed_ + 512 + i * 8, random_.percent(3), 8);
}

// What some instructions need beyond an address.
void StateGenerator::adjust(const Instruction& instruction, Case& test) {
    const auto& first = instruction.operands[0];
    const auto& second = instruction.operands[1];
    auto& gpr = test.before.gpr;
    const ZydisMnemonic mnemonic = instruction.mnemonic();
    const auto category = instruction.decoded.meta.category;
    if (is_repeatable(instruction)) set_low(gpr[RCX], random_.below(24), 64);
    if (forms::has_bit_index(instruction) && instruction.memory_operand()) {
        std::uint64_t* index = register_of(test, second.reg.value);
        const auto* memory = instruction.memory_operand();
        const bool also_address = index == register_of(test, memory->mem.base) ||
                                  index == register_of(test, memory->mem.index);
        if (!also_address) set_low(*index, random_.below(4096) - 2048, second.size);
    }
    if (instruction.decoded.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
        plant_far_pointer(instruction, test);
    if (category == ZYDIS_CATEGORY_RET || mnemonic == ZYDIS_MNEMONIC_IRET ||
        mnemonic == ZYDIS_MNEMONIC_IRETD || mnemonic == ZYDIS_MNEMONIC_IRETQ)
        plant_far_frame(instruction, test);
    if (mnemonic == ZYDIS_MNEMONIC_POPF || mnemonic == ZYDIS_MNEMONIC_POPFD ||
        mnemonic == ZYDIS_MNEMONIC_POPFQ) {
        const std::uint64_t sp = low(gpr[RSP], test.code_size == CodeSize::Bits64 ? 64 : 32) +
                                 base_of(test, SS);
        constexpr std::uint64_t keep = ~std::uint64_t{rflags::tf};
        plant(test, sp, value() & keep, 8);
    }
    const bool loads_segment = (mnemonic == ZYDIS_MNEMONIC_MOV || mnemonic == ZYDIS_MNEMONIC_POP) &&
                               first.type == ZYDIS_OPERAND_TYPE_REGISTER &&
                               ZydisRegisterGetClass(first.reg.value) == ZYDIS_REGCLASS_SEGMENT;
    if (loads_segment || uses_selector(mnemonic)) {
        const std::uint16_t selector = any_selector();
        if (aimed_) plant(test, aimed_, selector, 2);
        const auto& source = loads_segment || mnemonic == ZYDIS_MNEMONIC_LAR ||
                                     mnemonic == ZYDIS_MNEMONIC_LSL
                                 ? second
                                 : first;
        if (source.type == ZYDIS_OPERAND_TYPE_REGISTER && mnemonic != ZYDIS_MNEMONIC_POP)
            if (std::uint64_t* place = register_of(test, source.reg.value))
                set_low(*place, selector, 16);
        if (mnemonic == ZYDIS_MNEMONIC_POP)
            plant(test,
                  low(gpr[RSP], test.code_size == CodeSize::Bits64 ? 64 : 32) + base_of(test, SS),
                  selector, 2);
    }
    const auto extension = instruction.decoded.meta.isa_ext;
    if (extension == ZYDIS_ISA_EXT_XSAVE || extension == ZYDIS_ISA_EXT_XSAVEC ||
        extension == ZYDIS_ISA_EXT_XSAVEOPT)
        plant_extended_state(test);
    switch (mnemonic) {
    case ZYDIS_MNEMONIC_LDS:
    case ZYDIS_MNEMONIC_LES:
    case ZYDIS_MNEMONIC_LFS:
    case ZYDIS_MNEMONIC_LGS:
    case ZYDIS_MNEMONIC_LSS: plant_far_pointer(instruction, test); break;
    case ZYDIS_MNEMONIC_CMPXCHG8B:
    case ZYDIS_MNEMONIC_CMPXCHG16B:
        if (random_.percent(60)) {
            const unsigned half = mnemonic == ZYDIS_MNEMONIC_CMPXCHG8B ? 4 : 8;
            plant(test, aimed_, gpr[RAX], half);
            plant(test, aimed_ + half, gpr[RDX], half);
        }
        break;
    case ZYDIS_MNEMONIC_CMPXCHG:
        if (random_.percent(50)) plant(test, aimed_, gpr[RAX], first.size / 8);
        break;
    case ZYDIS_MNEMONIC_DIV:
    case ZYDIS_MNEMONIC_IDIV:
        if (random_.percent(70)) gpr[RDX] = random_.percent(70) ? 0 : ~std::uint64_t{0};
        if (random_.percent(50)) gpr[RAX] &= 0xfff;
        break;
    case ZYDIS_MNEMONIC_LDMXCSR:
    case ZYDIS_MNEMONIC_VLDMXCSR:
        plant(test, aimed_, random_.percent(80) ? random_.next() & 0xffff : random_.next(), 4);
        break;
    case ZYDIS_MNEMONIC_LOOP:
    case ZYDIS_MNEMONIC_LOOPE:
    case ZYDIS_MNEMONIC_LOOPNE:
    case ZYDIS_MNEMONIC_JCXZ:
    case ZYDIS_MNEMONIC_JECXZ:
    case ZYDIS_MNEMONIC_JRCXZ:
        if (random_.percent(50)) set_low(gpr[RCX], random_.below(3), 32);
        break;
    default: break;
    }
    // Near branches through registers and memory, mostly to code.
    const bool near_branch = category == ZYDIS_CATEGORY_UNCOND_BR ||
                             category == ZYDIS_CATEGORY_CALL;
    if (near_branch && instruction.decoded.meta.branch_type != ZYDIS_BRANCH_TYPE_FAR) {
        const std::uint64_t place = landing(test.before.selectors[CS]);
        if (aimed_)
            plant(test, aimed_, place, first.size / 8);
        else if (first.type == ZYDIS_OPERAND_TYPE_REGISTER)
            set_low(*register_of(test, first.reg.value), place, first.size);
    }
    if (first.type == ZYDIS_OPERAND_TYPE_POINTER) {
        // ptr16:16 and ptr16:32 are the last bytes of the instruction.
        const std::uint16_t chosen = random_.percent(80) ? selector::code32 : any_selector();
        const std::uint16_t segment = safe_target(instruction, chosen);
        const unsigned width = instruction.decoded.operand_width / 8;
        const unsigned end = instruction.decoded.length;
        const std::uint64_t offset = landing(segment);
        for (unsigned i = 0; i < width; ++i)
            test.bytes[end - 2 - width + i] = static_cast<std::uint8_t>(offset >> 8 * i);
        test.bytes[end - 2] = static_cast<std::uint8_t>(segment);
        test.bytes[end - 1] = static_cast<std::uint8_t>(segment >> 8);
    }
}

}  // namespace backplane::oracle
