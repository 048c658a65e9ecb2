// Chooses the state in which an instruction is executed: values where something happens, and
// addresses that mostly lead to memory.
#pragma once

#include "case.h"
#include "random.h"
#include "x86/fp_values.h"

namespace backplane::oracle {

class StateGenerator {
public:
    explicit StateGenerator(std::uint64_t seed);

    // Where the next instruction lies.
    std::uint64_t choose_ip(x86::CodeSize size);

    // Fills all of `test` but the bytes, which may be adjusted; null for bytes that are no
    // instruction.
    void prepare(const x86::Instruction* instruction, Case& test);

private:
    std::uint64_t value();
    std::uint64_t target(unsigned bytes);
    std::uint64_t offset_of(const Case& test, x86::SegmentIndex segment, std::uint64_t linear);
    void choose_segments(Case& test);
    void choose_registers(Case& test);
    void choose_vectors(Case& test);
    void fill_memory(Case& test);
    void aim(const x86::Instruction& instruction, Case& test);
    void aim_vector_index(const ZydisDecodedOperand& operand, Case& test);
    void adjust(const x86::Instruction& instruction, Case& test);
    void plant(Case& test, std::uint64_t linear, std::uint64_t value, unsigned bytes);
    void plant_far_frame(const x86::Instruction& instruction, Case& test);
    void plant_extended_state(Case& test);
    void plant_far_pointer(const x86::Instruction& instruction, Case& test);
    std::uint64_t landing(std::uint16_t selector);
    std::uint16_t any_selector();

    Random random_;
    x86::testing::FpValues floats_;
    std::array<std::uint8_t, data_bytes> background_;
    unsigned background_age_ = 0;
    std::uint64_t aimed_ = 0;  // linear address of the memory operand
};

}  // namespace backplane::oracle
