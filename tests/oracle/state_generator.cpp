#include "state_generator.h"

#include "case_address.h"

#include <cstring>

namespace backplane::oracle {
namespace {

using namespace x86;

bool is_rep(const Instruction& instruction) {
    return instruction.has(ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE);
}

// Gathers are stopped by TF at each element, like REP.
bool is_gather(const Instruction& instruction) {
    const auto* memory = instruction.memory_operand();
    return memory && memory->mem.type == ZYDIS_MEMOP_TYPE_VSIB;
}

// What stores TF, puts its trap off, or is stopped by it at each element.
bool dislikes_single_step(const Instruction& instruction) {
    switch (instruction.mnemonic()) {
    case ZYDIS_MNEMONIC_PUSHF:
    case ZYDIS_MNEMONIC_PUSHFD:
    case ZYDIS_MNEMONIC_PUSHFQ: return true;
    case ZYDIS_MNEMONIC_MOV:
        return instruction.operands[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
               instruction.operands[0].reg.value == ZYDIS_REGISTER_SS;
    case ZYDIS_MNEMONIC_POP:
        return instruction.operands[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
               instruction.operands[0].reg.value == ZYDIS_REGISTER_SS;
    case ZYDIS_MNEMONIC_LSS: return true;
    default: return is_rep(instruction) || is_gather(instruction);
    }
}

}  // namespace

StateGenerator::StateGenerator(std::uint64_t seed) : random_{seed ^ 0x5eed}, floats_{seed} {}

std::uint64_t StateGenerator::choose_ip(CodeSize size) {
    std::uint64_t offset = 0x800 + random_.below(16);
    if (random_.percent(4)) offset = page_bytes - random_.below(16);
    return size == CodeSize::Bits16 ? offset : code_address + offset;
}

std::uint64_t StateGenerator::value() {
    static constexpr std::uint64_t corners[] = {0,
                                                1,
                                                2,
                                                9,
                                                0xf,
                                                0x10,
                                                0x1f,
                                                0x20,
                                                0x3f,
                                                0x40,
                                                0x7f,
                                                0x80,
                                                0x99,
                                                0xff,
                                                0x100,
                                                0x7fff,
                                                0x8000,
                                                0xffff,
                                                0x10000,
                                                0x7fffffff,
                                                0x80000000,
                                                0xffffffff,
                                                0x100000000,
                                                0x7fffffffffffffff,
                                                0x8000000000000000,
                                                ~0ull,
                                                ~0ull - 1};
    const std::uint64_t choice = random_.next();
    if (choice & 1) return random_.one_of(corners);
    return choice & 2 ? random_.next() : random_.next() >> (choice >> 8 & 63);
}

// A linear address for an operand of so many bytes.
std::uint64_t StateGenerator::target(unsigned bytes) {
    const std::uint64_t choice = random_.below(100);
    const std::uint64_t end = data_address + data_bytes;
    if (choice < 60) return data_address + 0x100 + random_.below(0x1c00) / 64 * 64;
    if (choice < 84) return data_address + 0x100 + random_.below(0x1c00);
    if (choice < 91) return data_address + page_bytes - 1 - random_.below(bytes + 1);
    if (choice < 94) return end - random_.below(bytes + 8);  // into the read-only page
    if (choice < 96) return data_address + random_.below(8) - 4;
    if (choice < 98) return end + page_bytes - random_.below(bytes + 8);
    if (choice < 99) return code_address + random_.below(code_bytes);
    return value();
}

std::uint64_t StateGenerator::offset_of(const Case& test, SegmentIndex segment,
                                        std::uint64_t linear) {
    return linear - base_of(test, segment);
}

std::uint16_t StateGenerator::any_selector() {
    static constexpr std::uint16_t likely[] = {0,
                                               selector::code32,
                                               selector::code64,
                                               selector::data,
                                               selector::code16,
                                               selector::data16,
                                               selector::based,
                                               selector::downward,
                                               selector::read_only,
                                               selector::absent,
                                               selector::execute_only};
    const std::uint64_t choice = random_.below(10);
    if (choice == 0) return static_cast<std::uint16_t>(random_.below(0x60));
    const std::uint16_t selector = random_.one_of(likely);
    if (choice == 1) return static_cast<std::uint16_t>(selector ^ random_.below(4));
    return selector;
}

void StateGenerator::choose_segments(Case& test) {
    auto& selectors = test.before.selectors;
    test.before.fs_base = test.before.gs_base = 0;
    switch (test.code_size) {
    case CodeSize::Bits64:
        selectors = {0, selector::code64, selector::data, 0, 0, 0};
        test.before.fs_base = random_.percent(50) ? random_.next() >> 33 : random_.next() >> 18;
        test.before.gs_base = data_address - random_.below(0x1000);
        break;
    case CodeSize::Bits32:
        selectors = {selector::data, selector::code32, selector::data,
                     selector::data, selector::based,  selector::downward};
        break;
    case CodeSize::Bits16:
        selectors = {selector::data16, selector::code16, selector::data16,
                     selector::data16, selector::based,  selector::downward};
        break;
    }
    if (test.code_size == CodeSize::Bits64 || !random_.percent(6)) return;
    static constexpr std::uint16_t others[] = {0, selector::based, selector::downward,
                                               selector::read_only};
    selectors[random_.percent(50) ? DS : ES] = random_.one_of(others);
}

void StateGenerator::choose_registers(Case& test) {
    for (auto& place : test.before.gpr)
        place = value();
    const auto pointer = [&](unsigned gpr, SegmentIndex segment, unsigned bytes) {
        if (random_.percent(92)) test.before.gpr[gpr] = offset_of(test, segment, target(bytes));
    };
    pointer(RSP, SS, 32);
    pointer(RBP, SS, 32);
    pointer(RSI, DS, 8);
    pointer(RDI, ES, 16);
    pointer(RBX, DS, 256);
    if (test.code_size == CodeSize::Bits16)
        test.before.gpr[RSP] &= 0xffff;
    else if (test.code_size == CodeSize::Bits32)
        for (auto& place : test.before.gpr)
            place &= 0xffffffff;
    using namespace rflags;
    test.before.rflags = 0x202 | (random_.next() & arithmetic);
    if (random_.percent(10)) test.before.rflags |= df;
    if (random_.percent(3)) test.before.rflags |= nt;
    if (random_.percent(3)) test.before.rflags |= id;
    if (random_.percent(3)) test.before.rflags |= ac;
}

void StateGenerator::choose_vectors(Case& test) {
    using Floats = testing::FpValues;
    const bool plain = random_.percent(40);
    const auto state = floats_.state(
        random_.percent(75) ? Floats::Masks::AllSet : Floats::Masks::Random,
        random_.percent(60) ? Floats::Tags::AllFull : Floats::Tags::Random);
    VectorState& vector = test.before.vector;
    std::memcpy(&vector, &state, 160 + 256);
    vector.mxcsr_mask = 0;
    if (plain) {
        vector.control = 0x037f;
        vector.mxcsr = 0x1f80;
    }
    for (auto& high : vector.ymm_high)
        high = {state.xmm[random_.below(16)][0], random_.next()};
}

// Most of it is the same for many cases; what the operand covers is new each time.
void StateGenerator::fill_memory(Case& test) {
    if (background_age_++ % 256 == 0)
        for (std::size_t i = 0; i < data_bytes; i += 16) {
            const auto words = floats_.vector();
            std::memcpy(&background_[i], words.data(), 16);
        }
    test.memory = background_;
}

void StateGenerator::prepare(const Instruction* instruction, Case& test) {
    test.engine_steps = false;
    choose_segments(test);
    choose_registers(test);
    choose_vectors(test);
    fill_memory(test);
    if (!instruction) return;
    aim(*instruction, test);
    adjust(*instruction, test);
    test.single_step = !dislikes_single_step(*instruction);
    test.engine_steps = test.single_step && random_.percent(10);
}

}  // namespace backplane::oracle
