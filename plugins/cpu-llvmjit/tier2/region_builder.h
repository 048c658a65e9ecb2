// Chooses the blocks that are compiled together, and decodes them.
#pragma once

#include "interp/interpreter.h"
#include "tier2/covered_forms.h"
#include "tier2/region.h"
#include "x86/cpu_model.h"
#include "x86/decoder.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

namespace backplane::jit::tier2 {

struct RegionLimits {
    std::size_t instructions = 500;
    std::size_t nodes = 64;
    // A region without a loop is of no use, but to tests.
    bool loops_only = true;
};

class RegionBuilder {
public:
    RegionBuilder(const x86::CpuModel& model, const x86::Decoder& decoder);

    // [vcpu] The region that is entered at this block: what is reached from it within the page by
    // direct branches, and leads back to it. Blocks that `is_hot` refuses are left out. Empty:
    // nothing is gained.
    using IsHot = std::function<bool(const interp::Block&)>;
    std::optional<Region> build(interp::Interpreter& cpu, interp::Block& entry,
                                const RegionLimits& limits, const IsHot& is_hot) const;

    static bool can_contain(const interp::Block& block);

private:
    RegionNode decode(const interp::Block& block, std::span<const std::byte> bytes) const;
    RegionInstruction bind(const x86::Instruction& instruction) const;

    const x86::CpuModel& model_;
    const x86::Decoder& decoder_;
    CoveredForms forms_;
};

}  // namespace backplane::jit::tier2
