// One predecoded instruction: everything its semantic needs, in 32 bytes.
#pragma once

#include <cstdint>

namespace backplane::x86 {

// Register operands and the parts of an address are byte offsets into CpuState (its first 256
// bytes), so reading one is a single indexed load: RAX is 0, AH is 1, RCX is 8, "no index" is
// CpuState::zero, RIP-relative is CpuState::block_ip with the distance from the block's start
// folded into the displacement. Vector, x87, MMX, segment, control and debug registers are plain
// indices.
struct Op {
    const void* handler = nullptr;  // engine's own; null in tiers that do not dispatch through ops
    // Register operands go by role, not by ModRM field: forms/shapes.h.
    std::uint8_t reg = 0;  // the first register operand, or the register beside a memory operand
    std::uint8_t rm = 0;   // the second register operand
    std::uint8_t base = 0;
    std::uint8_t index = 0;
    std::uint8_t scale = 0;    // 0 to 3: the index is shifted by it
    std::uint8_t length = 0;   // of the instruction, in bytes
    std::uint16_t offset = 0;  // of the instruction from CpuState::block_ip, in bytes
    std::int32_t displacement = 0;
    std::uint32_t extra = 0;      // fused or third operand, per semantic
    std::uint64_t immediate = 0;  // sign-extended; branches: target relative to block_ip
};
static_assert(sizeof(Op) == 32);

}  // namespace backplane::x86
