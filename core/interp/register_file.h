// The registers by name, as debuggers and boot loaders see them through backplane.cpu/1.
#pragma once

#include "x86/cpu_model.h"
#include "x86/cpu_state.h"

#include <backplane/abi/cpu.h>

#include <cstdint>
#include <vector>

namespace backplane::interp::register_file {

// Those that a model has, by their numbers here.
std::vector<std::uint32_t> indices_for(const x86::CpuModel& model);
const backplane_cpu_register* info(std::uint32_t index);

// Copy exactly info(index)->bytes. False: the value is impossible.
void get(const x86::CpuState& state, std::uint32_t index, void* value);
bool set(x86::CpuState& state, std::uint32_t index, const void* value);

}  // namespace backplane::interp::register_file
