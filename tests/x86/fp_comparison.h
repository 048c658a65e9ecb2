// Compares an instruction of the x87, MMX and SSE families, through decoder and form table, with
// the real processor.
#pragma once

#include "support/system_machine.h"
#include "x86/fp_native.h"
#include "x86/guest_floating_point.h"

#include <initializer_list>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace backplane::x86::testing {

using Code = std::vector<std::uint8_t>;

const FormTable<SemanticsEngine>& floating_point_forms();

// Where processors differ, so that the one under the test does not decide.
struct Ignored {
    std::uint16_t status = 0;
    bool pointers = false;
    bool flags_if_unmasked = false;
    std::size_t memory_from = 0, memory_size = 0;
};

class FpComparison {
public:
    static constexpr std::size_t memory_size = 1024;

    explicit FpComparison(const Code& code, Ignored ignored = {});

    // Empty when both agree. `memory` is the operand's contents before.
    std::string difference(const FpState& before,
                           const std::array<std::uint8_t, memory_size>& memory);

    // What the last execution here did.
    const std::optional<Fault>& raised() const { return machine_.raised; }
    CpuState& state() { return machine_.state(); }
    std::uint64_t executions = 0, faults = 0;

    // Moves the operand off its alignment. The page that it lies in, from its beginning on, has
    // nothing mapped on either side.
    std::size_t misalignment = 0;
    static constexpr std::size_t at_page_end = 4096 - memory_size;
    // What RSI and RDI point to, from the operand's first byte.
    std::int64_t pointer_offset = 0;

private:
    struct Unmap {
        void operator()(std::uint8_t* page) const;
    };

    Code code_;
    Ignored ignored_;
    NativeInstruction native_;
    std::unique_ptr<std::uint8_t, Unmap> page_;
    SemanticsMachine machine_;
    Instruction instruction_;
};

void load_state(CpuState& state, const FpState& from);
FpState store_state(CpuState& state);
std::string describe_difference(const FpState& expected, const FpState& found, Ignored ignored);
std::string hex(std::span<const std::uint8_t> bytes);

}  // namespace backplane::x86::testing
