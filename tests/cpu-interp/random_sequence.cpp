#include "random_sequence.h"

#include "support/followed_processor.h"

#include <cstdlib>

namespace backplane::interp::testing {
namespace {

using namespace x86::rflags;
using x86::testing::general, x86::testing::imm, x86::testing::mem, x86::testing::reg;

// By condition: what Jcc, SETcc and CMOVcc read.
constexpr std::uint64_t condition_reads[] = {of, cf, zf, cf | zf, sf, pf, sf | of, zf | sf | of};

}  // namespace

RandomSequence::RandomSequence(const SequencePlace& place, std::uint64_t seed,
                               unsigned instructions)
    : place_{place}, random_{seed} {
    for (unsigned i = 0; i < 16; ++i) {
        if (i >= 8) emit_bytes({0x44});
        emit_bytes({0x0f, 0x10, 0x04 | (i & 7) << 3, 0x25});  // movups xmm, [abs]
        emit32(place.data + SequencePlace::vectors + 16 * i);
    }
    emit_bytes({0x0f, 0xae, 0x14, 0x25});  // ldmxcsr
    emit32(place.data + SequencePlace::mxcsr);

    while (instructions_ < instructions)
        item();
    for (Jump& jump : jumps_)
        jump.items_left = 0;
    settle_jumps();

    for (unsigned i = 0; i < 16; ++i) {
        if (i >= 8) emit_bytes({0x44});
        emit_bytes({0x0f, 0x11, 0x04 | (i & 7) << 3, 0x25});
        emit32(place.data + SequencePlace::vectors_after + 16 * i);
    }
    emit_bytes({0x0f, 0xae, 0x1c, 0x25});  // stmxcsr
    emit32(place.data + SequencePlace::mxcsr_after);
    emit_bytes({0x0f, 0xae, 0x14, 0x25});
    emit32(place.data + SequencePlace::mxcsr_default);
}

void RandomSequence::emit_bytes(std::initializer_list<unsigned> bytes) {
    for (const unsigned byte : bytes)
        code_.push_back(static_cast<std::uint8_t>(byte));
}

void RandomSequence::emit32(std::uint64_t value) {
    for (unsigned i = 0; i < 4; ++i)
        code_.push_back(static_cast<std::uint8_t>(value >> 8 * i));
}

// False: there is no such form, or it would read flags that are undefined.
bool RandomSequence::emit(ZydisMnemonic mnemonic, const Operands& operands, FlagUse flags) {
    if (flags.reads & undefined_) return false;
    std::vector<std::uint8_t> bytes = x86::testing::encode(mnemonic, operands);
    if (bytes.empty()) return false;
    for (ZydisEncoderOperand operand : operands) {
        if (operand.type != ZYDIS_OPERAND_TYPE_MEMORY || operand.mem.base != ZYDIS_REGISTER_RIP)
            continue;
        // So far the displacement holds the address itself.
        Operands relative = operands;
        for (ZydisEncoderOperand& candidate : relative)
            if (candidate.type == ZYDIS_OPERAND_TYPE_MEMORY)
                candidate.mem.displacement -= static_cast<std::int64_t>(place_.code + code_.size() +
                                                                        bytes.size());
        bytes = x86::testing::encode(mnemonic, relative);
        if (bytes.empty()) return false;
    }
    code_.insert(code_.end(), bytes.begin(), bytes.end());
    undefined_ &= ~flags.defines;
    if (!x86::testing::is_followed_processor()) undefined_ |= flags.undefined;
    ++instructions_;
    return true;
}

// ---- Operands ----

unsigned RandomSequence::free_register() {
    return one_of({0u, 1u, 2u, 3u, 6u, 7u, 8u, 9u, 10u, 11u, 15u});
}

ZydisEncoderOperand RandomSequence::register_of(unsigned width) {
    if (width == 8 && chance(25))
        return reg(
            one_of({ZYDIS_REGISTER_AH, ZYDIS_REGISTER_CH, ZYDIS_REGISTER_DH, ZYDIS_REGISTER_BH}));
    return reg(general(free_register(), width));
}

ZydisEncoderOperand RandomSequence::vector() {
    return reg(static_cast<ZydisRegister>(ZYDIS_REGISTER_XMM0 + pick(16)));
}

ZydisEncoderOperand RandomSequence::memory(unsigned width) {
    const auto bytes = static_cast<std::uint16_t>(width / 8);
    const std::uint64_t absolute = place_.data + SequencePlace::first + 128 + pick(0x1000);
    if (chance(10))
        return mem({.base = ZYDIS_REGISTER_RIP,
                    .displacement = static_cast<std::int64_t>(absolute),
                    .bytes = bytes});
    if (chance(5))
        return mem({.displacement = static_cast<std::int64_t>(absolute), .bytes = bytes});
    const bool narrow = chance(5);
    const unsigned width_of_address = narrow ? 32 : 64;
    x86::testing::MemoryOperand operand{.base = general(one_of({12u, 13u, 5u}), width_of_address),
                                        .bytes = bytes};
    if (chance(40)) {
        operand.index = general(14, width_of_address);
        operand.scale = static_cast<std::uint8_t>(1u << pick(4));
    }
    const int displacement = static_cast<int>(pick(chance(50) ? 0x80 : 0x700)) - 0x40;
    operand.displacement = chance(15) ? 0 : displacement;
    return mem(operand);
}

ZydisEncoderOperand RandomSequence::aligned_memory(unsigned width) {
    return mem({.base = one_of({ZYDIS_REGISTER_R12, ZYDIS_REGISTER_R13, ZYDIS_REGISTER_RBP}),
                .displacement = static_cast<std::int64_t>(pick(32)) * 16,
                .bytes = static_cast<std::uint16_t>(width / 8)});
}

ZydisEncoderOperand RandomSequence::immediate(unsigned width) {
    const auto value = static_cast<std::int64_t>(random_());
    if (chance(40)) return imm(static_cast<std::int8_t>(value));
    if (width == 8) return imm(static_cast<std::int8_t>(value));
    if (width == 16) return imm(static_cast<std::int16_t>(value));
    return imm(static_cast<std::int32_t>(value));
}

// ---- Instructions ----

void RandomSequence::item() {
    const unsigned kind = pick(100);
    const std::size_t before = code_.size();
    if (kind < 26)
        arithmetic();
    else if (kind < 31)
        one_operand();
    else if (kind < 37)
        shift();
    else if (kind < 40)
        multiply();
    else if (kind < 52)
        moves();
    else if (kind < 55)
        bits();
    else if (kind < 60)
        conditional();
    else if (kind < 68)
        jump();
    else if (kind < 73)
        stack();
    else if (kind < 74)
        string();
    else if (kind < 76)
        loop();
    else if (kind < 86)
        vector_integer();
    else if (kind < 95)
        vector_float();
    else
        convert();
    if (code_.size() != before) settle_jumps();
}

void RandomSequence::arithmetic() {
    const unsigned width = one_of({8u, 16u, 32u, 32u, 64u, 64u});
    const auto mnemonic = one_of({ZYDIS_MNEMONIC_ADD, ZYDIS_MNEMONIC_OR, ZYDIS_MNEMONIC_ADC,
                                  ZYDIS_MNEMONIC_SBB, ZYDIS_MNEMONIC_AND, ZYDIS_MNEMONIC_SUB,
                                  ZYDIS_MNEMONIC_XOR, ZYDIS_MNEMONIC_CMP, ZYDIS_MNEMONIC_CMP,
                                  ZYDIS_MNEMONIC_TEST, ZYDIS_MNEMONIC_TEST, ZYDIS_MNEMONIC_XADD,
                                  ZYDIS_MNEMONIC_CMPXCHG});
    const bool logic = mnemonic == ZYDIS_MNEMONIC_AND || mnemonic == ZYDIS_MNEMONIC_OR ||
                       mnemonic == ZYDIS_MNEMONIC_XOR || mnemonic == ZYDIS_MNEMONIC_TEST;
    const bool carries = mnemonic == ZYDIS_MNEMONIC_ADC || mnemonic == ZYDIS_MNEMONIC_SBB;
    const FlagUse flags{
        .reads = carries ? cf : 0, .undefined = logic ? af : 0, .defines = x86::rflags::arithmetic};
    const bool exchanges = mnemonic == ZYDIS_MNEMONIC_XADD || mnemonic == ZYDIS_MNEMONIC_CMPXCHG;
    const ZydisEncoderOperand first = any(width);
    const bool first_is_memory = first.type == ZYDIS_OPERAND_TYPE_MEMORY;
    ZydisEncoderOperand second = register_of(width);
    if (!exchanges && chance(40))
        second = immediate(width);
    else if (!exchanges && !first_is_memory && chance(40) && mnemonic != ZYDIS_MNEMONIC_TEST)
        second = memory(width);
    emit(mnemonic, {first, second}, flags);
}

void RandomSequence::one_operand() {
    const unsigned width = one_of({8u, 16u, 32u, 64u});
    const std::uint64_t all = x86::rflags::arithmetic;
    switch (pick(6)) {
    case 0: emit(ZYDIS_MNEMONIC_INC, {any(width)}, {.defines = all & ~cf}); break;
    case 1: emit(ZYDIS_MNEMONIC_DEC, {any(width)}, {.defines = all & ~cf}); break;
    case 2: emit(ZYDIS_MNEMONIC_NEG, {any(width)}, {.defines = all}); break;
    case 3: emit(ZYDIS_MNEMONIC_NOT, {any(width)}); break;
    case 4: emit(one_of({ZYDIS_MNEMONIC_CLC, ZYDIS_MNEMONIC_STC}), {}, {.defines = cf}); break;
    case 5: emit(ZYDIS_MNEMONIC_CMC, {}, {.reads = cf}); break;
    }
}

void RandomSequence::shift() {
    const unsigned width = one_of({8u, 16u, 32u, 64u});
    const std::uint64_t all = x86::rflags::arithmetic;
    if (width != 8 && chance(20)) {
        const unsigned count = 1 + pick(width - 1);
        emit(one_of({ZYDIS_MNEMONIC_SHLD, ZYDIS_MNEMONIC_SHRD}),
             {any(width), register_of(width), imm(static_cast<std::int64_t>(count))},
             {.undefined = af | (count > 1 ? of : 0), .defines = all & ~af});
        return;
    }
    const bool rotates = chance(50);
    const auto mnemonic = rotates ? one_of({ZYDIS_MNEMONIC_ROL, ZYDIS_MNEMONIC_ROR,
                                            ZYDIS_MNEMONIC_RCL, ZYDIS_MNEMONIC_RCR})
                                  : one_of({ZYDIS_MNEMONIC_SHL, ZYDIS_MNEMONIC_SHR,
                                            ZYDIS_MNEMONIC_SAR});
    const bool through_carry = mnemonic == ZYDIS_MNEMONIC_RCL || mnemonic == ZYDIS_MNEMONIC_RCR;
    FlagUse flags{.reads = through_carry ? cf : 0};
    if (chance(25)) {
        flags.undefined = of | (rotates ? 0 : af | cf);
        emit(mnemonic, {any(width), reg(ZYDIS_REGISTER_CL)}, flags);
        return;
    }
    const unsigned count = chance(40) ? 1 : 1 + pick(width - 1);
    flags.undefined = (count > 1 ? of : 0) | (rotates ? 0 : af);
    if (count == 1) flags.defines = of;
    flags.defines |= rotates ? cf : all & ~(af | of);
    emit(mnemonic, {any(width), imm(static_cast<std::int64_t>(count))}, flags);
}

void RandomSequence::multiply() {
    const FlagUse flags{.undefined = sf | zf | af | pf, .defines = cf | of};
    const unsigned width = one_of({16u, 32u, 64u});
    switch (pick(3)) {
    case 0:
        emit(one_of({ZYDIS_MNEMONIC_MUL, ZYDIS_MNEMONIC_IMUL}), {any(chance(20) ? 8 : width)},
             flags);
        break;
    case 1: emit(ZYDIS_MNEMONIC_IMUL, {register_of(width), any(width)}, flags); break;
    case 2:
        emit(ZYDIS_MNEMONIC_IMUL, {register_of(width), any(width), immediate(width)}, flags);
        break;
    }
}

void RandomSequence::moves() {
    const unsigned width = one_of({8u, 16u, 32u, 32u, 64u, 64u});
    switch (pick(9)) {
    case 0: emit(ZYDIS_MNEMONIC_MOV, {any(width), register_of(width)}); break;
    case 1: emit(ZYDIS_MNEMONIC_MOV, {register_of(width), any(width)}); break;
    case 2: emit(ZYDIS_MNEMONIC_MOV, {any(width), immediate(width)}); break;
    case 3:  // locks the bus, so it should not cross a cache line
        emit(ZYDIS_MNEMONIC_XCHG,
             {chance(50) ? register_of(width) : aligned_memory(width), register_of(width)});
        break;
    case 4: emit(ZYDIS_MNEMONIC_LEA, {register_of(one_of({16u, 32u, 64u})), memory(64)}); break;
    case 5: {
        const unsigned from = one_of({8u, 16u});
        emit(one_of({ZYDIS_MNEMONIC_MOVZX, ZYDIS_MNEMONIC_MOVSX}),
             {register_of(from == 8 ? one_of({16u, 32u, 64u}) : one_of({32u, 64u})), any(from)});
        break;
    }
    case 6: emit(ZYDIS_MNEMONIC_MOVSXD, {register_of(64), any(32)}); break;
    case 7: emit(ZYDIS_MNEMONIC_BSWAP, {register_of(one_of({32u, 64u}))}); break;
    case 8:
        emit(one_of({ZYDIS_MNEMONIC_CBW, ZYDIS_MNEMONIC_CWDE, ZYDIS_MNEMONIC_CDQE,
                     ZYDIS_MNEMONIC_CWD, ZYDIS_MNEMONIC_CDQ, ZYDIS_MNEMONIC_CQO}),
             {});
        break;
    }
}

void RandomSequence::bits() {
    const unsigned width = one_of({16u, 32u, 64u});
    const FlagUse flags{.undefined = of | sf | af | pf, .defines = cf};
    const auto mnemonic = one_of(
        {ZYDIS_MNEMONIC_BT, ZYDIS_MNEMONIC_BTS, ZYDIS_MNEMONIC_BTR, ZYDIS_MNEMONIC_BTC});
    if (chance(50))
        emit(mnemonic, {any(width), imm(static_cast<std::int64_t>(pick(width)))}, flags);
    else
        emit(mnemonic, {register_of(width), register_of(width)}, flags);
    if (chance(70)) return;
    // A source that is not zero: for zero the destination is undefined.
    const ZydisEncoderOperand source = register_of(width);
    emit(ZYDIS_MNEMONIC_OR, {source, imm(64)},
         {.undefined = af, .defines = x86::rflags::arithmetic});
    emit(one_of({ZYDIS_MNEMONIC_BSF, ZYDIS_MNEMONIC_BSR}), {register_of(width), source},
         {.undefined = cf | of | sf | af | pf, .defines = zf});
}

void RandomSequence::conditional() {
    const unsigned condition = pick(16);
    if ((condition_reads[condition / 2] & undefined_) != 0) return;
    static constexpr ZydisMnemonic moves[] = {
        ZYDIS_MNEMONIC_CMOVO, ZYDIS_MNEMONIC_CMOVNO, ZYDIS_MNEMONIC_CMOVB,  ZYDIS_MNEMONIC_CMOVNB,
        ZYDIS_MNEMONIC_CMOVZ, ZYDIS_MNEMONIC_CMOVNZ, ZYDIS_MNEMONIC_CMOVBE, ZYDIS_MNEMONIC_CMOVNBE,
        ZYDIS_MNEMONIC_CMOVS, ZYDIS_MNEMONIC_CMOVNS, ZYDIS_MNEMONIC_CMOVP,  ZYDIS_MNEMONIC_CMOVNP,
        ZYDIS_MNEMONIC_CMOVL, ZYDIS_MNEMONIC_CMOVNL, ZYDIS_MNEMONIC_CMOVLE, ZYDIS_MNEMONIC_CMOVNLE};
    static constexpr ZydisMnemonic sets[] = {
        ZYDIS_MNEMONIC_SETO, ZYDIS_MNEMONIC_SETNO, ZYDIS_MNEMONIC_SETB,  ZYDIS_MNEMONIC_SETNB,
        ZYDIS_MNEMONIC_SETZ, ZYDIS_MNEMONIC_SETNZ, ZYDIS_MNEMONIC_SETBE, ZYDIS_MNEMONIC_SETNBE,
        ZYDIS_MNEMONIC_SETS, ZYDIS_MNEMONIC_SETNS, ZYDIS_MNEMONIC_SETP,  ZYDIS_MNEMONIC_SETNP,
        ZYDIS_MNEMONIC_SETL, ZYDIS_MNEMONIC_SETNL, ZYDIS_MNEMONIC_SETLE, ZYDIS_MNEMONIC_SETNLE};
    const unsigned width = one_of({16u, 32u, 64u});
    switch (pick(4)) {
    case 0: emit(sets[condition], {any(8)}); break;
    case 1: emit(ZYDIS_MNEMONIC_LAHF, {}, {.reads = x86::rflags::arithmetic & ~of}); break;
    case 2: emit(ZYDIS_MNEMONIC_SAHF, {}, {.defines = x86::rflags::arithmetic & ~of}); break;
    default: emit(moves[condition], {register_of(width), any(width)}); break;
    }
}

// Forward, over the next few items; often behind a comparison, as engines fuse those.
void RandomSequence::jump() {
    if (chance(70)) {
        const unsigned width = one_of({8u, 16u, 32u, 64u});
        const bool compares = chance(60);
        const ZydisEncoderOperand first = any(width);
        const ZydisEncoderOperand second = chance(50) ? immediate(width) : register_of(width);
        emit(compares ? ZYDIS_MNEMONIC_CMP : ZYDIS_MNEMONIC_TEST, {first, second},
             {.undefined = compares ? 0 : af, .defines = x86::rflags::arithmetic});
    }
    const unsigned condition = pick(16);
    const bool always = chance(5);
    if (!always && (condition_reads[condition / 2] & undefined_) != 0) return;
    const bool is_short = chance(40);
    if (always)
        emit_bytes({is_short ? 0xebu : 0xe9u});
    else if (is_short)
        emit_bytes({0x70 + condition});
    else
        emit_bytes({0x0f, 0x80 + condition});
    const unsigned bytes = is_short ? 1 : 4;
    for (unsigned i = 0; i < bytes; ++i)
        emit_bytes({0});
    ++instructions_;
    // This item is settled too.
    jumps_.push_back({code_.size(), bytes, (is_short ? 1u : 1 + pick(3)) + 1, undefined_});
}

void RandomSequence::settle_jumps() {
    std::erase_if(jumps_, [&](Jump& jump) {
        if (jump.items_left != 0 && --jump.items_left != 0) return false;
        const std::size_t distance = code_.size() - jump.behind;
        if (jump.bytes == 1 && distance > 127) std::abort();
        for (unsigned i = 0; i < jump.bytes; ++i)
            code_[jump.behind - jump.bytes + i] = static_cast<std::uint8_t>(distance >> 8 * i);
        undefined_ |= jump.undefined;
        return true;
    });
}

void RandomSequence::stack() {
    switch (pick(5)) {
    case 0: emit(ZYDIS_MNEMONIC_PUSH, {any(chance(20) ? 16 : 64)}); break;
    case 1: emit(ZYDIS_MNEMONIC_POP, {any(chance(20) ? 16 : 64)}); break;
    case 2: emit(ZYDIS_MNEMONIC_PUSH, {immediate(64)}); break;
    case 3:  // call over nothing;  pop
        emit_bytes({0xe8, 0, 0, 0, 0});
        ++instructions_;
        emit(ZYDIS_MNEMONIC_POP, {register_of(64)});
        break;
    case 4: emit(ZYDIS_MNEMONIC_PUSHFQ, {}, {.reads = x86::rflags::arithmetic}); break;
    }
}

// Short repeated ones, also overlapping.
void RandomSequence::string() {
    const auto at = [&](ZydisRegister base) {
        return mem({.base = base, .displacement = static_cast<std::int64_t>(pick(64)), .bytes = 8});
    };
    emit(ZYDIS_MNEMONIC_LEA, {reg(ZYDIS_REGISTER_RSI), at(ZYDIS_REGISTER_R12)});
    emit(ZYDIS_MNEMONIC_LEA,
         {reg(ZYDIS_REGISTER_RDI), at(chance(50) ? ZYDIS_REGISTER_R12 : ZYDIS_REGISTER_R13)});
    emit(ZYDIS_MNEMONIC_MOV, {reg(ZYDIS_REGISTER_ECX), imm(static_cast<std::int64_t>(pick(40)))});
    const unsigned sized = pick(2);
    switch (pick(4)) {
    case 0: emit_bytes({0xf3, 0xa4 + sized}); break;  // movs
    case 1: emit_bytes({0xf3, 0xaa + sized}); break;  // stos
    case 2: emit_bytes({0x48, 0xa4 + sized}); break;  // one movs
    case 3: emit_bytes({0xf3, 0x48, 0xab}); break;    // stosq
    }
    ++instructions_;
}

void RandomSequence::loop() {
    emit(ZYDIS_MNEMONIC_MOV,
         {reg(ZYDIS_REGISTER_ECX), imm(1 + static_cast<std::int64_t>(pick(4)))});
    const std::size_t start = code_.size();
    const auto target = [] { return reg(ZYDIS_REGISTER_RAX); };
    emit(ZYDIS_MNEMONIC_ADD, {target(), any(64)}, {.defines = x86::rflags::arithmetic});
    emit(ZYDIS_MNEMONIC_MOV, {memory(64), target()});
    if (chance(50)) {
        emit_bytes({0xe2});  // loop
    } else {
        emit(ZYDIS_MNEMONIC_DEC, {reg(ZYDIS_REGISTER_ECX)},
             {.defines = x86::rflags::arithmetic & ~cf});
        emit_bytes({0x75});  // jnz
    }
    emit_bytes({static_cast<unsigned>(start - code_.size() - 1) & 0xff});
    ++instructions_;
}

}  // namespace backplane::interp::testing
