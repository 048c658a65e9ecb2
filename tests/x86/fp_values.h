// Operand values for floating-point tests: every special encoding, the limits, and random ones
// around them.
#pragma once

#include "x86/fp_comparison.h"

namespace backplane::x86::testing {

class FpValues {
public:
    explicit FpValues(std::uint64_t seed) : random_(seed) {}

    std::uint64_t bits() { return random_(); }
    std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
    bool one_in(std::uint64_t n) { return below(n) == 0; }

    std::uint32_t single();
    std::uint64_t real64();
    std::uint64_t integer();
    FpState::Stack extended();

    // Sixteen bytes of one of the lane types.
    std::array<std::uint64_t, 2> vector();

    enum class Masks : std::uint8_t { AllSet, Random };
    enum class Tags : std::uint8_t { AllFull, Random };
    FpState state(Masks masks, Tags tags);
    std::array<std::uint8_t, FpComparison::memory_size> memory();

private:
    std::mt19937_64 random_;
};

}  // namespace backplane::x86::testing
