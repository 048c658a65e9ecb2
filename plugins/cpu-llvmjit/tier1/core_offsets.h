// Where compiled code finds what it needs of Core.
#pragma once

#include "interp/core.h"
#include "tier1/registers.h"

#include <cstddef>
#include <cstdint>

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Winvalid-offsetof"

namespace backplane::jit::offset_of {

using interp::Core;

static_assert(offsetof(Core, state) == 0);
constexpr std::size_t budget = offsetof(Core, budget), jump_key = offsetof(Core, jump_key),
                      link_key = offsetof(Core, link_key), jump_cache = offsetof(Core, jump_cache),
                      page_ip = offsetof(Core, compiled) + offsetof(Core::Compiled, page_ip),
                      page_key = offsetof(Core, compiled) + offsetof(Core::Compiled, page_key),
                      target_ip = offsetof(Core, compiled) + offsetof(Core::Compiled, target_ip),
                      kept = offsetof(Core, compiled) + offsetof(Core::Compiled, kept),
                      stack_host = offsetof(Core, compiled) + offsetof(Core::Compiled, stack_host),
                      interrupt_request = offsetof(Core, compiled) +
                                          offsetof(Core::Compiled, interrupt_request),
                      rep_iterations = offsetof(Core, rep_iterations),
                      rflags = offsetof(x86::CpuState, rflags),
                      kernel_gs_base = offsetof(x86::CpuState, kernel_gs_base),
                      cr0 = offsetof(x86::CpuState, cr0), cr2 = offsetof(x86::CpuState, cr2),
                      cr3 = offsetof(x86::CpuState, cr3), cr4 = offsetof(x86::CpuState, cr4),
                      vectors = offsetof(Core, compiled) + offsetof(Core::Compiled, vectors),
                      x87 = offsetof(Core, compiled) + offsetof(Core::Compiled, x87),
                      x87_opcode = offsetof(Core, compiled) + offsetof(Core::Compiled, x87_opcode),
                      x87_segment = offsetof(Core, compiled) +
                                    offsetof(Core::Compiled, x87_segment),
                      x87_last_instruction = offsetof(x86::CpuState, x87) +
                                             offsetof(x86::X87State, last_instruction),
                      x87_last_data = offsetof(x86::CpuState, x87) +
                                      offsetof(x86::X87State, last_data),
                      ignore_numeric_error = offsetof(x86::CpuState, ignore_numeric_error);
constexpr std::size_t jump_cache_tag = jump_cache + offsetof(interp::JumpCacheEntry, tag),
                      jump_cache_entry = jump_cache + offsetof(interp::JumpCacheEntry, entry),
                      jump_cache_page_ip = jump_cache + offsetof(interp::JumpCacheEntry, page_ip);

constexpr std::size_t tlb_of(interp::View view) {
    return offsetof(Core, tlb) + static_cast<std::size_t>(view) * sizeof(x86::FastTlb) +
           offsetof(x86::FastTlb, pages);
}

// From there.
constexpr std::size_t read_tags = offsetof(x86::FastPages, read_tags.of),
                      write_tags = offsetof(x86::FastPages, write_tags.of),
                      hosts = offsetof(x86::FastPages, hosts.of);
constexpr unsigned fast_scale = 3;  // of an index, as SIB has it

constexpr std::size_t recent_of(interp::View view) {
    return offsetof(Core, recent) + static_cast<std::size_t>(view) * sizeof(x86::RecentPages);
}
// From there, and from one to the next slot.
constexpr std::size_t recent_reads = offsetof(x86::RecentPages, read_tags.slot),
                      recent_writes = offsetof(x86::RecentPages, write_tags.slot),
                      recent_hosts = offsetof(x86::RecentPages, hosts.slot),
                      recent_slot = sizeof(std::uint64_t);
// As Core says.
static_assert(budget % 512 < 256 && page_ip % 512 < 256 && kept % 512 < 256 &&
              (recent_of(interp::View{}) + recent_reads) % 512 >= 256 &&
              recent_reads % 512 == 256 && recent_writes % 512 == 256 && recent_hosts % 512 == 256);

// Of FS and GS.
constexpr std::size_t is_unlimited(unsigned segment) {
    return offsetof(Core, compiled) + (segment == x86::FS
                                           ? offsetof(Core::Compiled, fs_is_unlimited)
                                           : offsetof(Core::Compiled, gs_is_unlimited));
}

constexpr std::size_t executions(unsigned counter) {
    constexpr std::size_t together = std::tuple_size_v<decltype(Core::Executions::counters)>;
    return offsetof(Core, hot_executions) + offsetof(Core::Executions, counters) +
           counter / together * sizeof(Core::Executions) +
           counter % together * sizeof(std::uint32_t);
}

constexpr std::size_t segment_base(unsigned segment) {
    return offsetof(x86::CpuState, segments) + segment * sizeof(x86::SegmentRegister) +
           offsetof(x86::SegmentRegister, base);
}

constexpr std::size_t selector(unsigned segment) {
    return offsetof(x86::CpuState, segments) + segment * sizeof(x86::SegmentRegister) +
           offsetof(x86::SegmentRegister, selector);
}

constexpr Operand operand(std::size_t offset) {
    return Operand::at(core, static_cast<std::int32_t>(offset));
}

// With an index, which is in bytes unless there is a scale.
constexpr Operand operand(std::size_t offset, Host index, unsigned scale = 0) {
    return Operand::at(core, index, scale, static_cast<std::int32_t>(offset));
}

}  // namespace backplane::jit::offset_of

#pragma clang diagnostic pop
