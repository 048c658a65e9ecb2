// The guest's code around samples, disassembled, with how many there were at each instruction.
#pragma once

#include "profile/recording.h"
#include "profile/symbolizer.h"

#include <string>

namespace backplane::profile {

class CodeListing {
public:
    CodeListing(const Recording& recording, const Symbolizer& symbols);

    // Of one function, by where it begins; or of what has no symbol, by any address of it.
    std::string of_function(Space space, std::uint64_t address) const;

private:
    struct Line {
        std::uint64_t address, samples;
        std::string text;
    };
    const CodeBytes* bytes_at(std::uint64_t address) const;

    const Recording& recording_;
    const Symbolizer& symbols_;
};

}  // namespace backplane::profile
