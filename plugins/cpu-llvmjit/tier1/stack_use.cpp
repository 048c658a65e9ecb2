#include "tier1/stack_use.h"

#include "tier1/operands.h"
#include "x86/cpu_state.h"

#include <algorithm>
#include <optional>

namespace backplane::jit {
namespace {

// More is often in two pages; and it has to fit a byte (recall_argument).
constexpr std::int32_t most_bytes = 248;
constexpr std::int32_t most_distance = 1 << 20;

struct Place {
    std::int32_t start, end;
    Access access;
};

// How far an instruction moves RSP; nothing, if it sets it to something else.
std::optional<std::int64_t> movement(const x86::Instruction& instruction) {
    const auto& decoded = instruction.decoded;
    const auto is_stack_pointer = [&](unsigned i) {
        return i < decoded.operand_count_visible &&
               instruction.operands[i].type == ZYDIS_OPERAND_TYPE_REGISTER &&
               instruction.operands[i].reg.value == ZYDIS_REGISTER_RSP;
    };
    const bool is_whole = decoded.operand_width == 64;
    const bool adds = instruction.mnemonic() == ZYDIS_MNEMONIC_ADD;
    switch (instruction.mnemonic()) {
    case ZYDIS_MNEMONIC_PUSH:
    case ZYDIS_MNEMONIC_PUSHFQ:
        if (is_whole) return -8;
        return std::nullopt;
    case ZYDIS_MNEMONIC_POP:
        if (is_whole && instruction.operands[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
            !is_stack_pointer(0))
            return 8;
        return std::nullopt;
    case ZYDIS_MNEMONIC_ADD:
    case ZYDIS_MNEMONIC_SUB:
        if (!is_stack_pointer(0)) break;
        if (instruction.operands[1].type != ZYDIS_OPERAND_TYPE_IMMEDIATE) return std::nullopt;
        return adds ? instruction.operands[1].imm.value.s : -instruction.operands[1].imm.value.s;
    case ZYDIS_MNEMONIC_LEA:
        if (!is_stack_pointer(0)) break;
        if (!StackUse::is_on_stack(instruction.operands[1]) || decoded.address_width != 64)
            return std::nullopt;
        return instruction.operands[1].mem.disp.has_displacement
                   ? instruction.operands[1].mem.disp.value
                   : 0;
    default: break;
    }
    const bool writes = (written_registers(instruction) >> x86::RSP & 1) != 0;
    return writes ? std::nullopt : std::optional<std::int64_t>{0};
}

}  // namespace

bool StackUse::is_on_stack(const ZydisDecodedOperand& operand) {
    const auto& mem = operand.mem;
    return operand.type == ZYDIS_OPERAND_TYPE_MEMORY && mem.base == ZYDIS_REGISTER_RSP &&
           (mem.index == ZYDIS_REGISTER_NONE || mem.scale == 0) &&
           mem.segment != ZYDIS_REGISTER_FS && mem.segment != ZYDIS_REGISTER_GS;
}

StackUse StackUse::of(std::span<const x86::Instruction> instructions) {
    StackUse use;
    std::int32_t pointer = 0;
    unsigned groups = 0, accesses = 0;
    Group now{};
    std::uint64_t members = 0;  // instructions, a bit each
    const auto close = [&] {
        if (accesses >= 2) {
            now.number = static_cast<std::uint8_t>(groups + 1);
            use.groups_[groups++] = now;
            for (unsigned i = 0; i < most; ++i)
                if (members >> i & 1) use.group_of_[i] = now.number;
        }
        accesses = 0;
        members = 0;
    };
    const auto add = [&](unsigned number, const Place& place) {
        const std::int32_t start = std::min(now.start, place.start),
                           end = std::max(now.end, place.end);
        const bool fits = accesses != 0 && end - start <= most_bytes &&
                          (place.access == Access::Read || now.access == Access::Write);
        if (fits) {
            now.start = start;
            now.end = end;
        } else {
            // An instruction belongs to one group.
            if (members >> number & 1) return;
            close();
            now = {.number = 0,
                   .access = place.access,
                   .last = 0,
                   .start = place.start,
                   .end = place.end};
        }
        now.last = static_cast<std::uint8_t>(number);
        ++accesses;
        members |= std::uint64_t{1} << number;
    };
    const auto count = static_cast<unsigned>(std::min(instructions.size(), most));
    for (unsigned number = 0; number < count; ++number) {
        const x86::Instruction& instruction = instructions[number];
        const auto& decoded = instruction.decoded;
        use.pointers_[number] = pointer;
        for (unsigned i = 0; i < decoded.operand_count_visible; ++i) {
            const ZydisDecodedOperand& operand = instruction.operands[i];
            if (!is_on_stack(operand) || operand.mem.type != ZYDIS_MEMOP_TYPE_MEM ||
                decoded.address_width != 64 || operand.size == 0 || operand.size > 256)
                continue;
            const std::int64_t displacement = operand.mem.disp.has_displacement
                                                  ? operand.mem.disp.value
                                                  : 0;
            if (displacement < -most_distance || displacement > most_distance) continue;
            const auto start = pointer + static_cast<std::int32_t>(displacement);
            const bool writes = (operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
            add(number, {start, start + operand.size / 8, writes ? Access::Write : Access::Read});
        }
        switch (instruction.mnemonic()) {
        case ZYDIS_MNEMONIC_PUSH:
        case ZYDIS_MNEMONIC_PUSHFQ:
        case ZYDIS_MNEMONIC_CALL: add(number, {pointer - 8, pointer, Access::Write}); break;
        case ZYDIS_MNEMONIC_POP:
        case ZYDIS_MNEMONIC_RET: add(number, {pointer, pointer + 8, Access::Read}); break;
        default: break;
        }
        const auto moved = movement(instruction);
        if (!moved || *moved < -most_distance || *moved > most_distance) {
            close();
            pointer = 0;
        } else {
            pointer += static_cast<std::int32_t>(*moved);
        }
    }
    use.pointers_[count] = pointer;
    close();
    return use;
}

}  // namespace backplane::jit
