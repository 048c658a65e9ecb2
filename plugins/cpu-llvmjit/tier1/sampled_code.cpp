#include "tier1/sampled_code.h"

#include "tier1/registers.h"
#include "tier1/tier1_compiler.h"
#include "x86/cpu_state.h"

#include <cstddef>

namespace backplane::jit {

const SampledCode::Known& SampledCode::look_up(Tier1Compiler& tier1, const NativeBlock& native) {
    const auto [entry, is_new] = known_.try_emplace(native.start);
    Known& known = entry->second;
    if (!is_new) return known;
    known.map = tier1.map_of(native);
    std::uint32_t offset = 0;
    for (const x86::Instruction& instruction : tier1.decode(*native.block)) {
        known.offsets.push_back(offset);
        offset += instruction.decoded.length;
    }
    known.offsets.push_back(offset);
    return known;
}

interp::CompiledPlace SampledCode::find(Tier1Compiler& tier1, const NativeBlock& native,
                                        Place place, const interp::HostRegisters& host) {
    const Known& known = look_up(tier1, native);
    const CodePart& part = known.map.at(place);
    const bool is_hot = place >= native.start && place < native.end;
    const bool is_way_in = part.kind == CodePart::Kind::Resumption ||
                           (part.kind == CodePart::Kind::Entry && !is_hot);
    interp::CompiledPlace found{.tier = 1,
                                .block = native.block,
                                .offset = 0,
                                .stack_pointer = std::nullopt,
                                .frame_pointer = std::nullopt};
    if (part.instruction < known.offsets.size()) found.offset = known.offsets[part.instruction];
    // On the way in they are in CpuState still.
    if (is_way_in) return found;
    static_assert(is_pinned(x86::RSP) && is_pinned(x86::RBP));
    found.stack_pointer = host.general[host_of[x86::RSP]];
    found.frame_pointer = host.general[host_of[x86::RBP]];
    return found;
}

}  // namespace backplane::jit
