// What the processor reads from the task-state segment: inner stacks, the interrupt stack table,
// I/O permissions, the interrupts that virtual-8086 mode keeps. The switch of tasks is in
// task_switch.h.
#pragma once

#include "x86/segmentation.h"

namespace backplane::x86 {

namespace tss64 {
// SDM 3A 8.7, figure 8-11.
constexpr unsigned rsp0 = 0x04, ist1 = 0x24;
}  // namespace tss64

namespace tss32 {
// SDM 3A 8.2.1, figure 8-2.
constexpr unsigned cr3 = 0x1c, trap = 0x64, map_pointer = 0x66;
}  // namespace tss32

// Where a task's registers are kept, each `width` bytes from the next (SDM 3A figures 8-2 and
// 8-10).
struct TaskLayout {
    std::uint8_t width, ip, flags, registers, segments, segment_count, ldt, last_byte;
};
inline constexpr TaskLayout task_layout32{4, 0x20, 0x24, 0x28, 0x48, 6, 0x60, 0x67};
inline constexpr TaskLayout task_layout16{2, 0x0e, 0x10, 0x12, 0x22, 4, 0x2a, 0x2b};

// By the type in the attributes of a TSS descriptor or of TR.
inline const TaskLayout& task_layout(std::uint16_t attributes) {
    return (attributes & 8) ? task_layout32 : task_layout16;
}

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

// Whether the current task is one whose TSS can have an I/O map: not the 16-bit kind.
inline bool task_has_maps(const CpuState& state) {
    const auto type = static_cast<SystemType>(state.tr.attributes & attribute::type);
    const bool wide = type == SystemType::TssAvailable || type == SystemType::TssBusy;
    return (state.tr.attributes & attribute::present) && wide &&
           state.tr.limit >= tss32::map_pointer + 1;
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
    if (!task_has_maps(state)) return refuse();
    const auto map = m.template load_system<std::uint16_t>(tr.base + tss32::map_pointer);
    if (!map) return false;
    // Two bytes are always read, so the limit must cover both.
    const std::uint32_t offset = *map + port / 8u;
    if (offset + 1 > tr.limit) return refuse();
    const auto bits = m.template load_system<std::uint16_t>(tr.base + offset);
    if (!bits) return false;
    if ((*bits >> (port & 7)) & ((1u << bytes) - 1)) return refuse();
    return true;
}

// CR4.VME: whether INT `vector` of virtual-8086 mode goes to the program's own handler. The map of
// 32 bytes ends where the I/O map begins; a clear bit redirects (SDM 3A 20.3). Empty: #GP(0) or a
// page fault was raised.
template <class M>
[[gnu::noinline]] std::optional<bool> redirects_interrupt(M& m, std::uint8_t vector) {
    const CpuState& state = m.state();
    const auto refuse = [&] {
        m.raise(general_protection());
        return std::nullopt;
    };
    if (!task_has_maps(state)) return refuse();
    const auto map = m.template load_system<std::uint16_t>(state.tr.base + tss32::map_pointer);
    if (!map) return {};
    const std::uint32_t offset = *map - 32u + vector / 8u;
    if (offset > state.tr.limit) return refuse();
    const auto bits = m.template load_system<std::uint8_t>(state.tr.base + offset);
    if (!bits) return {};
    return !(*bits >> (vector & 7) & 1);
}

}  // namespace backplane::x86
