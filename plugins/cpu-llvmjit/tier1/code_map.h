// What the parts of a block's compiled code are: which guest instruction each was made of, and for
// what. Not kept: whoever asks has the block translated again.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace backplane::jit {

struct CodePart {
    enum class Kind : std::uint8_t {
        Entry,         // from the interpreter, other blocks and indirect branches
        Instruction,   // what usually happens
        Untranslated,  // an instruction that is left to the interpreter
        Resumption,    // from the interpreter, in front of the instruction
        Exit,          // to it
        Detour,        // an access is not where the one before was
        Miss,          // an access misses the first-level TLB
        RegisterLoad,  // the instruction needs vector or x87 registers in the host's
        Edge,          // to a block that is not linked, or for the budget
    };

    std::uint32_t place = 0;  // in the arena; up to the next part's
    std::uint16_t instruction = 0;
    Kind kind = Kind::Entry;
};

class CodeMap {
public:
    void add(CodePart::Kind kind, unsigned instruction, std::uint32_t place) {
        parts_.push_back({place, static_cast<std::uint16_t>(instruction), kind});
    }

    // The last instruction is none that was translated.
    void leave_to_interpreter() { parts_.back().kind = CodePart::Kind::Untranslated; }

    // By their places. Instructions behind one that is left to the interpreter, and left there too,
    // are empty.
    const std::vector<CodePart>& parts() const { return parts_; }

    // The part with this byte, which is one of the block's.
    const CodePart& at(std::uint32_t place) const {
        return *std::prev(std::ranges::upper_bound(parts_, place, {}, &CodePart::place));
    }

private:
    std::vector<CodePart> parts_;
};

}  // namespace backplane::jit
