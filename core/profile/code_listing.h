// The guest's code around samples, disassembled, with how many there were at each instruction.
#pragma once

#include "profile/guest_code.h"
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
    const Recording& recording_;
    const Symbolizer& symbols_;
    GuestCode code_;
};

}  // namespace backplane::profile
