// The guest's code as far as it was recorded, an instruction at a time.
#pragma once

#include "profile/recording.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace backplane::profile {

struct GuestInstruction {
    std::string mnemonic, text;
    std::size_t length;
};

class GuestCode {
public:
    explicit GuestCode(const Recording& recording);

    // Nothing: it was not recorded, or is no instruction. Where several programs have something
    // there, it is the code of whichever was met first.
    std::optional<GuestInstruction> at(std::uint64_t address) const;

private:
    std::multimap<std::uint64_t, const CodeBytes*> by_start_;
};

}  // namespace backplane::profile
