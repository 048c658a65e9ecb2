// What the processor reads from the task-state segment: inner stacks, the interrupt stack table,
// I/O permissions.
//
// FIXME: no hardware task switches yet; a task gate or a TSS selector as a far target raises
// #GP(selector).
#pragma once

#include "x86/segmentation.h"

namespace backplane::x86 {

namespace tss64 {
// SDM 3A 8.7, figure 8-11.
constexpr unsigned rsp0 = 0x04, ist1 = 0x24;
}  // namespace tss64

// A stack pointer of the 64-bit TSS, at `offset`. Beyond the limit: #TS(TR + EXT).
template <class M>
[[gnu::noinline]] std::optional<std::uint64_t> task_stack64(M& m, unsigned offset,
                                                            std::uint32_t external) {
    const SegmentRegister& tr = m.state().tr;
    if (offset + 7 > tr.limit) {
        m.raise(selector_fault(Vector::InvalidTss, {tr.selector}, external));
        return {};
    }
    return m.template load_system<std::uint64_t>(tr.base + offset);
}

struct FarStackPointer {
    Selector selector;
    std::uint32_t offset = 0;
};

// SS:ESP (or SS:SP) for an inner privilege level from a 32-bit (or 16-bit) TSS (SDM 3A 8.2.1, 8.6).
template <class M>
[[gnu::noinline]] std::optional<FarStackPointer> task_stack32(M& m, unsigned cpl,
                                                              std::uint32_t external) {
    const SegmentRegister& tr = m.state().tr;
    const bool wide = (tr.attributes & 8) != 0;
    const unsigned offset = wide ? 4 + 8 * cpl : 2 + 4 * cpl;
    if (offset + (wide ? 5 : 3) > tr.limit) {
        m.raise(selector_fault(Vector::InvalidTss, {tr.selector}, external));
        return {};
    }
    FarStackPointer stack;
    if (wide) {
        const auto pointer = m.template load_system<std::uint32_t>(tr.base + offset);
        if (!pointer) return {};
        stack.offset = *pointer;
    } else {
        const auto pointer = m.template load_system<std::uint16_t>(tr.base + offset);
        if (!pointer) return {};
        stack.offset = *pointer;
    }
    const auto selector = m.template load_system<std::uint16_t>(tr.base + offset + (wide ? 4 : 2));
    if (!selector) return {};
    stack.selector = {*selector};
    return stack;
}

// Whether IN or OUT may touch `bytes` ports from `port` on (SDM 1 19.5). False: #GP(0) or a page
// fault was raised.
template <class M>
[[gnu::noinline]] bool may_access_ports(M& m, std::uint16_t port, unsigned bytes) {
    const CpuState& state = m.state();
    if (!state.protected_mode()) return true;
    const unsigned iopl = (state.rflags & rflags::iopl) >> 12;
    if (!(state.rflags & rflags::vm) && state.cpl <= iopl) return true;

    const auto refuse = [&] {
        m.raise(general_protection());
        return false;
    };
    const SegmentRegister& tr = state.tr;
    const auto type = static_cast<SystemType>(tr.attributes & attribute::type);
    const bool has_map = type == SystemType::TssAvailable || type == SystemType::TssBusy;
    constexpr unsigned map_pointer = 0x66;
    if (!(tr.attributes & attribute::present) || !has_map || tr.limit < map_pointer + 1)
        return refuse();
    const auto map = m.template load_system<std::uint16_t>(tr.base + map_pointer);
    if (!map) return false;
    // Two bytes are always read, so the limit must cover both.
    const std::uint32_t offset = *map + port / 8u;
    if (offset + 1 > tr.limit) return refuse();
    const auto bits = m.template load_system<std::uint16_t>(tr.base + offset);
    if (!bits) return false;
    if ((*bits >> (port & 7)) & ((1u << bytes) - 1)) return refuse();
    return true;
}

}  // namespace backplane::x86
