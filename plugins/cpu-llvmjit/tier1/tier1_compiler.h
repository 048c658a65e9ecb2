// Tier 1: makes machine code of single blocks, and chains it.
#pragma once

#include "interp/compiler.h"
#include "interp/interpreter.h"
#include "tier1/assembler.h"
#include "tier1/code_arena.h"
#include "tier1/native_block.h"
#include "x86/cpu_model.h"
#include "x86/decoder.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>

namespace backplane::jit {

// Where the code that leaves a block jumps to, within reach of all blocks.
enum class Way : std::uint8_t {
    Enter,
    Resume,
    Leave,
    LeaveForBudget,
    LeaveByEdge,
    LeaveToBlock,
    LoadXmm,
    LoadYmm,
    LoadX87,
    RefillRead,
    RefillWrite,
    Count,
};

class Tier1Compiler final : public interp::Compiler {
public:
    Tier1Compiler(const x86::CpuModel& model, CodeArena arena);

    void attach(interp::Interpreter& cpu) override;
    void compile(interp::Block& block) override;
    void created(interp::Block& block) override;
    void dropped(interp::Block& block) override;
    void release() override;
    bool is_full() const override {
        return first_cold_ - hot_ < largest_block || arena_.size() - cold_ < largest_block;
    }

    // [vcpu] Execution went on in `target` by this edge.
    void chain(const Edge& edge, interp::Block& target);

private:
    // More than any block of 64 instructions becomes.
    static constexpr std::size_t largest_block = std::size_t{64} << 10;

    void make_ways();
    void patch(std::uint32_t displacement, std::uint32_t target);

    const x86::CpuModel& model_;
    x86::Decoder decoder_;
    CodeArena arena_;
    std::array<std::uint32_t, static_cast<std::size_t>(Way::Count)> ways_{};
    // What is executed often is apart from what is not, so that it needs less of the caches.
    Place first_hot_ = 0, first_cold_ = 0, hot_ = 0, cold_ = 0;
    interp::Interpreter* cpu_ = nullptr;
    std::deque<NativeBlock> blocks_;
};

}  // namespace backplane::jit
