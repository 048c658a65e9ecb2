// Which instructions compiled code leaves to the interpreter, by mnemonic.
#pragma once

#include <Zydis/Zydis.h>

#include <array>
#include <cstdint>

namespace backplane::jit {

class Untranslated {
public:
    struct Counts {
        std::uint64_t met = 0;   // when blocks were compiled
        std::uint64_t left = 0;  // times that compiled code left in front of one; it counts that
    };

    // ZYDIS_MNEMONIC_INVALID is for what is no instruction of the processor.
    Counts& operator[](ZydisMnemonic mnemonic) { return counts_[mnemonic]; }
    const Counts& operator[](ZydisMnemonic mnemonic) const { return counts_[mnemonic]; }

    static constexpr std::size_t size = ZYDIS_MNEMONIC_MAX_VALUE + 1;

private:
    std::array<Counts, size> counts_{};
};

}  // namespace backplane::jit
