// Code of the host as text.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace backplane::jit::tier2 {

// Up to the first byte that is no instruction: constants stand behind code.
std::string disassembly(std::span<const std::uint8_t> code);

}  // namespace backplane::jit::tier2
