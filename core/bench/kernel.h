// The PF-008 kernels as the benchmark knows them: their code, and what they must compute and
// retire.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace backplane::bench {

enum class CodeSize : std::uint8_t { Bits64, Bits32 };

struct Kernel {
    std::string_view name;  // "alu64"
    CodeSize size = CodeSize::Bits64;
    std::span<const std::byte> code;
    // Retired by so many iterations: this for each, and this once, the RET included.
    std::uint64_t instructions_per_iteration = 0, instructions_once = 0;
    // Memory accesses likewise.
    std::uint64_t accesses_per_iteration = 0, accesses_once = 0;
    // The same computation in C++, told apart from any engine.
    std::uint64_t (*checksum)(std::uint64_t iterations) = nullptr;

    [[nodiscard]] std::uint64_t instructions(std::uint64_t iterations) const {
        return instructions_per_iteration * iterations + instructions_once;
    }
    [[nodiscard]] std::uint64_t accesses(std::uint64_t iterations) const {
        return accesses_per_iteration * iterations + accesses_once;
    }
};

// All twelve, the 64-bit ones first.
[[nodiscard]] std::span<const Kernel> kernels();

// Where things are in the guest's memory, which is mapped one to one.
namespace layout {
inline constexpr std::uint64_t memory = 2 << 20;
inline constexpr std::uint64_t code = 0x10000;  // the harness, then the kernel
inline constexpr std::uint64_t kernel = code + 0x100;
inline constexpr std::uint64_t largest_kernel = 0x100;
inline constexpr std::uint64_t iterations = code + 0x800;  // a number for the harness
inline constexpr std::uint64_t scratch = 0x20000, scratch_size = 4096;
inline constexpr std::uint64_t stack = 0x31000;  // its end
inline constexpr std::uint64_t page_tables = 0x40000, descriptors = 0x44000;
}  // namespace layout

// Calls the kernel again and again, each time with the same registers and memory.
struct Harness {
    std::span<const std::byte> code;
    std::uint64_t return_offset;  // of the instruction behind the call
};
[[nodiscard]] Harness harness(CodeSize size);

}  // namespace backplane::bench
