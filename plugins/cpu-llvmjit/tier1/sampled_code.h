// What is where in the code of blocks that samples were met in: asked for again and again, so that
// it is kept.
#pragma once

#include "interp/compiler.h"
#include "tier1/assembler.h"
#include "tier1/code_map.h"
#include "tier1/native_block.h"

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace backplane::jit {

class Tier1Compiler;

// [vcpu, between slices] all of it.
class SampledCode {
public:
    // This place is one of the block's, which is valid.
    interp::CompiledPlace find(Tier1Compiler& tier1, const NativeBlock& native, Place place,
                               const interp::HostRegisters& host);
    // Code is gone, and its memory will be used anew.
    void forget() { known_.clear(); }

private:
    struct Known {
        CodeMap map;
        std::vector<std::uint32_t> offsets;  // of instructions, from the block's first byte
    };

    const Known& look_up(Tier1Compiler& tier1, const NativeBlock& native);

    std::unordered_map<Place, Known> known_;  // by where the block's code begins
};

}  // namespace backplane::jit
