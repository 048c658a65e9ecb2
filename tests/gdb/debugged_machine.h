// A machine of processors that only have what a debugger looks at: registers, memory, breakpoints.
#pragma once

#include "runtime/machine.h"

#include <backplane/sdk.h>

#include <array>
#include <atomic>
#include <cstring>
#include <string>
#include <vector>

namespace backplane::runtime::gdb {

// Executes nothing but its counter; a step goes on by one byte. Linear addresses are physical ones
// below 64 KiB, but for one page that is not mapped; the memory is the device beside it.
class DebuggedCpu : public Device {
public:
    static void declare(Declaration<DebuggedCpu>& d);

    std::uint32_t run(std::int64_t budget) {
        if (attention_.exchange(false)) return BACKPLANE_CPU_ATTENTION;
        if (!code_.empty()) {
            hit_ = code_.front();
            return BACKPLANE_CPU_BREAKPOINT;
        }
        instructions_ += static_cast<std::uint64_t>(budget);
        return BACKPLANE_CPU_BUDGET;
    }
    void request_attention() { attention_ = true; }
    std::uint64_t instructions() { return instructions_; }
    std::uint32_t register_count() { return static_cast<std::uint32_t>(registers.size()); }
    const backplane_cpu_register* register_info(std::uint32_t index) { return &registers[index]; }
    void get_register(std::uint32_t index, void* value) {
        std::memcpy(value, values_[index].data(), registers[index].bytes);
    }
    std::int32_t set_register(std::uint32_t index, const void* value) {
        std::memcpy(values_[index].data(), value, registers[index].bytes);
        return 1;
    }
    std::int32_t translate(std::uint64_t linear, std::uint64_t* physical) {
        *physical = linear;
        return linear < 0x1'0000 && linear >> 12 != hole;
    }
    std::uint32_t disassemble(std::uint64_t linear, char* text, std::uint32_t) {
        last_disassembled = linear;
        std::strcpy(text, "nop");
        return 1;
    }
    std::int32_t insert_breakpoint(const backplane_breakpoint* wanted) {
        (wanted->kind == BACKPLANE_BREAK_EXECUTE ? code_ : data_).push_back(*wanted);
        return 1;
    }
    std::int32_t remove_breakpoint(const backplane_breakpoint* wanted) {
        auto& list = wanted->kind == BACKPLANE_BREAK_EXECUTE ? code_ : data_;
        return std::erase_if(list, [&](const backplane_breakpoint& each) {
                   return each.kind == wanted->kind && each.linear == wanted->linear &&
                          each.length == wanted->length;
               }) != 0;
    }
    std::int32_t hit_breakpoint(backplane_breakpoint* breakpoint) {
        *breakpoint = hit_;
        return 1;
    }
    std::uint32_t step(std::uint32_t flags) {
        ++instructions_;
        std::uint64_t rip = 0;
        std::memcpy(&rip, values_[2].data(), sizeof rip);
        ++rip;
        std::memcpy(values_[2].data(), &rip, sizeof rip);
        last_step_flags = flags;
        return BACKPLANE_CPU_BUDGET;
    }

    static inline std::uint32_t last_step_flags = 0;
    static inline std::uint64_t last_disassembled = 0;
    static constexpr std::uint64_t hole = 4;
    static constexpr std::array<backplane_cpu_register, 10> registers{{{"rax", 8, 0},
                                                                       {"r8", 8, 0},
                                                                       {"rip", 8, 0},
                                                                       {"rflags", 8, 0},
                                                                       {"cs", 2, 1},
                                                                       {"cs.base", 8, 1},
                                                                       {"r0.x87", 10, 4},
                                                                       {"fsw", 2, 4},
                                                                       {"ftw", 1, 4},
                                                                       {"cr0", 8, 2}}};

private:
    std::array<std::array<std::byte, 16>, registers.size()> values_{};
    std::vector<backplane_breakpoint> code_, data_;
    backplane_breakpoint hit_{};
    std::uint64_t instructions_ = 0;
    std::atomic<bool> attention_ = false;
};

inline constexpr backplane_cpu debugged_cpu_functions{sizeof(backplane_cpu),
                                                      0,
                                                      thunk<&DebuggedCpu::run>,
                                                      thunk<&DebuggedCpu::request_attention>,
                                                      thunk<&DebuggedCpu::instructions>,
                                                      thunk<&DebuggedCpu::register_count>,
                                                      thunk<&DebuggedCpu::register_info>,
                                                      thunk<&DebuggedCpu::get_register>,
                                                      thunk<&DebuggedCpu::set_register>,
                                                      thunk<&DebuggedCpu::translate>,
                                                      thunk<&DebuggedCpu::disassemble>,
                                                      thunk<&DebuggedCpu::insert_breakpoint>,
                                                      thunk<&DebuggedCpu::remove_breakpoint>,
                                                      thunk<&DebuggedCpu::hit_breakpoint>,
                                                      thunk<&DebuggedCpu::step>};

inline void DebuggedCpu::declare(Declaration<DebuggedCpu>& d) {
    d.type("test.debugged-cpu", "Has what a debugger looks at");
    d.provides("cpu", debugged_cpu_functions, "The processor");
}

class DebuggedMemory : public Device {
public:
    static void declare(Declaration<DebuggedMemory>& d) {
        d.type("test.debugged-memory", "64 KiB");
        d.memory_region<&DebuggedMemory::all>("all", "Memory");
    }
    MemoryRegion all() {
        if (memory_ == nullptr)
            memory_ = static_cast<std::byte*>(host().allocate_memory(host().context, size));
        return {.memory = memory_, .size = size};
    }

private:
    static constexpr std::uint64_t size = 64 << 10;
    std::byte* memory_ = nullptr;
};

inline MachineDescription debugged_machine(unsigned cpus) {
    MachineDescription description;
    description.name = "debugged";
    description.clock = ClockMode::Realtime;
    for (unsigned index = 0; index < cpus; ++index) {
        auto& cpu = description.components.emplace_back();
        cpu.name = "cpu" + std::to_string(index);
        cpu.type = Declaration<DebuggedCpu>::device_type();
    }
    auto& memory = description.components.emplace_back();
    memory.name = "ram0";
    memory.type = Declaration<DebuggedMemory>::device_type();
    memory.windows.push_back({.port = 0,
                              .space = memory_space,
                              .base = 0,
                              .priority = 0,
                              .offset = 0,
                              .size = 0,
                              .place = {}});
    return description;
}

}  // namespace backplane::runtime::gdb
